"""The asynchronous bulk interface, before and after its consumer ran, as recorded."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.magento import MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded, assert_same
from tests.contract.recorded import replay, send


@pytest.fixture
def queue(fresh: MagentoStandIn) -> MagentoStandIn:
    """A shop whose consumer is stepped by the test."""
    fresh.settings.consumer = "stepped"
    for sku in ("MS-5051", "MS-5055", "MS-5056", "AB/12-CD"):
        fresh.add_product(sku, price=Decimal("9.99"))
    return fresh


def status(magento: MagentoStandIn, accepted: httpx.Response, kind: str = "status") -> Any:
    """Return a status of the bulk that was accepted."""
    return send(magento, "GET", f"/rest/V1/bulk/{accepted.json()['bulk_uuid']}/{kind}").json()


@pytest.mark.parametrize(
    ("name", "story"),
    [
        ("bulk-source-items-post", "source-items"),
        ("bulk-products-bysku-put", "products"),
        ("single-async", "single"),
        ("bulk-ship", "ship"),
    ],
)
def test_a_bulk_waits_for_its_consumer_and_then_tells_what_became_of_it(
    queue: MagentoStandIn, name: str, story: str
) -> None:
    accepted = replay(queue, f"async/{name}")
    assert_as_recorded(accepted, f"async/{name}", allowed.BULK)
    differ = allowed.BULK | allowed.TIMES
    if story in ("source-items", "products"):
        assert_same(recorded.answered(f"async/status-before-{story}"), status(queue, accepted), differ)
        detailed = status(queue, accepted, "detailed-status")
        assert_same(recorded.answered(f"async/detailed-status-before-{story}"), detailed, differ)
        assert status(queue, accepted, "operation-status/4") == recorded.answered("async/operation-count-before")
    assert queue.run_consumer() == len(accepted.json()["request_items"])
    assert_same(recorded.answered(f"async/status-after-{story}"), status(queue, accepted), differ)
    detailed = status(queue, accepted, "detailed-status")
    expected = recorded.answered(f"async/detailed-status-after-{story}")
    assert_same(expected, detailed, differ | allowed.RESULT)


def test_an_automatic_consumer_has_done_the_work_when_the_answer_comes(fresh: MagentoStandIn) -> None:
    accepted = replay(fresh, "async/single-async")
    assert [row["status"] for row in status(fresh, accepted)["operations_list"]] == [1]
    assert fresh.source_quantity("MS-5058") == 77


def test_a_consumer_can_be_stepped(queue: MagentoStandIn) -> None:
    accepted = replay(queue, "async/bulk-source-items-post")
    assert queue.run_consumer(limit=1) == 1
    assert status(queue, accepted, "operation-status/4") == 3
    assert queue.source_quantity("MS-5051") == 200


def test_the_list_of_bulks_is_searched_by_uuid(queue: MagentoStandIn) -> None:
    accepted = replay(queue, "async/bulk-source-items-post")
    queue.run_consumer()
    uuid = accepted.json()["bulk_uuid"]
    filters = "searchCriteria[filterGroups][0][filters][0]"
    query = f"{filters}[field]=bulk_uuid&{filters}[value]={uuid}&searchCriteria[pageSize]=10"
    body = send(queue, "GET", f"/rest/V1/bulk/?{query}").json()
    assert_same(recorded.answered("async/bulk-list"), body, allowed.BULK | allowed.TIMES | allowed.ECHOED)


@pytest.mark.parametrize(
    "name",
    [
        "bulk-empty",
        "bulk-get-route",
        "bulk-not-a-list",
        "bulk-products-bysku-post",
        "bulk-validation-fail",
        "status-bad-uuid",
        "status-unknown-uuid",
    ],
)
def test_what_cannot_be_queued_is_refused_as_recorded(queue: MagentoStandIn, name: str) -> None:
    assert_as_recorded(replay(queue, f"async/{name}"), f"async/{name}", allowed.BULK)
    assert queue.run_consumer() == 0
