"""A person says that an order goes to PRIMA although a check holds it, and it goes on; or takes that back in time."""

from dataclasses import replace

from prefect import flow

from flows.carrying import carry
from flows.desk import desk_after_run
from flows.slots import slots_of_both_systems
from schemas.order_checks import Released
from tasks import connect
from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.extract import items as extract_items
from tasks.extract.orders import fetch_numbered_orders
from tasks.record import releases as record
from tasks.settings import Settings


@flow(name="release", description="One order goes to PRIMA although a check holds it: a suspected duplicate, its VAT.")
@desk_after_run("release")
@slots_of_both_systems()
def release_order(order_number: str, by: str, because: str) -> Released:
    """Release what one order is held for, and carry it to PRIMA from a fresh read of Magento.

    Args:
        order_number: Magento's number of the order.
        by: Who releases it; kept with the release and in the history of the exception.
        because: Why; kept with it. No personal data.

    Every other check of the order counts as before, and so does this one for every other order. Raises
    ConfigurationError when nothing that can be released holds it, or nobody or no reason is named;
    SystemUnavailableError when PRIMA got out of reach: the release is kept, and the next run of orders posts it.
    """
    _named(order_number, by, because, "releases")
    released = record.record_release(order_number, by.strip(), because.strip())
    settings = Settings.from_env()
    batch = fetch_numbered_orders([order_number], "order released")
    summary = carry(batch, extract_items.fetch_items(), connect.order_rules(settings), settings)
    if summary.is_prima_out_of_reach:
        raise SystemUnavailableError(summary.is_prima_out_of_reach, system="PRIMA", operation="create order")
    released = replace(released, counts=dict(summary.counts))
    record.show_release(released)
    return released


@flow(name="withdraw-release", description="A release counts no longer: the order is held again, unless PRIMA has it.")
@desk_after_run("withdraw-release")
def withdraw_release(order_number: str, by: str, because: str) -> Released:
    """Let the release of one order count no longer, as long as it has not left for PRIMA.

    Args:
        order_number: Magento's number of the order.
        by: Who withdraws it; kept in the history of the exception.
        because: Why; kept with it. No personal data.

    Nothing is posted or cancelled by it. Raises ConfigurationError, with what to do instead, when nothing was released
    or the order has left, and when nobody or no reason is named.
    """
    _named(order_number, by, because, "withdraws")
    return record.record_withdrawal(order_number, by.strip(), because.strip())


def _named(order_number: str, by: str, because: str, does: str) -> None:
    if not by.strip() or not because.strip():
        raise ConfigurationError(
            f"who {does} it and why must both be named.",
            system="magento-prima",
            operation="release",
            reference=f"order {order_number}",
        )
