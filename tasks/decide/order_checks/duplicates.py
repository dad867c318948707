"""Orders that look like the same order placed twice: one customer, the same lines, within minutes. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from schemas.batches import rows_of
from schemas.order_checks import Basket, Finding
from schemas.orders import OrderFrames
from tasks.decide.order_checks.importing import NO_LONGER_WANTED

ENDED = frozenset(NO_LONGER_WANTED) - {"holded"}


def baskets(frames: OrderFrames, orders: pd.DataFrame | None = None) -> list[Basket]:
    """Return who ordered what and when, for the orders of a batch or for these of them."""
    lines_of: dict[Any, Any] = dict(iter(frames.lines.groupby("order_number", sort=False)))
    return [
        Basket(
            order_number=row["order_number"],
            placed_at=row["placed_at"].to_pydatetime(),
            lines=signature((line["sku"], int(line["quantity"])) for line in rows_of(lines_of[row["order_number"]])),
            customer_id=frames.details[row["order_number"]].customer_id_magento or 0,
            email=frames.details[row["order_number"]].invoice_address.email.strip().casefold(),
            is_wanted=row["state_magento"] not in ENDED,
        )
        for row in rows_of(frames.orders if orders is None else orders)
    ]


def signature(lines: Any) -> tuple[tuple[str, int], ...]:
    """Return SKUs and units in an order that does not depend on the cart's; a SKU on two lines counts as one."""
    units: dict[str, int] = {}
    for sku, quantity in lines:
        units[sku] = units.get(sku, 0) + quantity
    return tuple(sorted(units.items()))


def repeats(found: Sequence[Basket], within: timedelta) -> Mapping[str, Finding]:
    """Return a finding for each order that repeats an earlier one, by order number.

    The earlier order is one that is still wanted, from the same customer account or e-mail address, with the same
    units of the same SKUs, placed no longer than `within` before. The first of a series is no finding.
    """
    if not within:
        return {}
    alike: dict[tuple[tuple[str, int], ...], list[Basket]] = {}
    for basket in sorted({each.order_number: each for each in found}.values(), key=_placed):
        alike.setdefault(basket.lines, []).append(basket)
    findings: dict[str, Finding] = {}
    for same in alike.values():
        for place, later in enumerate(same):
            earlier = [
                basket
                for basket in same[:place]
                if basket.is_wanted
                and later.placed_at - basket.placed_at <= within
                and later.is_from_whoever_placed(basket)
            ]
            if earlier:
                findings[later.order_number] = _finding(earlier[-1], later)
    return findings


def _placed(basket: Basket) -> tuple[Any, ...]:
    return basket.placed_at, basket.order_number


def _finding(earlier: Basket, later: Basket) -> Finding:
    seconds = int((later.placed_at - earlier.placed_at).total_seconds())
    minutes = f"{seconds // 60} min {seconds % 60} s"
    return Finding(
        "SUSPECTED_DUPLICATE", f"same customer and same lines as order {earlier.order_number}, {minutes} earlier"
    )
