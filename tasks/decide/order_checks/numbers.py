"""The number under which PRIMA gets an order: it fits, and no other order has it, in whichever store. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from schemas.batches import rows_of
from schemas.order_checks import Finding
from schemas.rules import OrderRules

Row = Mapping[str, Any]


class Numbers:
    """PRIMA's numbers that are given away: by the ledger, and by what is planned already."""

    def __init__(self, taken: Mapping[str, str], rules: OrderRules) -> None:
        self._taken = dict(taken)
        self._rule = rules.number

    def findings(self, row: Row) -> Iterator[Finding]:
        """Yield why an order cannot have its number."""
        number = self._rule.number(row["entity_id_magento"], row["order_number"])
        if number is None:
            yield Finding(
                "ORDER_NUMBER_UNFIT",
                f"{self._rule.source} does not fit into {self._rule.length} digits after {self._rule.prefix!r}",
            )
        elif self._taken.get(number, row["order_number"]) != row["order_number"]:
            yield Finding("ORDER_NUMBER_UNFIT", f"{number} is already the number of order {self._taken[number]}")

    def take(self, number: str, order_number: str) -> None:
        """Note that an order gets a number."""
        self._taken[number] = order_number


def prima_numbers(orders: pd.DataFrame, rules: OrderRules) -> list[str]:
    """Return the numbers that these orders would get, without those that fit none."""
    numbers = [rules.number.number(row["entity_id_magento"], row["order_number"]) for row in rows_of(orders)]
    return [number for number in numbers if number is not None]
