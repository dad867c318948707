"""Magento shipment records as rows. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from tasks.normalise.fields import london_date, parts, text, utc, whole, whole_of

SHIPMENT_TYPES = {
    "shipment_number": "str",
    "line_number": "Int64",
    "entity_id_magento": "Int64",
    "shipped_at": "datetime64[us, UTC]",
    "sku": "str",
    "quantity": "Int64",
    "tracking_count": "Int64",
}


def shipments(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per item of a shipment; `entity_id_magento` is the order's.

    Source: GET /rest/V1/shipments, one record per element of "items". Children of a configurable repeat its units
    under a parent of their own in the order; a shipment lists the parent only.
    """
    rows = [
        {
            "shipment_number": text(record.get("increment_id")),
            "line_number": position,
            "entity_id_magento": whole(record.get("order_id")),
            "shipped_at": utc(record.get("created_at")),
            "sku": text(item.get("sku")),
            "quantity": whole_of(item, "qty"),
            "tracking_count": len(parts(record.get("tracks"))),
        }
        for record in records
        for position, item in enumerate(parts(record.get("items")), start=1)
    ]
    frame = pd.DataFrame(rows, columns=list(SHIPMENT_TYPES)).astype(SHIPMENT_TYPES)
    frame["business_date"] = london_date(frame["shipped_at"])
    return frame
