"""What Magento still lets us do with a line of an order, worked out from the quantities that REST gives."""

from collections.abc import Mapping
from typing import Any

Item = Mapping[str, Any]


def left_to_ship(item: Item) -> int:
    """Return `qty_to_ship`: ordered less cancelled, less what is shipped or refunded, whichever is more.

    A unit that was shipped and came back is refunded too, and is taken off once. An item that is not there has none.
    """
    gone = max(_units(item, "qty_shipped"), _units(item, "qty_refunded"))
    return max(0, _units(item, "qty_ordered") - gone - _units(item, "qty_canceled"))


def left_to_invoice(item: Item) -> int:
    """Return the units that can still be invoiced: ordered less invoiced and cancelled."""
    return max(0, _units(item, "qty_ordered") - _units(item, "qty_invoiced") - _units(item, "qty_canceled"))


def items_by_id(order: Item) -> dict[int, Item]:
    """Return the items of an order record by their ids."""
    return {int(item["item_id"]): item for item in order.get("items") or []}


def _units(item: Item, name: str) -> int:
    return int(item.get(name) or 0)
