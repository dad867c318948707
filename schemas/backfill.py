"""What a backfill found, by outcome."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Orders of one currency that come to the same; money in pence. A rejected order counts no VAT."""

    name: str
    currency: str
    count: int
    gross_pence: int
    vat_pence: int
    order_numbers: tuple[str, ...]

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.name,
            self.currency,
            self.count + other.count,
            self.gross_pence + other.gross_pence,
            self.vat_pence + other.vat_pence,
            self.order_numbers + other.order_numbers,
        )
