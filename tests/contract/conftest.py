"""A stand-in served over HTTP, empty or holding the recorded orders."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.clock import Clock
from sandbox.magento import MagentoStandIn
from tests.contract import recorded

RECORDED_DAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def magento(tmp_path: Path) -> Iterator[MagentoStandIn]:
    """An empty shop at a time that stands still, with bearer tokens allowed."""
    with MagentoStandIn(tmp_path, clock=Clock(RECORDED_DAY)) as standin:
        standin.settings.bearer_allowed = True
        yield standin


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MagentoStandIn]:
    """A shop with the 84 recorded orders and their documents as they are; for tests that only read."""
    with MagentoStandIn(tmp_path_factory.mktemp("trading"), clock=Clock(RECORDED_DAY)) as standin:
        standin.settings.bearer_allowed = True
        standin.load_orders(recorded.sample_orders().values())
        for kind in ("shipment", "invoice", "creditmemo"):
            standin.load_documents(kind, recorded.samples(kind))
        yield standin


@pytest.fixture
def fresh(magento: MagentoStandIn) -> MagentoStandIn:
    """A shop with the recorded orders as they were placed: nothing invoiced, shipped, refunded or cancelled."""
    magento.load_orders(recorded.as_placed(order) for order in recorded.sample_orders().values())
    return magento
