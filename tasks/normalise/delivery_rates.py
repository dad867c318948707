"""The VAT rate of an order's delivery, which stands only in the order's table of applied taxes. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.normalise.fields import part, parts, rate, text


def delivery_rates(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the VAT rate of delivery in per cent by order number; `0` where delivery carries no VAT."""
    return {text(record.get("increment_id")): delivery_rate(record) for record in records}


def delivery_rate(record: Mapping[str, Any]) -> str:
    """Return the VAT rate of an order's delivery in per cent; `0` where it carries no VAT, empty where it is no rate.

    Source: GET /rest/V1/orders, `extension_attributes.item_applied_taxes[]` of type shipping. Several taxes on one
    delivery are added up, as Magento adds them.
    """
    applied = parts(part(record.get("extension_attributes")).get("item_applied_taxes"))
    percents = [
        tax.get("percent")
        for entry in applied
        if entry.get("type") == "shipping"
        for tax in parts(entry.get("applied_taxes"))
    ]
    try:
        return rate(sum((percent for percent in percents if percent is not None), start=0))
    except TypeError:
        return ""
