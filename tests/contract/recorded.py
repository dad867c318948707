"""The recordings that the stand-in is held against, and requests replayed from them over HTTP."""

import copy
import json
from pathlib import Path
from typing import Any

import httpx

from sandbox.magento import MagentoStandIn

FOLDER = Path(__file__).parent.parent / "recordings"


def load(name: str) -> Any:
    """Return a recording by its path without `.json`."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def answered(name: str) -> Any:
    """Return the recorded answer's body."""
    return load(name)["response"]["body"]


def sample_orders() -> dict[int, dict[str, Any]]:
    """Return the 84 recorded orders by entity id."""
    return {row["order"]["entity_id"]: row["order"] for row in load("orders/sample-orders")["orders"]}


def samples(kind: str) -> list[dict[str, Any]]:
    """Return the recorded shipments, invoices or credit memos of the sample orders."""
    return list(load(f"fulfilment/sample-{kind}s")[f"{kind}s"])


def send(magento: MagentoStandIn, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    """Send a request with the integration's bearer token, which these tests switch on."""
    sent = {"Accept": "application/json", "Authorization": f"Bearer {magento.secrets['MAGENTO_ACCESS_TOKEN']}"}
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    if content is not None:
        sent["Content-Type"] = "application/json"
    return httpx.request(method, magento.url + path, headers=sent | headers, content=content, timeout=30)


def replay(magento: MagentoStandIn, name: str) -> httpx.Response:
    """Send the request of a recording."""
    request = load(name)["request"]
    headers = {k: v for k, v in (request.get("headers") or {}).items() if k in ("Accept", "Content-Type")}
    body = request["raw_body"].encode() if "raw_body" in request else request.get("body")
    return send(magento, request["method"], request["path"], body, **headers)


def as_placed(order: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded order as it was before anything was invoiced, shipped, refunded, held or cancelled."""
    placed = {name: value for name, value in copy.deepcopy(order).items() if not _later(name)}
    placed |= {"state": "new", "status": "pending", "updated_at": order["created_at"], "status_histories": []}
    placed |= {f"{base}total_due": placed[f"{base}grand_total"] for base in ("", "base_")}
    placed["payment"] = {name: value for name, value in placed["payment"].items() if not _paid(name)}
    placed["items"] = [_line_as_placed(line, order["created_at"]) for line in placed["items"]]
    for assignment in placed["extension_attributes"]["shipping_assignments"]:
        total = assignment["shipping"]["total"]
        assignment["shipping"]["total"] = {name: value for name, value in total.items() if not _later(name)}
        lines = {line["item_id"]: line for line in placed["items"]}
        assignment["items"] = [lines[line["item_id"]] for line in assignment["items"]]
    return placed


def order_like(order: dict[str, Any], entity_id: int, quantities: dict[int, int]) -> dict[str, Any]:
    """Return a recorded order, as placed, under another id and with its first lines renumbered and requantified.

    For recordings whose order is not among the samples; money stays as it was and means nothing.
    """
    placed = as_placed(order) | {"entity_id": entity_id, "increment_id": f"{entity_id:09d}"}
    lines = [line for line in placed["items"] if "parent_item_id" not in line][: len(quantities)]
    for line, (item_id, quantity) in zip(lines, quantities.items(), strict=True):
        line |= {"item_id": item_id, "order_id": entity_id, "qty_ordered": quantity}
    placed["items"] = lines
    placed["total_qty_ordered"] = sum(quantities.values())
    for assignment in placed["extension_attributes"]["shipping_assignments"]:
        assignment["items"] = lines
    return placed


def _line_as_placed(line: dict[str, Any], placed_at: str) -> dict[str, Any]:
    kept_counters = {"tax_invoiced", "row_invoiced", "discount_invoiced", "base_tax_invoiced", "base_row_invoiced"}
    kept_counters |= {"base_discount_invoiced", "amount_refunded", "base_amount_refunded"}
    kept = {n: v for n, v in line.items() if n in kept_counters or n.startswith("qty_") or not _later(n)}
    kept.pop("weee_tax_applied", None)
    for name in [*kept_counters, "qty_invoiced", "qty_shipped", "qty_refunded", "qty_canceled"]:
        kept[name] = 0
    kept["updated_at"] = placed_at
    if "parent_item" in kept:
        kept["parent_item"] = _line_as_placed(kept["parent_item"], placed_at)
    return kept


def _later(name: str) -> bool:
    endings = ("_invoiced", "_refunded", "_canceled", "_paid", "_invoiced_cost", "adjustment_negative")
    return name.endswith((*endings, "adjustment_positive")) or name.startswith("hold_before")


def _paid(name: str) -> bool:
    return name.endswith(("amount_paid", "amount_refunded", "shipping_captured", "shipping_refunded"))
