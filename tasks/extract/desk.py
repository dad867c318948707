"""Exceptions as the acts of the desk see them, and the names that something may be mapped to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.desk import Case, Which
from schemas.items import ItemIndex
from schemas.mapped import carrier_named
from schemas.reasons import MappingKind
from schemas.reasons.terms import MAPPINGS
from tasks import connect
from tasks.errors import NotFoundError
from tasks.settings import Settings
from tasks.systems.ledger import ExceptionRecord, Ledger, OrderRecord


@task(cache_policy=NO_CACHE)
def fetch_cases(which: Which) -> list[Case]:
    """Return the exceptions that are meant, the most valuable first; closed ones only where a number names them.

    Raises NotFoundError for a number that no exception has.
    """
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        if which.numbers:
            found = [note for number in which.numbers for note in ledger.exceptions(state="all", number=number)]
            missing = sorted(set(which.numbers) - {note.id for note in found})
            if missing:
                raise NotFoundError(
                    f"there is no exception {', '.join(map(str, missing))}.",
                    system="ledger",
                    operation="exceptions",
                    next_step="magento-prima exceptions list shows their numbers.",
                )
        else:
            found = ledger.exceptions(code=which.code or None, order_number=which.order_number or None)
        cases = cases_of(ledger, found, settings)
    now = datetime.now(UTC)
    meant = [case for case in cases if which.fits(case, now)]
    return sorted(meant, key=lambda case: (-case.value_at_risk_pence, case.first_seen_at, case.number))


@task(cache_policy=NO_CACHE)
def fetch_waiting_for_mapping(kind: MappingKind) -> list[Case]:
    """Return the open exceptions that a mapping of this kind would solve."""
    settings = Settings.from_env()
    with connect.open_ledger(settings) as ledger:
        found = [note for code, each in MAPPINGS.items() if each == kind for note in ledger.exceptions(code=code)]
        return cases_of(ledger, found, settings)


@task(cache_policy=NO_CACHE)
def fetch_mappable(kind: MappingKind, meant: str, items: ItemIndex | None) -> tuple[set[str], set[str]]:
    """Return the names that something may stand for, and those that the settings decide themselves.

    `items` are PRIMA's, for a SKU: only the one that is `meant` is looked up among them.
    """
    settings = Settings.from_env()
    if kind == "sku":
        is_known = items is not None and items.problem(meant) is None
        return ({meant} if is_known else set()), set(settings.sku.mapped)
    named: Mapping[MappingKind, Mapping[str, object]] = {
        "carrier": settings.carriers,
        "payment": settings.payment_methods,
        "charge": settings.delivery_methods,
    }
    return set(named[kind]), set(named[kind])


def cases_of(ledger: Ledger, notes: Sequence[ExceptionRecord], settings: Settings) -> list[Case]:
    """Return exceptions with what the ledger knows of their orders."""
    orders = {
        order.order_number: order for order in ledger.orders(sorted({note.order_number for note in notes} - {""}))
    }
    stores = {store.id: store.code for store in settings.stores}
    return [_case(note, orders.get(note.order_number), stores) for note in notes]


def _case(note: ExceptionRecord, order: OrderRecord | None, stores: Mapping[int, str]) -> Case:
    keys: dict[MappingKind, str] = {"sku": note.sku, "carrier": carrier_named(note.detail)}
    if order is not None:
        keys |= {"payment": order.payment_method, "charge": order.delivery_method}
    return Case(
        number=note.id,
        code=note.code,
        subject=note.subject,
        is_open=note.state == "open",
        detail=note.detail,
        order_number=note.order_number,
        sku=note.sku,
        value_at_risk_pence=note.value_at_risk_pence,
        currency=note.currency,
        suggestions=note.suggestions,
        occurrences=note.occurrences,
        first_seen_at=note.first_seen_at,
        assigned_to=note.assigned_to,
        snoozed_until=note.snoozed_until,
        ignored_at=note.ignored_at,
        store=stores.get(order.store_id, str(order.store_id)) if order is not None else "",
        order_state=order.state if order is not None else "",
        keys=keys,
    )
