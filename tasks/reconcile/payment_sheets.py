"""The sheets of the money: what providers settled, and the orders whose money is not as it should be."""

from tasks.reconcile.run import Reconciliation
from tasks.reconcile.sheet import CURRENCY
from tasks.systems.reports.workbook import Field, Sheet, money


def payment_sheets(found: Reconciliation) -> list[Sheet]:
    """Return the two sheets."""
    return [
        Sheet("Settled money", "What did the payment providers settle?", _TOTALS, found.settlement_totals),
        Sheet("Payments", "Which orders, PRIMA and money do not agree?", _TIES, found.payment_ties),
    ]


_PROVIDER = Field("Provider", "provider", width=12)
_TOTALS = [
    _PROVIDER,
    CURRENCY,
    Field("What", "kind", width=20),
    Field("Belongs to", "tie", width=16),
    Field("Rows", "row_count", "count", 9),
    *money(("Gross", "gross"), ("Fees", "fee"), ("Net", "net")),
]
_TIES = [
    _PROVIDER,
    CURRENCY,
    Field("Order", "order_key", width=18),
    Field("Day", "business_date", "date", 12),
    Field("Payment method", "payment_method", width=16),
    Field("What", "status", width=22),
    *money(("Charged in Magento", "magento_charged"), ("Charged in PRIMA", "prima_charged"), ("Paid", "paid")),
    Field("Paid less charged", "paid_variance_pence", "money", 15, "{paid_pence}-{magento_charged_pence}"),
    *money(("Refunded in Magento", "magento_refunded"), ("Refunded in PRIMA", "prima_refunded")),
    *money(("Refunds paid", "refunded"), ("Charged back", "charged_back"), ("Fees", "fee")),
]
