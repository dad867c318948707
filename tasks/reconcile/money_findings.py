"""The money of orders as exceptions: raised for what is missing or different, closed when it has come. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from schemas.documents import ExceptionNote
from schemas.money import show
from tasks.systems.ledger import ExceptionRecord
from tasks.systems.warehouse import Row

# By the status of `payment_ties`: the code, and the column that holds what is at risk.
_FOUND: dict[str, tuple[str, str]] = {
    "NOT_SETTLED": ("RECON_PAYMENT_MISSING", "magento_charged_pence"),
    "PAID_DIFFERENTLY": ("RECON_PAYMENT_DIFFERS", "paid_variance_pence"),
    "NOT_IN_PRIMA": ("RECON_PAYMENT_NOT_IN_PRIMA", "paid_pence"),
    "CHARGEBACK": ("RECON_PAYMENT_CHARGED_BACK", "charged_back_pence"),
    "REFUND_NOT_PAID": ("RECON_REFUND_NOT_PAID", "refund_variance_pence"),
    "REFUND_NOT_RECORDED": ("RECON_REFUND_NOT_RECORDED", "refund_variance_pence"),
}
MONEY_CODES = tuple(code for code, _ in _FOUND.values())
# A file of the provider could not be read, so nothing was seen.
_NOT_SEEN = "NOT_RECONCILED"


def subject_of(order_number: str) -> str:
    """Return what an exception about money is about."""
    return f"payment of order {order_number}"


def money_ties(ties: Iterable[Row]) -> list[Row]:
    """Return the rows of `payment_ties` that somebody must act on."""
    return [row for row in ties if row["status"] in _FOUND]


def money_notes(ties: Iterable[Row]) -> list[ExceptionNote]:
    """Return an exception for each order and status that somebody must act on; rows of `payment_ties`."""
    found: dict[tuple[str, str], ExceptionNote] = {}
    for row in money_ties(ties):
        code, at_risk = _FOUND[row["status"]]
        note = ExceptionNote(
            code=code,
            subject=subject_of(row["order_number"]),
            detail=_detail(row),
            order_number=row["order_number"],
            value_at_risk_pence=abs(row[at_risk]),
            currency=row["currency"],
        )
        found.setdefault((code, note.subject), note)
    return list(found.values())


def _detail(row: Row) -> str:
    sums = [
        f"{words} {show(row[f'{name}_pence'], row['currency'])}"
        for words, name in (
            ("charged in Magento", "magento_charged"),
            ("charged in PRIMA", "prima_charged"),
            ("paid", "paid"),
            ("refunded in Magento", "magento_refunded"),
            ("refunds paid", "refunded"),
            ("charged back", "charged_back"),
        )
    ]
    return f"{row['provider'] or 'no provider'}, {row['payment_method']}: {', '.join(sums)}"


def money_settled(open_before: Iterable[ExceptionRecord], seen: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return code and subject of the open exceptions about money that are gone.

    `seen` are the statuses, one a currency, of the orders that this run looked at again; an order that it did not see,
    or of whose provider a file was refused, keeps its exception.
    """
    gone = set()
    for record in open_before:
        statuses = seen.get(record.order_number, ())
        if record.code not in MONEY_CODES or not statuses or _NOT_SEEN in statuses:
            continue
        if record.code not in {_FOUND[status][0] for status in statuses if status in _FOUND}:
            gone.add((record.code, record.subject))
    return sorted(gone)
