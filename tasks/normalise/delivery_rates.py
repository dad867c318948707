"""The VAT rate of an order's delivery, which stands only in the order's table of applied taxes. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.normalise.fields import rate, text


def delivery_rates(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the VAT rate of delivery in per cent by order number; `0` where delivery carries no VAT.

    Source: GET /rest/V1/orders, `extension_attributes.item_applied_taxes[]` of type shipping. Several taxes on one
    delivery are added up, as Magento adds them.
    """
    return {text(record.get("increment_id")): _rate(record) for record in records}


def _rate(record: Mapping[str, Any]) -> str:
    applied = (record.get("extension_attributes") or {}).get("item_applied_taxes") or []
    percents = [
        tax.get("percent")
        for entry in applied
        if entry.get("type") == "shipping"
        for tax in entry.get("applied_taxes") or []
    ]
    return rate(sum((percent for percent in percents if percent is not None), start=0))
