"""What payment providers settled: the shape of their files as a map of columns, and one row as we take it.

Money is whole minor units, signed as the merchant sees it: a payment adds, a refund, a chargeback and a fee take away.
No input or output.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["payment", "refund", "refund_reversed", "chargeback", "chargeback_reversed", "fee", "payout", "other"]
KINDS: tuple[Kind, ...] = (
    "payment",
    "refund",
    "refund_reversed",
    "chargeback",
    "chargeback_reversed",
    "fee",
    "payout",
    "other",
)
# How a kind changes what the merchant has; the others may go either way.
SIGNS: Mapping[str, int] = {
    "payment": 1,
    "refund": -1,
    "refund_reversed": 1,
    "chargeback": -1,
    "chargeback_reversed": 1,
}
FeeSign = Literal["cost", "signed"]
SignRule = Literal["as_given", "by_kind"]
Unit = Literal["major", "minor"]


@dataclass(frozen=True, slots=True)
class SettlementFormat:
    """Which columns of a provider's CSV hold what. An empty name means that the file has no such column.

    `reference` are columns of which the first that is not empty counts. Amounts stand in `gross`, or in `gross_debit`
    and `gross_credit`; with `net` (or debit and credit of it) the three must add up, and without `fee` the fee is what
    they leave. `fee_sign` says whether a fee of 1.00 stands as 1.00 (cost) or as -1.00 (signed). `date_format` is
    Python's; empty for ISO 8601. A time without a zone is one of `zone`. Rows whose status is not in `statuses` are
    left out.
    """

    name: str
    reference: tuple[str, ...]
    order_reference: str
    kind: str
    kinds: Mapping[str, Kind]
    date: str
    currency: str
    gross: str = ""
    gross_debit: str = ""
    gross_credit: str = ""
    fee: str = ""
    net: str = ""
    net_debit: str = ""
    net_credit: str = ""
    net_currency: str = ""
    payout: str = ""
    status: str = ""
    statuses: tuple[str, ...] = ()
    date_format: str = ""
    delimiter: str = ","
    decimal_comma: bool = False
    fee_sign: FeeSign = "cost"
    sign: SignRule = "as_given"
    unit: Unit = "major"
    zone: str = "Europe/London"
    methods: frozenset[str] = field(default_factory=frozenset)

    @property
    def columns(self) -> list[str]:
        """Return every column that a file of this provider must have, in the order of the map."""
        named = (
            *self.reference,
            self.order_reference,
            self.kind,
            self.date,
            self.currency,
            self.gross,
            self.gross_debit,
            self.gross_credit,
            self.fee,
            self.net,
            self.net_debit,
            self.net_credit,
            self.net_currency,
            self.payout,
            self.status,
        )
        return list(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True, slots=True)
class Settlement:
    """One row of a provider's file. `order_reference` is the merchant's order number as the provider was given it."""

    provider: str
    file: str
    line: int
    reference: str
    order_reference: str
    kind: Kind
    word: str
    business_date: date
    currency: str
    gross_pence: int
    fee_pence: int
    net_pence: int
    payout: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        """Everything but where it stands: the same row in two files that overlap is one."""
        return (
            self.provider,
            self.reference,
            self.order_reference,
            self.word,
            self.business_date,
            self.currency,
            self.gross_pence,
            self.fee_pence,
            self.net_pence,
            self.payout,
        )
