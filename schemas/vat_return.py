"""The limits of errors on past VAT returns (VAT Notice 700/45). Pence. No input or output."""

from collections.abc import Iterable

from schemas.periods import Change, Figures

BOX_1_DESTINATIONS = ("GB", "NI", "IM")
LEAST_LIMIT_PENCE = 10_000_00
MOST_LIMIT_PENCE = 50_000_00


def net_error_limit_pence(box_6_pence: int) -> int:
    """Return up to which net error the next return may put right: 10,000 pounds, or 1 % of Box 6 up to 50,000.

    Box 6 is that of the return in whose period the errors are found. Careless errors are notified whatever their size.
    """
    return max(LEAST_LIMIT_PENCE, min(box_6_pence // 100, MOST_LIMIT_PENCE))


def past_error_pence(changes: Iterable[Change], currency: str = "GBP") -> int:
    """Return the net VAT by which returns of locked periods were wrong: positive when too little was declared.

    Returns are filed from PRIMA's figures, so only its invoices and refunds count, in destinations of Box 1.
    """
    return sum(
        (-1 if change.level == "refunds" else 1) * (_box_1(change.now) - _box_1(change.before))
        for change in changes
        if change.side == "prima" and change.level != "orders" and change.currency == currency
    )


def _box_1(figures: Figures | None) -> int:
    return figures.vat_pence if figures is not None and figures.destination in BOX_1_DESTINATIONS else 0
