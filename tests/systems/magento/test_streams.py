from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from schemas.documents import ShipmentLine, ShipmentRequest
from tasks.errors import OutcomeUnknownError, UnexpectedResponseError
from tests.systems.magento.conftest import Answer, recording, sample_orders

BEGINNING = (datetime(2026, 1, 1, tzinfo=UTC), 0)
END = datetime(2027, 1, 1, tzinfo=UTC)
ORDERS = "GET /V1/orders"


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def ids(pages) -> list[int]:
    return [record["entity_id"] for page in pages for record in page]


@pytest.fixture
def orders(magento) -> list[dict]:
    """The recorded orders, in the order in which a stream must give them."""
    loaded = sample_orders()
    magento.load_orders(loaded)
    return sorted(loaded, key=lambda each: (each["updated_at"], each["entity_id"]))


@pytest.mark.parametrize("page_size", [3, 7, 84, 300])
def test_a_stream_gives_every_order_once_in_order(magento, client_for, orders, page_size):
    client = client_for(magento.url, magento.secrets, page_size=page_size)
    pages = list(client.stream("orders", BEGINNING, END))
    assert ids(pages) == [each["entity_id"] for each in orders]
    assert all(1 <= len(page) <= page_size for page in pages)


def test_orders_of_one_second_are_told_apart_by_their_id(magento, client_for):
    crowd = [deepcopy(each) | {"updated_at": "2026-11-23 03:00:00"} for each in sample_orders()]
    magento.load_orders(crowd)
    client = client_for(magento.url, magento.secrets, page_size=5)
    read = ids(client.stream("orders", BEGINNING, END))
    assert read == sorted(each["entity_id"] for each in crowd)


def test_an_order_updated_exactly_at_the_end_of_a_window_comes_in_the_next_one_only(magento, client, orders):
    border = moment("2026-11-23 03:04:00")
    at_the_border = [each["entity_id"] for each in orders if moment(each["updated_at"]) == border]
    first = ids(client.stream("orders", BEGINNING, border))
    second = ids(client.stream("orders", (border, 0), END))
    assert len(at_the_border) > 1
    assert second[: len(at_the_border)] == at_the_border
    assert first + second == [each["entity_id"] for each in orders]
    asked = magento.calls()[0]["query"]
    start = "searchCriteria[filterGroups][0][filters][0]"
    assert (asked[f"{start}[field]"], asked[f"{start}[conditionType]"]) == ("updated_at", "lt")


def test_a_stream_goes_on_after_the_key_it_is_given(client, orders):
    known = orders[40]
    read = ids(client.stream("orders", (moment(known["updated_at"]), known["entity_id"]), END))
    assert read == [each["entity_id"] for each in orders[41:]]


def test_parts_of_a_second_lose_nothing_between_two_windows(client, orders):
    border = moment("2026-11-23 03:04:00") + timedelta(milliseconds=400)
    first = ids(client.stream("orders", BEGINNING, border))
    second = ids(client.stream("orders", (border, 0), END))
    assert first + second == [each["entity_id"] for each in orders]


def test_an_empty_window_is_not_asked_for(magento, client, orders):
    border = moment("2026-11-23 03:04:00")
    assert list(client.stream("orders", (border, 0), border)) == []
    assert magento.calls() == []


def test_an_order_that_changes_while_the_stream_is_read_hides_no_other(magento, client_for, orders):
    client = client_for(magento.url, magento.secrets, page_size=10)
    changing = next(each for each in orders if each["state"] == "new")
    read: list[int] = []
    for page in client.stream("orders", BEGINNING, END):
        if not read:
            magento.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
            client.hold(changing["entity_id"])
        read += [each["entity_id"] for each in page]
    assert set(read) == {each["entity_id"] for each in orders}
    assert read[-1] == changing["entity_id"]


def test_a_page_that_comes_twice_adds_nothing_twice(magento, client_for, orders):
    magento.faults.add(ORDERS, "duplicate_page", times=2)
    client = client_for(magento.url, magento.secrets, page_size=10)
    assert ids(client.stream("orders", BEGINNING, END)) == [each["entity_id"] for each in orders]


def test_a_page_that_comes_for_ever_stops_the_stream(script, client_for):
    page = {"items": [{"entity_id": 1, "updated_at": "2026-11-23 03:00:00"}], "total_count": 9}
    server = script(Answer(200, page))
    stream = client_for(server.url, page_size=1).stream("orders", BEGINNING, END)
    assert len(next(stream)) == 1
    with pytest.raises(UnexpectedResponseError, match="only seen ones come"):
        next(stream)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([{"entity_id": 2, "updated_at": "2026-11-23 03:00:00"}, {"entity_id": 1, "updated_at": "2026-11-23 03:00:00"}],
         "not sorted"),
        ([{"entity_id": 1}], "updated_at None"),
        ([{"updated_at": "2026-11-23 03:00:00"}], "entity_id None"),
        (["x"], "not a list of records"),
        ({"a": 1}, "not a list of records"),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_continued_from_stops_the_stream(script, client_for, items, problem):
    server = script(Answer(200, {"items": items, "total_count": 2}))
    with pytest.raises(UnexpectedResponseError, match=problem):
        list(client_for(server.url).stream("orders", BEGINNING, END))


def test_a_record_beyond_the_window_is_left_for_the_next_one(script, client_for):
    records = [{"entity_id": n, "updated_at": f"2026-11-23 03:00:0{n}"} for n in range(1, 4)]
    server = script(Answer(200, {"items": records, "total_count": 3}))
    pages = list(client_for(server.url).stream("orders", BEGINNING, moment("2026-11-23 03:00:03")))
    assert ids(pages) == [1, 2]


def test_no_items_may_be_null(script, client_for):
    empty = recording("products/list-sku-in-comma-sku.json")["response"]["body"]
    assert empty["items"] is None
    assert list(client_for(script(Answer(200, empty)).url).stream("products", BEGINNING, END)) == []


def test_a_page_larger_than_the_shop_permits_is_asked_for_smaller(script, client_for):
    limit = recording("limits/input-limit-page-101.json")["response"]
    empty = {"items": [], "total_count": 0}
    server = script(Answer(400, limit["body"]), Answer(200, empty))
    client = client_for(server.url, page_size=300)
    assert list(client.stream("orders", BEGINNING, END)) == []
    assert list(client.stream("orders", BEGINNING, END)) == []
    sizes = [asked.target.partition("pageSize%5D=")[2].partition("&")[0] for asked in server.asked]
    assert sizes == ["300", "100", "100"]


@pytest.mark.parametrize("kind", ["shipments", "invoices", "creditmemos"])
def test_documents_stream_as_orders_do(magento, client_for, orders, kind):
    documents = recording(f"fulfilment/sample-{kind}.json")[kind]
    magento.load_documents(kind[:-1], documents)
    client = client_for(magento.url, magento.secrets, page_size=4)
    read = ids(client.stream(kind, BEGINNING, END))
    assert sorted(read) == sorted(each["entity_id"] for each in documents)


def test_products_stream_by_the_id_that_filters_call_entity_id(magento, client_for, orders):
    client = client_for(magento.url, magento.secrets, page_size=9)
    skus = [each["sku"] for page in client.stream("products", BEGINNING, END) for each in page]
    assert len(skus) == len(set(skus))
    wanted = {line["sku"] for order in orders for line in order["items"] if line["product_type"] != "configurable"}
    assert wanted <= set(skus)


def test_a_time_without_a_zone_is_refused(client):
    with pytest.raises(ValueError, match="time zone"):
        next(client.stream("orders", (datetime(2026, 1, 1), 0), END))  # noqa: DTZ001


def test_a_partial_shipment_does_not_touch_the_orders_updated_at(magento, client, orders):
    magento.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    client.ship(ShipmentRequest("D1", "000000017", 17, (ShipmentLine(52, 1),), ()))
    since = (datetime(2026, 11, 30, tzinfo=UTC), 0)
    assert ids(client.stream("orders", since, END)) == []
    assert len(ids(client.stream("shipments", since, END))) == 1


def test_a_stream_survives_a_lost_answer(magento, client_for, orders):
    magento.faults.add(ORDERS, "lose_answer", times=3)
    client = client_for(magento.url, magento.secrets, page_size=50)
    assert len(ids(client.stream("orders", BEGINNING, END))) == len(orders)
    magento.faults.add("POST /V1/orders/*/hold", "lose_answer")
    with pytest.raises(OutcomeUnknownError):
        client.hold(18)
