"""A PRIMA with four items."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.prima import Item, PrimaStandIn

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

ITEMS = (
    Item("HARBRN-F-075", "HARBRN", "F", "075", available=10, price=Decimal("19.99"), description="Harbour boot"),
    Item("HARBRN-F-080", "HARBRN", "F", "080", available=0, price=Decimal("19.99"), available_date=date(2030, 9, 14)),
    Item("WAXTIN", "WAXTIN", "NONE", "ONE", available=12, price=Decimal("5.25"), vat_code="R"),
    Item("BOOK", "BOOK", available=4, price=Decimal("7.00"), vat_code="Z"),
)

MakePrima = Callable[..., PrimaStandIn]


@pytest.fixture
def make_prima(tmp_path: Path) -> Iterator[MakePrima]:
    """A function that starts a PRIMA with the four items, at noon, with the settings given."""
    with ExitStack() as running:

        def make(folder: str = "prima", **settings: Any) -> PrimaStandIn:
            prima = PrimaStandIn(tmp_path / folder, clock=Clock(NOON), **settings)
            prima.add_items(ITEMS)
            return running.enter_context(prima)

        yield make


@pytest.fixture
def prima(make_prima: MakePrima) -> PrimaStandIn:
    return make_prima()
