"""Orders that Magento cannot hand out: each is found by key and named, and nothing else is lost."""

from datetime import UTC, datetime

import pytest

from tasks.errors import SystemUnavailableError, UnexpectedResponseError
from tasks.systems.magento import FailedInsideError
from tests.systems.magento.conftest import Answer, recording, sample_orders
from tests.systems.magento.test_streams import BEGINNING, END, moment

LIST = "GET /V1/orders"
ANYWHERE = "GET /V1/orders*"
SINCE = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def orders(magento) -> list[dict]:
    """The recorded orders, in the order in which a stream must give them."""
    loaded = sample_orders()
    magento.load_orders(loaded)
    return sorted(loaded, key=lambda each: (each["updated_at"], each["entity_id"]))


def told(readings) -> tuple[list[int], list[int]]:
    """The entity ids that were read and those that were unreadable, in the order in which they were told."""
    listed = list(readings)
    read = [record["entity_id"] for reading in listed for record in reading.records]
    return read, [each.entity_id for reading in listed for each in reading.unreadable]


@pytest.mark.parametrize("place", [0, 41, 83])
@pytest.mark.parametrize("page_size", [1, 10, 300])
def test_one_unreadable_order_is_named_and_all_others_are_read(magento, client_for, orders, place, page_size):
    bad = orders[place]["entity_id"]
    magento.faults.add(ANYWHERE, "unreadable_order", times=None, entity_id=bad)
    client = client_for(magento.url, magento.secrets, page_size=page_size)
    read, unreadable = told(client.changed("orders", (SINCE, 0), END))
    assert unreadable == [bad]
    assert read == [each["entity_id"] for each in orders if each["entity_id"] != bad]


def test_neighbours_that_are_both_unreadable_are_both_named(magento, client_for, orders):
    bad = [each["entity_id"] for each in orders[30:32]]
    for number in bad:
        magento.faults.add(ANYWHERE, "unreadable_order", times=None, entity_id=number)
    client = client_for(magento.url, magento.secrets, page_size=20)
    read, unreadable = told(client.changed("orders", (SINCE, 0), END))
    assert unreadable == bad
    assert sorted([*read, *bad]) == sorted(each["entity_id"] for each in orders)


def test_of_many_orders_of_one_second_only_the_unreadable_one_is_passed_over(magento, client_for):
    crowd = [each | {"updated_at": "2026-11-23 03:00:00"} for each in sample_orders()]
    magento.load_orders(crowd)
    numbers = sorted(each["entity_id"] for each in crowd)
    bad = numbers[1]
    assert numbers[2] == bad + 1
    magento.faults.add(ANYWHERE, "unreadable_order", times=None, entity_id=bad)
    client = client_for(magento.url, magento.secrets, page_size=9)
    read, unreadable = told(client.changed("orders", (SINCE, 0), END))
    assert unreadable == [bad]
    assert read == [number for number in numbers if number != bad]


def test_an_order_that_fails_only_in_lists_is_read_by_its_id(magento, client_for, orders):
    magento.faults.add(LIST, "unreadable_order", times=None, entity_id=orders[12]["entity_id"])
    client = client_for(magento.url, magento.secrets, page_size=20)
    assert told(client.changed("orders", (SINCE, 0), END)) == ([each["entity_id"] for each in orders], [])


def test_each_position_has_everything_before_it_told(magento, client_for, orders):
    bad = orders[25]
    magento.faults.add(ANYWHERE, "unreadable_order", times=None, entity_id=bad["entity_id"])
    client = client_for(magento.url, magento.secrets, page_size=10)
    seen: set[int] = set()
    for reading in client.changed("orders", (SINCE, 0), END):
        seen |= {record["entity_id"] for record in reading.records} | {each.entity_id for each in reading.unreadable}
        passed = [each for each in orders if (moment(each["updated_at"]), each["entity_id"]) <= reading.position]
        assert {each["entity_id"] for each in passed} == seen
    assert len(seen) == len(orders)


@pytest.mark.parametrize("page_size", [1, 100])
def test_of_what_belongs_to_an_order_only_the_unreadable_document_is_missing(magento, client_for, orders, page_size):
    magento.load_documents("creditmemo", recording("fulfilment/sample-creditmemos.json")["creditmemos"])
    client = client_for(magento.url, magento.secrets, page_size=page_size)
    whole = [memo["entity_id"] for memo in client.documents_of("creditmemos", 34).records]
    assert len(whole) == 4
    for bad in (whole[0], whole[2]):
        magento.faults.add("GET /V1/creditmemo*", "unreadable_document", times=None, entity_id=bad)

    reading = client.documents_of("creditmemos", 34)
    assert [memo["entity_id"] for memo in reading.records] == [whole[1], whole[3]]
    assert [(each.entity_id, each.order_id, each.kind) for each in reading.unreadable] == [
        (whole[0], 34, "creditmemos"),
        (whole[2], 34, "creditmemos"),
    ]
    assert client.documents_of("creditmemos", 6).records == []


def test_documents_of_another_order_are_not_taken_for_this_ones_after_a_failure_either(script, client_for):
    server = script(Answer(500, {"message": "Internal Error"}), Answer(200, {"items": [{"entity_id": 5, "order_id": 7}],
                                                                            "total_count": 1}))  # fmt: skip
    with pytest.raises(UnexpectedResponseError, match="not asked for"):
        client_for(server.url).documents_of("shipments", 4)


def test_a_page_that_fails_once_costs_nothing(magento, client_for, orders):
    magento.faults.add(LIST, "status", status=500)
    client = client_for(magento.url, magento.secrets, page_size=20)
    assert told(client.changed("orders", (SINCE, 0), END)) == ([each["entity_id"] for each in orders], [])


def test_a_shop_that_fails_on_everything_is_no_unreadable_order(magento, client_for, orders):
    magento.faults.add(ANYWHERE, "status", times=None, status=500)
    client = client_for(magento.url, magento.secrets, page_size=20)
    with pytest.raises(FailedInsideError):
        told(client.changed("orders", (SINCE, 0), END))


def test_a_shop_that_is_away_while_an_order_is_looked_for_stops_the_reading(magento, client_for, orders):
    magento.faults.add(LIST, "unreadable_order", times=None, entity_id=orders[12]["entity_id"])
    magento.faults.add("GET /V1/orders/*", "status", times=None, status=503)
    client = client_for(magento.url, magento.secrets, page_size=20, read_attempts=1)
    with pytest.raises(SystemUnavailableError):
        told(client.changed("orders", (SINCE, 0), END))


def test_orders_known_to_be_unreadable_are_left_out_without_a_failed_call(magento, client_for, orders):
    bad = orders[12]["entity_id"]
    magento.faults.add(ANYWHERE, "unreadable_order", times=None, entity_id=bad)
    client = client_for(magento.url, magento.secrets, page_size=20)
    read, unreadable = told(client.changed("orders", (SINCE, 0), END, leave_out=[bad]))
    assert unreadable == []
    assert read == [each["entity_id"] for each in orders if each["entity_id"] != bad]
    assert {call["status"] for call in magento.calls()} == {200}


def test_a_plain_stream_stops_at_a_page_that_fails(magento, client_for, orders):
    magento.faults.add(LIST, "unreadable_order", times=None, entity_id=orders[12]["entity_id"])
    with pytest.raises(UnexpectedResponseError, match="500"):
        list(client_for(magento.url, magento.secrets, page_size=20).stream("orders", BEGINNING, END))


@pytest.mark.parametrize("kind", ["shipments", "invoices", "creditmemos"])
def test_a_document_that_is_unreadable_is_named_with_its_order_and_all_others_are_read(magento, client_for, kind):
    documents = recording(f"fulfilment/sample-{kind}.json")[kind]
    magento.load_documents(kind[:-1], documents)
    wanted = [each["entity_id"] for each in documents]
    bad = documents[len(documents) // 2]
    magento.faults.add(f"GET /V1/{kind[:-1]}*", "unreadable_document", times=None, entity_id=bad["entity_id"])
    client = client_for(magento.url, magento.secrets, page_size=4)
    readings = list(client.changed(kind, BEGINNING, END))
    (unreadable,) = [each for reading in readings for each in reading.unreadable]
    assert (unreadable.kind, unreadable.entity_id, unreadable.order_id) == (kind, bad["entity_id"], bad["order_id"])
    assert sorted([*told(readings)[0], bad["entity_id"]]) == sorted(wanted)
    assert told(client.changed(kind, BEGINNING, END, leave_out=[bad["entity_id"]])) == (told(readings)[0], [])


def test_credit_memos_by_number_name_the_unreadable_one(magento, client_for):
    documents = recording("fulfilment/sample-creditmemos.json")["creditmemos"]
    magento.load_documents("creditmemo", documents)
    bad, *good = documents
    magento.faults.add("GET /V1/creditmemo*", "unreadable_document", times=None, increment_id=bad["increment_id"])
    found = client_for(magento.url, magento.secrets).numbered_creditmemos([each["increment_id"] for each in documents])
    assert sorted(record["entity_id"] for record in found.records) == sorted(each["entity_id"] for each in good)
    assert [(each.entity_id, each.order_id) for each in found.unreadable] == [(bad["entity_id"], bad["order_id"])]


def test_orders_placed_in_a_window_come_by_id_whatever_their_last_change(magento, client_for, orders):
    start, end = moment("2026-11-23 02:50:00"), moment("2026-11-23 02:51:00")
    wanted = sorted(each["entity_id"] for each in orders if start <= moment(each["created_at"]) < end)
    bad = wanted[3]
    magento.faults.add(ANYWHERE, "unreadable_order", times=None, entity_id=bad)
    client = client_for(magento.url, magento.secrets, page_size=7)
    readings = list(client.placed_orders(start, end, fields="entity_id,increment_id"))
    assert told(readings) == ([number for number in wanted if number != bad], [bad])
    read = [record for reading in readings for record in reading.records]
    assert {tuple(sorted(record)) for record in read} == {("entity_id", "increment_id")}
    assert told(client.placed_orders(start, end, after=wanted[5]))[0] == wanted[6:]


def test_orders_by_number_name_the_unreadable_one_and_leave_unknown_numbers_out(magento, client_for, orders):
    bad, *good = orders[5:20]
    magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id=bad["increment_id"])
    client = client_for(magento.url, magento.secrets)
    found = client.numbered_orders(["000009999", *(each["increment_id"] for each in orders[5:20])])
    assert sorted(record["entity_id"] for record in found.records) == sorted(each["entity_id"] for each in good)
    (unreadable,) = found.unreadable
    assert (unreadable.entity_id, unreadable.order_number) == (bad["entity_id"], bad["increment_id"])


def test_numbers_are_counted_without_reading_an_order(magento, client_for, orders):
    magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id="000000020")
    client = client_for(magento.url, magento.secrets)
    assert client.count_between("000000018", "000000023") == 5
    assert client.count_between("000000032", "000000033") == 0


def test_an_order_that_vanished_while_it_was_looked_for_is_told_as_such(script, client_for):
    failed = Answer(500, {"message": "Internal Error. Details are available in Magento log file."})
    gone = Answer(200, {"items": [], "total_count": 0})
    client = client_for(script(failed, gone).url, page_size=1)
    with pytest.raises(FailedInsideError):
        told(client.changed("orders", (SINCE, 0), END))
    again = client_for(script(failed, gone).url)
    with pytest.raises(FailedInsideError):
        again.numbered_orders(["000000001"])
