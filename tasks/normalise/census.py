"""Orders of Magento's list, as short as the census needs them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd

from schemas.census import ListedOrder
from tasks.errors import UnexpectedResponseError
from tasks.normalise.fields import pence_of, text, utc, whole

AMOUNTS = {
    "order": ("grand_total", "order_currency_code"),
    "base": ("base_grand_total", "base_currency_code"),
}


def listed_orders(records: Iterable[Mapping[str, Any]], amounts: Literal["order", "base"]) -> list[ListedOrder]:
    """Return one short row per record of GET /rest/V1/orders; times in UTC, the total in pence (0 where it is none).

    Raises UnexpectedResponseError when a record has no number or no time: it could not be counted.
    """
    total, currency = AMOUNTS[amounts]
    listed = []
    for record in records:
        placed_at, updated_at = utc(record.get("created_at")), utc(record.get("updated_at"))
        number, gross = text(record.get("increment_id")), pence_of(record, total)
        if not number or pd.isna(placed_at) or pd.isna(updated_at):
            raise UnexpectedResponseError(
                "an order has no increment_id, created_at or updated_at.",
                system="Magento",
                operation="census",
                reference=f"order entity {record.get('entity_id')}",
            )
        listed.append(
            ListedOrder(
                entity_id=int(record["entity_id"]),
                order_number=number,
                store_id=int(whole(record.get("store_id", 0))),
                state_magento=text(record.get("state")),
                status_magento=text(record.get("status")),
                placed_at=placed_at,
                updated_at=updated_at,
                currency=text(record.get(currency)),
                gross_pence=0 if pd.isna(gross) else int(gross),
            )
        )
    return listed
