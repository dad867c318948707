"""Base prices, many in one request; good rows are saved while bad ones come back as problems."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tasks.systems.magento.answers import fill
from tasks.systems.magento.errors import wrong_shape
from tasks.systems.magento.streams import Calls, Record, unexpected

BASE_PRICES = "/V1/products/base-prices"
ALL_STORES = 0


@dataclass(frozen=True, slots=True)
class BasePrice:
    """A price to write. `store_id` 0 is all stores; with price scope "website" another id means its whole website."""

    sku: str
    price: Decimal
    store_id: int = ALL_STORES


@dataclass(frozen=True, slots=True)
class PriceProblem:
    """A row that Magento did not save. It names no row: `sku` is empty where only the wrong price was told."""

    message: str
    sku: str = ""


class PriceCalls(Calls):
    """Calls about prices."""

    def write_base_prices(self, rows: Sequence[BasePrice]) -> list[PriceProblem]:
        """Write base prices in one request and return the rows that were not saved; all others are.

        Does nothing for an empty list. A written price does not change the product's `updated_at`, and the shop shows
        it after the price index has run. Raises ValueError for a negative price and TypeError for a float.
        """
        if not rows:
            return []
        for each in rows:
            if not isinstance(each.price, Decimal):
                raise TypeError(f"{each.sku}: a price is a Decimal, not {type(each.price).__name__}")
            if not each.price.is_finite() or each.price < 0:
                raise ValueError(f"{each.sku}: {each.price} is no price")
        prices = [{"price": each.price, "store_id": each.store_id, "sku": each.sku} for each in rows]
        reference = rows[0].sku if len(rows) == 1 else f"{len(rows)} prices"
        answer = self._transport.write(BASE_PRICES, {"prices": prices}, reference=reference)
        if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
            raise wrong_shape("POST", BASE_PRICES, reference, answer)
        return [_problem(each) for each in answer]

    def base_prices(self, skus: Sequence[str]) -> list[Record]:
        """Return `{sku, store_id, price}` per SKU and scope in which a price is set; unknown SKUs are left out."""
        if not skus:
            return []
        route = "/V1/products/base-prices-information"
        reference = f"{len(skus)} SKUs"
        answer = self._transport.read(route, method="POST", body={"skus": list(skus)}, reference=reference)
        if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
            raise unexpected(route, reference, "the answer is not a list of prices")
        return answer


def _problem(told: dict[str, Any]) -> PriceProblem:
    message = fill(str(told.get("message", "")), told.get("parameters") or [])
    named = re.search(r"SKU = (.+?)(?:, Store ID:.*)?\.?$", message)
    return PriceProblem(message, named[1] if named else "")
