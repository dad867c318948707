"""Orders that look like one order placed twice: one customer, the same lines, within minutes. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pandas as pd

from schemas.batches import rows_by, rows_of
from schemas.order_checks import Basket, Finding, Signature, signature
from schemas.orders import OrderFrames


def baskets(frames: OrderFrames, orders: pd.DataFrame | None = None) -> list[Basket]:
    """Return who ordered what and when, for all orders of a batch or for these rows of it."""
    lines_of = rows_by(frames.lines, "order_number")
    chosen = rows_of(frames.orders if orders is None else orders)
    return [_basket(row, lines_of.get(row["order_number"], []), frames) for row in chosen]


class Baskets:
    """What PRIMA has or is going to have, by its lines: no order is decided on without a look here."""

    def __init__(self, known: Iterable[Basket], within: timedelta) -> None:
        self._within = within
        self._known: dict[Signature, list[Basket]] = {}
        for basket in known:
            self.take(basket)

    def take(self, basket: Basket) -> None:
        """Note an order that goes to PRIMA, or is there."""
        self._known.setdefault(basket.lines, []).append(basket)

    def findings(self, basket: Basket) -> Iterator[Finding]:
        """Yield the nearest order in time that PRIMA has or gets, where this one looks like it."""
        alike = [known for known in self._known.get(basket.lines, []) if known.is_like(basket, self._within)]
        if not alike or not self._within:
            return
        nearest = min(alike, key=lambda known: abs(known.placed_at - basket.placed_at))
        seconds = int((basket.placed_at - nearest.placed_at).total_seconds())
        apart = f"{abs(seconds) // 60} min {abs(seconds) % 60} s {'earlier' if seconds >= 0 else 'later'}"
        yield Finding("SUSPECTED_DUPLICATE", f"same customer and same lines as order {nearest.order_number}, {apart}")


def _basket(row: Mapping[str, Any], lines: list[dict[str, Any]], frames: OrderFrames) -> Basket:
    details = frames.details[row["order_number"]]
    return Basket(
        order_number=row["order_number"],
        placed_at=row["placed_at"].to_pydatetime(),
        lines=signature((line["sku"], int(line["quantity"])) for line in lines),
        customer_id=details.customer_id_magento or 0,
        email=details.invoice_address.email.strip().casefold(),
    )
