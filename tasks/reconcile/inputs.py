"""What was read from Magento, PRIMA and the ledger, as the staged tables of `schemas/reconciliation`. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from schemas.breaks import KnownBreak, TolerancePolicy
from schemas.reconciliation import CAUSES, STAGED, WITHOUT_EXPLANATION
from schemas.rules import NumberRule, SizeRule
from tasks.reconcile import magento_inputs, numbering, payment_inputs, plausible, prima_inputs
from tasks.reconcile.payment_inputs import MoneySide
from tasks.reconcile.product_sizes import product_sizes
from tasks.reconcile.staging import Problem, readable, shaped

# Exceptions that say "the import rules keep it out", not "somebody must act".
EXCLUDING_REASONS = (
    "ORDER_CANCELLED",
    "ORDER_CLOSED",
    "STORE_NOT_IMPORTED",
    "BEFORE_START_DATE",
    "PAYMENT_METHOD_NOT_IMPORTED",
    "ORDER_STATE_NOT_IMPORTED",
)


@dataclass(frozen=True, slots=True)
class LedgerOrder:
    """What the ledger knows of an order: `exception_code` is its oldest open exception, empty for none.

    `magento_sha256` and `prima_sha256` are the hashes of Magento's record and of what PRIMA was sent.
    """

    order_number: str
    order_number_prima: str = ""
    business_date: date | None = None
    state: str = ""
    posted_at: datetime | None = None
    exception_code: str = ""
    verified_at: datetime | None = None
    magento_sha256: str = ""
    prima_sha256: str = ""


@dataclass(frozen=True, slots=True)
class LedgerPosting:
    """One attempt to write about an order; the hashes are empty where no payload was kept."""

    posting_key: str
    attempt: int
    order_number: str
    begun_at: datetime
    operation: str
    state: str
    request_sha256: str = ""
    answer_sha256: str = ""


@dataclass(frozen=True, slots=True)
class LedgerSide:
    """What the ledger holds: orders, postings, breaks of earlier nights, and the tolerance policy.

    `read_keys` are level and order key of the breaks of other days whose documents were read again.
    """

    orders: Sequence[LedgerOrder] = ()
    postings: Sequence[LedgerPosting] = ()
    breaks: Sequence[KnownBreak] = ()
    read_keys: Collection[tuple[str, str]] = ()
    policy: TolerancePolicy = field(default_factory=TolerancePolicy)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run is about, and how far each side was read. Instants are aware UTC."""

    from_date: date
    to_date: date
    run_at: datetime
    magento_as_at: datetime
    prima_as_at: datetime
    prima_evidence: str
    lag_hours: int
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The staged tables by name, and the records that are not in them or contradict themselves."""

    tables: dict[str, pd.DataFrame]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class MagentoSide:
    """Magento's frames after `normalise`: the orders, and every document of them that was read.

    `set_apart` holds by level tender and VAT of the discount of each document, `stores` the store view by order number.
    `unread` are documents that Magento did not hand out: what each is about is not reconciled.
    """

    orders: pd.DataFrame
    lines: pd.DataFrame
    delivery_rates: Mapping[str, str]
    invoices: pd.DataFrame
    invoice_lines: pd.DataFrame
    creditmemos: pd.DataFrame
    creditmemo_lines: pd.DataFrame
    shipments: pd.DataFrame
    set_apart: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    stores: Mapping[str, str] = field(default_factory=dict)
    unread: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class PrimaSide:
    """PRIMA's extracts after `normalise`, and what is particular to the installation.

    `status_names` maps PRIMA's words to ours; `vat_rates` are the rates, in hundredths of a per cent, that a delivery
    charge may carry; `delivery_products` are the product codes that stand for delivery on an order line. `unread` are
    extracts that could not be read: their level is not reconciled. `size_rule` tells children's sizes; None: no rule.
    """

    extracts: Mapping[str, pd.DataFrame]
    status_names: Mapping[str, str]
    vat_rates: Sequence[int] = (2000,)
    delivery_products: frozenset[str] = field(default_factory=frozenset)
    unread: Sequence[Problem] = ()
    size_rule: SizeRule | None = None


def staged(
    magento: MagentoSide,
    prima: PrimaSide,
    ledger: LedgerSide,
    number: NumberRule,
    run: RunFacts,
    money: MoneySide | None = None,
) -> Inputs:
    """Return every staged table; `run.input_hash` stays empty until the tables are loaded."""
    unread_levels = {problem.level for problem in prima.unread}
    extracts, problems = prima_inputs.without_repeats(prima.extracts)
    problems += [*magento.unread, *prima.unread, *prima_inputs.contradictions(extracts)]
    numbers = order_numbers(magento.orders, ledger.orders, number)
    tables, unreadable = _documents(magento, prima, extracts, numbers, unread_levels)
    problems += unreadable
    tables["order_numbers"] = numbers
    tables["ledger_orders"] = ledger_orders(ledger.orders)
    problems += plausible.problems(tables, run.prima_as_at if run.prima_evidence == "reporting" else None)
    tables["magento_shipments"] = magento_inputs.shipments(magento.shipments, magento.orders)
    tables["prima_dispatches"] = prima_inputs.dispatches(extracts)
    money = money or MoneySide()
    tables |= payment_inputs.tables(money, magento.orders)
    problems += payment_inputs.problems(money)
    tables["product_sizes"] = product_sizes((extracts["sales_order_lines"], extracts["invoice_lines"]), prima.size_rule)
    tables["ledger_postings"] = ledger_postings(ledger.postings)
    tables["known_breaks"] = known_breaks(ledger.breaks, ledger.read_keys, unread_levels)
    tables["rejections"] = rejections(problems)
    tables["policy"] = policy_row(ledger.policy)
    tables["run"] = run_row(run, len(problems))
    tables["causes"] = pd.DataFrame(
        [(each.code, each.sentence, each.owner, each.code not in WITHOUT_EXPLANATION) for each in CAUSES.values()],
        columns=["cause", "sentence", "owner", "is_explained"],
    ).astype({"cause": "str", "sentence": "str", "owner": "str"})
    return Inputs(tables, problems)


def _documents(
    magento: MagentoSide,
    prima: PrimaSide,
    extracts: Mapping[str, pd.DataFrame],
    numbers: pd.DataFrame,
    unread_levels: set[str],
) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    """Return documents and lines of both sides without the levels that could not be read, and what was unreadable."""
    magento_documents, unread = readable(
        "magento_documents",
        magento_inputs.documents(
            magento.orders,
            {"invoices": magento.invoices, "refunds": magento.creditmemos},
            magento.set_apart,
            magento.stores,
        ),
        "Magento",
    )
    prima_documents, unread_in_prima = readable(
        "prima_documents",
        prima_inputs.documents(extracts, prima.status_names, prima.delivery_products),
        "PRIMA",
    )
    magento_documents, prima_documents = (
        rows[~rows["level"].isin(unread_levels)].reset_index(drop=True) for rows in (magento_documents, prima_documents)
    )
    prima_documents["order_key"] = numbering.order_keys(prima_documents["order_number_prima"], numbers)
    magento_documents, prima_documents = numbering.numbered(magento_documents, prima_documents)
    tables = {
        "magento_documents": magento_documents,
        "magento_lines": magento_inputs.lines(
            magento_documents,
            magento.lines,
            magento.delivery_rates,
            {"invoices": magento.invoice_lines, "refunds": magento.creditmemo_lines},
        ),
        "prima_documents": prima_documents,
        "prima_lines": prima_inputs.lines(prima_documents, extracts, prima.vat_rates, prima.delivery_products),
    }
    return tables, [*unread, *unread_in_prima]


def order_numbers(orders: pd.DataFrame, ledger: Iterable[LedgerOrder], number: NumberRule) -> pd.DataFrame:
    """Return which order each PRIMA number belongs to: by the ledger, else by the rule that makes the numbers."""
    found: dict[str, str] = {}
    pairs = zip(orders["entity_id_magento"].tolist(), orders["order_number"].tolist(), strict=True)
    for entity_id, order_number in pairs:
        computed = number.number(int(entity_id), order_number)
        if computed is not None:
            found[computed] = order_number
    found.update({order.order_number_prima: order.order_number for order in ledger if order.order_number_prima})
    return pd.DataFrame(sorted(found.items()), columns=["order_number_prima", "order_number"], dtype="str")


def ledger_orders(ledger: Iterable[LedgerOrder]) -> pd.DataFrame:
    """Return one row per order that the ledger knows; an exception that only tells of a rule becomes an exclusion."""
    return _table(
        "ledger_orders",
        [
            {
                "order_number": order.order_number,
                "business_date": order.business_date,
                "ledger_state": order.state,
                "posted_at": _naive(order.posted_at),
                "verified_at": _naive(order.verified_at),
                "exception_code": order.exception_code,
                "exclusion_reason": order.exception_code if order.exception_code in EXCLUDING_REASONS else "",
                "magento_sha256": order.magento_sha256,
                "prima_sha256": order.prima_sha256,
            }
            for order in ledger
        ],
    )


def ledger_postings(postings: Iterable[LedgerPosting]) -> pd.DataFrame:
    """Return one row per attempt of the ledger to write about the orders of the run."""
    return _table(
        "ledger_postings",
        [
            {
                "posting_key": posting.posting_key,
                "attempt": posting.attempt,
                "order_number": posting.order_number,
                "begun_at": _naive(posting.begun_at),
                "business_date": pd.Timestamp(posting.begun_at).tz_convert("Europe/London").date(),
                "operation": posting.operation,
                "state": posting.state,
                "request_sha256": posting.request_sha256,
                "answer_sha256": posting.answer_sha256,
            }
            for posting in postings
        ],
    )


def known_breaks(
    breaks: Iterable[KnownBreak], read_keys: Collection[tuple[str, str]], unread_levels: Collection[str]
) -> pd.DataFrame:
    """Return one row per break of earlier nights; what could not be read this time is not looked at again."""
    names = [column.name for column in STAGED["known_breaks"].columns]
    rows = []
    for each in breaks:
        row = {name: getattr(each, name) for name in names if name != "is_read"}
        row |= {"first_seen_at": _naive(each.first_seen_at), "last_seen_at": _naive(each.last_seen_at)}
        is_read = (each.level, each.order_key) in read_keys and each.level not in unread_levels
        rows.append({**row, "is_read": is_read})
    return _table("known_breaks", rows)


def rejections(problems: Iterable[Problem]) -> pd.DataFrame:
    """Return one row per record, day or part that was not reconciled; a subject stands once, with all its details."""
    rows: dict[str, dict[str, Any]] = {}
    for problem in problems:
        row = {name: getattr(problem, name) for name in Problem.__dataclass_fields__}
        earlier = rows.get(problem.subject)
        if earlier is not None:
            row["detail"] = f"{earlier['detail']}; {row['detail']}"
        rows[problem.subject] = row
    return _table("rejections", list(rows.values()))


def policy_row(policy: TolerancePolicy) -> pd.DataFrame:
    """Return the one row that says what was tolerated."""
    return _table(
        "policy",
        [
            {
                "policy_version": policy.version,
                "order_pence": policy.order_pence,
                "line_pence": policy.line_pence,
                "day_pence": policy.day_pence,
                "methods": ",".join(policy.methods),
                "materiality_pence": policy.materiality_pence,
                "set_by": policy.set_by,
                "set_at": _naive(policy.set_at),
                "set_because": policy.set_because,
            }
        ],
    )


def run_row(run: RunFacts, rejected_count: int) -> pd.DataFrame:
    """Return the one row that says what the run is about."""
    return _table(
        "run",
        [
            {
                "from_date": run.from_date,
                "to_date": run.to_date,
                "run_at": _naive(run.run_at),
                "run_id": run.run_id,
                "magento_as_at": _naive(run.magento_as_at),
                "prima_as_at": _naive(run.prima_as_at),
                "prima_evidence": run.prima_evidence,
                "lag_hours": run.lag_hours,
                "rejected_count": rejected_count,
                "input_hash": "",
            }
        ],
    )


def _naive(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC).replace(tzinfo=None)


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return shaped(name, pd.DataFrame(rows, columns=[column.name for column in STAGED[name].columns]))
