"""The customer of PRIMA that an order is for, where `prima.orders.customer` is `reuse`."""

from collections.abc import Mapping, Sequence

from schemas.documents import SalesOrder
from tasks.settings import Settings
from tasks.systems.ledger import EndedOrder, Ledger


def known_customers(settings: Settings, ledger: Ledger, orders: Sequence[SalesOrder]) -> Mapping[int, str]:
    """Return PRIMA's codes of the accounts that placed these orders; none where every order makes a new customer."""
    if settings.prima.orders.customer == "new":
        return {}
    return ledger.customer_codes({order.customer_id_magento for order in orders if order.customer_id_magento})


def customer_of(codes: Mapping[int, str], order: SalesOrder) -> str:
    """Return the code that an order is sent with; empty for a guest and for an account that PRIMA does not know yet."""
    return codes.get(order.customer_id_magento or 0, "")


def remember_customers(
    settings: Settings, ledger: Ledger, orders: Mapping[str, SalesOrder], ended: Sequence[EndedOrder]
) -> None:
    """Keep the codes of accounts whose orders PRIMA accepted."""
    if settings.prima.orders.customer == "new":
        return
    accepted = [each for each in ended if each.outcome == "posted" and each.customer_code]
    accounts = {each.begun.order_number: orders[each.begun.order_number].customer_id_magento for each in accepted}
    ledger.remember_customers(
        {account: each.customer_code for each in accepted if (account := accounts[each.begun.order_number])}
    )
