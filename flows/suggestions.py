"""A person says which item of PRIMA an unknown SKU stands for, and every order that waits for it goes on."""

from collections import Counter

from prefect import flow

from flows.carrying import carry
from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.batches import chunks
from schemas.items import ItemIndex
from schemas.reasons import MappingKind
from schemas.suggestions import Accepted, Suggestion
from tasks import connect
from tasks.decide import suggestions as decide
from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract import suggestions as extract
from tasks.extract.orders import RECORDS_A_BATCH, fetch_numbered_orders
from tasks.record import suggestions as record
from tasks.settings import Settings


@flow(name="accept-suggestion", description="A SKU that PRIMA does not know stands for one that it suggests.")
@desk_after_run("accept-suggestion")
@slots_of_both_systems()
def accept_suggestion(sku: str, meant: str, by: str) -> Accepted:
    """Map a SKU to the one that is meant, and carry every order that waits for it to PRIMA.

    Args:
        sku: The SKU as the order has it, exactly as its exception shows it.
        meant: The suggested SKU of PRIMA that it stands for.
        by: Who accepts it; kept with the mapping.

    The mapping counts for every later order too, before the items extract, until it is withdrawn. Raises
    ConfigurationError with why, and writes nothing, when it does not fit; SystemUnavailableError when PRIMA got out of
    reach: the mapping is kept then, and the next run of orders posts what waits.
    """
    waiting = extract.fetch_waiting_for(sku)
    suggestion = decide.accepted(sku, meant, by, waiting, extract_items.fetch_items())
    record.record_accepted(sku, suggestion, by.strip())
    accepted = _released(sku, suggestion, by.strip(), waiting, extract_items.fetch_items())
    record.show_accepted(accepted)
    return accepted


@flow(name="withdraw-suggestion", description="A mapping that a person made counts no longer; what was posted stays.")
@desk_after_run("withdraw-suggestion")
def withdraw_suggestion(sku: str, by: str, kind: MappingKind = "sku") -> str:
    """End the mapping of a SKU that was accepted, or of another name, and return what it means in one sentence.

    Args:
        sku: The SKU as orders have it; or the carrier, payment or shipping method that was mapped.
        by: Who withdraws it; kept with the mapping.
        kind: What kind of name it is.

    Raises ConfigurationError when nothing is mapped for it by a person, or nobody is named.
    """
    name = f"SKU {sku}" if kind == "sku" else f"{kind} {sku}"
    if not by.strip() or not record.record_withdrawn(sku, by.strip(), kind):
        raise ConfigurationError(
            "no accepted suggestion counts for it." if by.strip() else "nobody is named who withdraws it.",
            system="magento-prima",
            operation="withdraw suggestion",
            reference=name,
            next_step="A name is compared exactly; what stands in the settings is withdrawn there.",
        )
    return f"{sku} stands for nothing any more: what needs it next waits for a decision. What was posted stays posted."


def _released(sku: str, suggestion: Suggestion, by: str, waiting: list[str], items: ItemIndex) -> Accepted:
    """Carry the waiting orders, from a fresh read of Magento."""
    settings = Settings.from_env()
    rules = connect.order_rules(settings)
    counts: Counter[str] = Counter()
    gross: Counter[str] = Counter()
    for some in chunks(waiting, RECORDS_A_BATCH):
        batch = fetch_numbered_orders(whole(list(some)), "orders of an accepted suggestion")
        summary = carry(batch, items, rules, settings)
        counts.update(summary.counts)
        gross.update(summary.posted_gross_pence)
        if summary.is_prima_out_of_reach:
            raise SystemUnavailableError(
                summary.is_prima_out_of_reach,
                system="PRIMA",
                operation="create order",
                next_step=f"{sku} is mapped to {suggestion.sku}; the next run of orders posts what waits.",
            )
    return Accepted(sku, suggestion.sku, suggestion.why, by, tuple(waiting), dict(counts), dict(gross))
