from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    NotFoundError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tests.systems.magento.conftest import Answer, recording, sample_orders


@pytest.fixture(autouse=True)
def _orders(magento) -> None:
    magento.load_orders(sample_orders(2, 4, 18, 33, 34, 38, 77))


def test_an_order_comes_with_exact_amounts(client):
    order = client.order(38)
    assert order["increment_id"] == "000000038"
    assert order["grand_total"] == Decimal("52.09")
    assert not any(isinstance(value, float) for value in order.values())


def test_an_unknown_order_is_not_found(client):
    with pytest.raises(NotFoundError) as raised:
        client.order(99999999)
    assert raised.value.status == 404


@pytest.mark.parametrize("number", [0, -1, "abc", "1/../2", ""])
def test_only_a_whole_number_can_be_an_id(magento, client, number):
    with pytest.raises(ValueError, match="no id"):
        client.order(number)
    assert magento.calls() == []


def test_orders_are_found_by_number_and_unknown_numbers_are_left_out(client_for, magento):
    client = client_for(magento.url, magento.secrets, page_size=2)
    wanted = ["4000000001", "000000002", "000000999", "000000038", "000000002", "2000000002"]
    assert [each["entity_id"] for each in client.orders_by_number(wanted)] == [2, 33, 38, 77]
    assert client.orders_by_number([]) == []


def test_what_belongs_to_an_order_is_read_whole(client_for, magento):
    for kind in ("shipments", "invoices", "creditmemos"):
        magento.load_documents(kind[:-1], recording(f"fulfilment/sample-{kind}.json")[kind])
    client = client_for(magento.url, magento.secrets, page_size=1)
    assert [each["order_id"] for each in client.shipments_of(4)] == [4, 4]
    assert [each["order_id"] for each in client.creditmemos_of(34)] == [34] * 4
    assert client.invoices_of(34)
    assert client.shipments_of(6) == []


def test_a_comment_is_kept_and_the_order_is_not_seen_as_updated(magento, client):
    before = client.order(18)["updated_at"]
    magento.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    client.comment(18, "Exported to PRIMA as 00000018", status="pending")
    assert client.order(18)["updated_at"] == before
    assert [each["comment"] for each in client.comments_of(18)][-1] == "Exported to PRIMA as 00000018"


def test_a_comment_cannot_change_the_status(client):
    with pytest.raises(CallRefusedError) as raised:
        client.comment(18, "picking", status="processing")
    assert raised.value.code == "STATUS_NOT_CURRENT"
    assert '"processing"' in raised.value.message


def test_primas_number_is_written_and_found_again(client):
    client.save_order(18, ext_order_id="00000018", status="erp_received")
    (found,) = client.orders_by_ext_order_id("00000018")
    assert (found["entity_id"], found["status"]) == (18, "erp_received")
    assert found["grand_total"] > 0
    with pytest.raises(ValueError, match="needs"):
        client.save_order(18)


def test_an_order_is_cancelled_once(magento, client):
    assert client.cancel(18) is True
    assert client.order(18)["state"] == "canceled"
    with pytest.raises(CallRefusedError, match="answered false") as raised:
        client.cancel(18)
    assert raised.value.code == "NOT_CANCELLABLE"


def test_an_order_is_held_and_released(client):
    client.hold(18)
    assert client.order(18)["state"] == "holded"
    with pytest.raises(CallRefusedError) as raised:
        client.hold(18)
    assert raised.value.code == "NOT_HOLDABLE"
    client.unhold(18)
    with pytest.raises(CallRefusedError) as raised:
        client.unhold(18)
    assert raised.value.code == "NOT_HELD"


def test_maintenance_means_that_nothing_happened(magento, client):
    magento.maintenance = True
    with pytest.raises(SystemUnavailableError):
        client.hold(18)
    with pytest.raises(SystemUnavailableError):
        client.order(18)
    magento.maintenance = False
    assert client.order(18)["state"] == "new"


@pytest.mark.parametrize(
    "name",
    ["MAGENTO_CONSUMER_KEY", "MAGENTO_CONSUMER_SECRET", "MAGENTO_ACCESS_TOKEN", "MAGENTO_ACCESS_TOKEN_SECRET"],
)
def test_a_wrong_key_is_a_matter_of_configuration(magento, client_for, name):
    client = client_for(magento.url, magento.secrets | {name: "wrong"})
    with pytest.raises(ConfigurationError, match="MAGENTO_"):
        client.order(18)
    assert [each["status"] for each in magento.calls()] == [401]


@pytest.mark.parametrize(
    "records", [[{"entity_id": 5, "order_id": 7}], [{"entity_id": 6, "order_id": 4}, {"entity_id": 5, "order_id": 4}]]
)
def test_documents_of_another_order_or_out_of_order_are_not_taken_for_this_ones(script, client_for, records):
    server = script(Answer(200, {"items": records, "total_count": len(records)}))
    with pytest.raises(UnexpectedResponseError, match="not asked for"):
        client_for(server.url).shipments_of(4)
