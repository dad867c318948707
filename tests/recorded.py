"""The recorded orders and baskets, as the product reads them: money as Decimal, never as float."""

import copy
import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent / "recordings"


@cache
def _read(path: str) -> Any:
    return json.loads((RECORDINGS / path).read_text(encoding="utf-8"), parse_float=Decimal)


def sample_orders() -> list[dict[str, Any]]:
    """Return the 84 recorded order documents."""
    return [copy.deepcopy(entry["order"]) for entry in _read("orders/sample-orders.json")["orders"]]


def sample_order(order_number: str) -> dict[str, Any]:
    """Return one recorded order by its increment id."""
    entries = _read("orders/sample-orders.json")["orders"]
    return dict(
        copy.deepcopy(next(entry["order"] for entry in entries if entry["order"]["increment_id"] == order_number))
    )


def tax_baskets() -> list[dict[str, Any]]:
    """Return the 308 recorded tax baskets."""
    return list(_read("tax-baskets.json")["baskets"])
