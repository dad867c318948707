"""The tables of the money: what payment providers settled, and what it says of each order. No input or output."""

from schemas.reconciliation.columns import CURRENCY_KEY, ORDER_NUMBER, STORE, order_key, pence, text
from schemas.settlements import KINDS
from schemas.tables import Column, Table

TIES = ("order", "order not read", "no order")
PAYMENT_STATUSES = (
    "MATCHED",
    "NOT_DUE",
    "NOT_BY_PROVIDER",
    "AWAITING_SETTLEMENT",
    "AWAITING_REFUND",
    "CHARGEBACK",
    "NOT_RECONCILED",
    "NOT_SETTLED",
    "NOT_IN_PRIMA",
    "PAID_DIFFERENTLY",
    "REFUND_NOT_PAID",
    "REFUND_NOT_RECORDED",
)
_PROVIDER = text("provider", "name of the provider in the settings", is_key=True)
_ROW = (
    _PROVIDER,
    text("file", "folder and name of the file", is_key=True),
    Column("line", "integer", "line of the file", is_key=True),
    text("reference", "the provider's own reference; empty for none"),
    text("order_reference", "the order number that the provider was given; empty for none"),
    text("kind", "what the row is", values=KINDS),
    text("word", "the same in the provider's words"),
    Column("business_date", "date", "London date of the row"),
    text("currency", "ISO 4217"),
    *pence(("gross", "signed: a payment adds"), ("fee", "cost of the row"), ("net", "gross less fee")),
    text("payout", "the payout it belongs to; empty when the file does not say"),
)

STAGED: tuple[Table, ...] = (
    Table("settlements", "one row of a settlement file", _ROW, dated_by="business_date"),
    Table(
        "order_payments",
        "one order that was read",
        (
            text("order_number", "Magento's increment id", is_key=True),
            text("payment_method", "Magento's code of the payment method"),
            text("provider", "who settles it by the settings; empty for nobody"),
            Column("is_again", "flag", "an exception about its money is open"),
        ),
    ),
    Table(
        "payment_run",
        "one row where settlement files are configured, else none",
        (Column("lag_days", "integer", "how long a settlement may be on its way", is_key=True),),
    ),
)
MARTS: tuple[Table, ...] = (
    Table(
        "settlements",
        "one row of a settlement file that is dated in the period, or is about an order that was read",
        (
            *_ROW,
            order_key(is_key=False),
            text("tie", "whether it belongs to an order that was read", values=TIES),
            Column("is_in_period", "flag", "dated in the period"),
        ),
    ),
    Table(
        "settlement_totals",
        "one provider, currency, kind and tie: the rows dated in the period",
        (
            _PROVIDER,
            CURRENCY_KEY,
            text("kind", "what the rows are", is_key=True, values=KINDS),
            text("tie", "whether they belong to an order that was read", is_key=True, values=TIES),
            Column("row_count", "integer", "rows"),
            *pence(("gross", "sum of gross"), ("fee", "sum of fees"), ("net", "sum of net")),
        ),
    ),
    Table(
        "payment_ties",
        "one order that was read and currency: order, PRIMA and money; empty without settlement files",
        (
            text("order_key", "the order number", is_key=True),
            ORDER_NUMBER,
            CURRENCY_KEY,
            Column("business_date", "date", "London date of the order"),
            STORE,
            text("payment_method", "Magento's code of the payment method"),
            text("provider", "who settles it by the settings; empty for nobody"),
            text("status", "what order and money say of one another", values=PAYMENT_STATUSES),
            Column("is_three_way", "flag", "order, PRIMA and money agree on what was paid and given back"),
            *pence(
                ("order", "the order, less gift cards and store credit"),
                ("magento_charged", "invoices so far less gift cards and credit; the order where they were not read"),
                ("magento_refunded", "credit memos so far, less what went back to gift cards and credit"),
                ("prima_charged", "PRIMA's invoices so far less the same tender; its order where there are none"),
                ("prima_refunded", "PRIMA's credit notes so far less the same tender"),
                ("paid", "payments that were settled"),
                ("refunded", "refunds that were settled, as a positive figure"),
                ("charged_back", "chargebacks less those that came back, as a positive figure"),
                ("fee", "fees of all its rows"),
                ("paid_variance", "paid minus charged in Magento"),
                ("refund_variance", "refunded minus refunded in Magento"),
            ),
        ),
    ),
)
