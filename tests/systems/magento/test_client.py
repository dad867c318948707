from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sandbox.magento.search import Limits
from schemas.documents import ShipmentLine, ShipmentRequest
from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.systems.magento import BulkStatus, InputLimitError
from tests.systems.magento.conftest import sample_orders

A_SHIPMENT = ShipmentRequest("D100", "000000017", 17, (ShipmentLine(53, 2),), ())


def test_a_missing_permission_is_named_with_what_to_do_and_nothing_happens(magento, client):
    magento.load_orders(sample_orders(17))
    magento.settings.allowed = {"Magento_Sales::actions_view"}
    assert client.order(17)["entity_id"] == 17
    with pytest.raises(ConfigurationError) as raised:
        client.ship(A_SHIPMENT)
    assert "Give the integration the resource Magento_Sales::ship" in raised.value.next_step
    assert raised.value.operation == "POST /V1/order/17/ship"
    assert magento.shipments() == []


def test_bearer_tokens_work_once_the_shop_permits_them(magento, client_for):
    client = client_for(magento.url, {"MAGENTO_ACCESS_TOKEN": magento.secrets["MAGENTO_ACCESS_TOKEN"]}, auth="bearer")
    with pytest.raises(ConfigurationError, match="enable_integration_as_bearer"):
        client.websites()
    magento.settings.bearer_allowed = True
    assert client.websites()


def test_input_limits_of_the_shop_shrink_pages_and_are_told_for_writes(magento, client_for):
    magento.load_orders(sample_orders())
    magento.settings.limits = Limits(array=20, page_size=10, default_page_size=5)
    client = client_for(magento.url, magento.secrets, page_size=50)
    pages = client.stream("orders", (datetime(2026, 1, 1, tzinfo=UTC), 0), datetime(2027, 1, 1, tzinfo=UTC))
    assert sum(len(page) for page in pages) == 84
    assert sum(len(page) for page in client.source_items(source_code="default")) > 20
    levels = [(f"SKU-{number}", "default", 1) for number in range(21)]
    with pytest.raises(InputLimitError) as raised:
        client.write_source_items(levels)
    client.write_source_items(levels[: raised.value.limit])
    assert len(client.tax_rates()) > 10


def test_a_bulk_is_followed_operation_by_operation(magento, client):
    magento.settings.consumer = "stepped"
    magento.add_product("AB/12-CD", price=Decimal(10), quantity=1)
    good = {"sourceItems": [{"sku": "AB/12-CD", "source_code": "default", "quantity": 9, "status": 1}]}
    bad = {"sourceItems": [{"sku": "AB/12-CD", "source_code": "nowhere", "quantity": 9, "status": 1}]}
    uuid = client.bulk("/V1/inventory/source-items", [bad, good])
    assert {each.status for each in client.bulk_operations(uuid)} == {BulkStatus.OPEN}
    magento.run_consumer()
    refused, done = client.bulk_operations(uuid)
    assert (refused.id, refused.status, refused.message) == (0, BulkStatus.FAILED, "Could not save Source Item")
    assert (done.id, done.status) == (1, BulkStatus.DONE)
    assert magento.source_quantity("AB/12-CD") == 9


def test_several_threads_may_share_a_client(magento, client_for):
    magento.load_orders(sample_orders(17, 18, 33, 48))
    client = client_for(magento.url, magento.secrets, max_connections=4)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda entity_id: client.order(entity_id)["entity_id"], [17, 18, 33, 48] * 5))
    assert found == [17, 18, 33, 48] * 5


def test_a_shop_that_comes_back_is_called_again_without_a_new_client(magento, client):
    magento.load_orders(sample_orders(17))
    assert client.websites()
    magento.stop()
    with pytest.raises(SystemUnavailableError):
        client.ship(A_SHIPMENT)
    magento.start()
    assert client.ship(A_SHIPMENT)
    assert len(magento.shipments()) == 1
