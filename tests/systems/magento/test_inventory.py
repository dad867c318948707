from decimal import Decimal

import pytest

from tasks.errors import CallRefusedError, NotFoundError, OutcomeUnknownError
from tasks.systems.magento import InputLimitError
from tests.systems.magento.conftest import Answer, recording, sample_orders

ODD_SKUS = ["AB/12-CD", "50%OFF-1", "%2F-enc", "../up", "SKU WITH SPACE", "A+B&C#1", "Q?uery=1", 'quote"1',
            "back\\slash", "comma,semi;1", "ÉTÉ-ß-1", "日本-1", "tab\tin", "A:B", "000123", "dot.name."]  # fmt: skip


def pairs(pages) -> list[tuple[str, str]]:
    return [(each["sku"], each["source_code"]) for page in pages for each in page]


@pytest.fixture
def odd(magento) -> None:
    for sku in ODD_SKUS:
        magento.add_product(sku, price=Decimal("19.99"), quantity=5)


def test_odd_skus_survive_every_way_to_magento_and_back(magento, client, odd):
    client.write_source_items([(sku, "default", position) for position, sku in enumerate(ODD_SKUS, start=10)])
    for position, sku in enumerate(ODD_SKUS, start=10):
        assert client.product(sku)["sku"] == sku
        assert client.salable_quantity(sku, 1) == position
    assert sorted(pairs(client.source_items(ODD_SKUS))) == sorted((sku, "default") for sku in ODD_SKUS)
    assert client.are_products_salable([*ODD_SKUS, "NO-SUCH"], 1) == dict.fromkeys(ODD_SKUS, True) | {"NO-SUCH": False}


def test_an_unknown_sku_is_not_found(client, odd):
    with pytest.raises(NotFoundError):
        client.product("NO-SUCH")
    with pytest.raises(NotFoundError):
        client.salable_quantity("NO-SUCH", 1)
    with pytest.raises(CallRefusedError) as raised:
        client.salable_quantity("A:B", 77)
    assert raised.value.code == "STOCK_UNKNOWN"


def test_source_items_are_read_whole_whatever_the_shop_permits_as_a_page(magento, client, monkeypatch):
    for number in range(25):
        magento.add_product(f"SKU-{number}", price=Decimal(1), quantity=number)
        magento.set_source_quantity(f"SKU-{number}", 3, "wh_dub")
    monkeypatch.setattr("tasks.systems.magento.inventory.SOURCE_ITEM_PAGE", 7)
    everything = pairs(client.source_items())
    assert len(everything) == len(set(everything)) == 50
    assert pairs(client.source_items(source_code="wh_dub")) == [pair for pair in everything if pair[1] == "wh_dub"]
    some = pairs(client.source_items(["SKU-3", "SKU-17", "NO-SUCH"], "default"))
    assert sorted(some) == [("SKU-17", "default"), ("SKU-3", "default")]
    assert pairs(client.source_items([])) == []


def test_a_quantity_above_zero_is_in_stock_and_zero_is_not(client, odd):
    client.write_source_items([("A:B", "default", 0), ("000123", "default", 7)])
    found = {each["sku"]: each for page in client.source_items(["A:B", "000123"]) for each in page}
    assert (found["A:B"]["quantity"], found["A:B"]["status"]) == (0, 0)
    assert (found["000123"]["quantity"], found["000123"]["status"]) == (7, 1)


@pytest.mark.parametrize(
    "levels",
    [
        [("A", "default", -1)],
        [("A", "default", 1.0)],
        [("A", "default", True)],
        [("A", "default", 1), ("a", "default", 2)],
        [("A", "default", 1), ("A ", "default", 2)],
    ],
)
def test_levels_that_magento_would_misread_are_never_sent(magento, client, levels):
    with pytest.raises(ValueError, match=r"no quantity|twice"):
        client.write_source_items(levels)
    assert magento.calls() == []


def test_nothing_to_write_is_no_call(magento, client):
    client.write_source_items([])
    assert magento.calls() == []


def test_an_unknown_source_saves_nothing_and_is_told(magento, client, odd):
    with pytest.raises(CallRefusedError) as raised:
        client.write_source_items([("A:B", "default", 50), ("000123", "nowhere", 5)])
    assert raised.value.code == "SOURCE_UNKNOWN"
    assert raised.value.reference == "2 source items"
    assert magento.source_quantity("A:B") == 5


def test_a_lost_answer_leaves_the_levels_unknown(magento, client, odd):
    magento.faults.add("POST /V1/inventory/source-items", "lose_answer")
    with pytest.raises(OutcomeUnknownError):
        client.write_source_items([("A:B", "default", 50)])
    assert magento.source_quantity("A:B") == 50


def test_the_limit_of_the_shop_tells_how_many_may_be_written_at_a_time(script, client_for):
    limit = recording("limits/input-limit-21-items.json")["response"]
    server = script(Answer(400, limit["body"]))
    with pytest.raises(InputLimitError) as raised:
        client_for(server.url).write_source_items([(f"SKU-{n}", "default", n) for n in range(21)])
    assert raised.value.limit == 20
    assert raised.value.code == "INPUT_LIMIT"
    assert len(server.asked) == 1


def test_salable_is_what_is_there_less_what_is_ordered(magento, client):
    magento.load_orders(sample_orders(18))
    line = magento.orders()[0]["items"][-1]
    client.write_source_items([(line["sku"], "default", 40)])
    open_units = line["qty_ordered"] - line["qty_shipped"] - line["qty_canceled"]
    assert client.salable_quantity(line["sku"], 1) == 40 - open_units


def test_more_than_ten_skus_are_asked_about_in_several_calls(magento, client, odd):
    client.are_products_salable(ODD_SKUS, 1)
    assert len(magento.calls()) == 2
    assert all(call["status"] == 200 for call in magento.calls())
