import json
from decimal import Decimal

import pytest

from tasks.errors import CallRefusedError, NotFoundError, UnexpectedResponseError
from tasks.systems.magento import BasePrice, BulkOperation, BulkStatus, PriceProblem
from tests.systems.magento.conftest import Answer, recording


def test_good_prices_are_saved_and_bad_ones_named(magento, client):
    for sku in ("MS-5043", "MS-5044"):
        magento.add_product(sku, price=Decimal("10.00"))
    rows = [BasePrice("MS-5043", Decimal("33.50")), BasePrice("NO-SUCH-SKU", Decimal(9))]
    assert client.write_base_prices(rows) == [PriceProblem("Invalid attribute SKU = NO-SUCH-SKU.", "NO-SUCH-SKU")]
    assert client.product("MS-5043")["price"] == Decimal("33.5")
    prices = client.base_prices(["MS-5043", "MS-5044", "NO-SUCH-SKU"])
    assert {each["sku"]: each["price"] for each in prices if each["store_id"] == 0} == {
        "MS-5043": Decimal("33.5"),
        "MS-5044": 10,
    }


def test_price_problems_are_read_as_they_were_recorded(script, client_for):
    body = recording("products/base-prices.json")["response"]["body"]
    client = client_for(script(Answer(200, body)).url)
    assert client.write_base_prices([BasePrice("MS-5043", Decimal("33.5"))]) == [
        PriceProblem("Invalid attribute SKU = NO-SUCH-SKU.", "NO-SUCH-SKU"),
        PriceProblem("Invalid attribute Price = -5."),
    ]
    body = recording("products/special-price.json")["response"]["body"]
    (problem,) = client_for(script(Answer(200, body)).url).write_base_prices([BasePrice("A", Decimal(1))])
    assert problem.sku == "NO-SUCH-SKU"


def test_a_price_goes_out_as_the_decimal_it_is(script, client_for):
    server = script(Answer(200, []))
    client_for(server.url).write_base_prices([BasePrice("A", Decimal("0.10")), BasePrice("B", Decimal("19.99"), 4)])
    assert server.asked[0].body == (
        b'{"prices":[{"price":0.10,"store_id":0,"sku":"A"},{"price":19.99,"store_id":4,"sku":"B"}]}'
    )


def test_a_price_that_is_none_is_never_sent(script, client_for):
    server = script(Answer(200, []))
    client = client_for(server.url)
    with pytest.raises(TypeError, match="float"):
        client.write_base_prices([BasePrice("A", 1.5)])
    with pytest.raises(ValueError, match="no price"):
        client.write_base_prices([BasePrice("A", Decimal(-5))])
    assert client.write_base_prices([]) == []
    assert server.asked == []


def test_the_operations_of_a_bulk_come_in_the_order_in_which_they_were_sent(script, client_for):
    body = recording("async/status-after-products.json")["response"]["body"]
    assert [each["id"] for each in body["operations_list"]] != sorted(each["id"] for each in body["operations_list"])
    operations = client_for(script(Answer(200, body)).url).bulk_operations(body["bulk_id"])
    assert [each.id for each in operations] == [0, 1, 2, 3]
    assert [each.status for each in operations] == [
        BulkStatus.DONE,
        BulkStatus.FAILED,
        BulkStatus.DONE,
        BulkStatus.FAILED,
    ]
    assert operations[1].message.startswith("Invalid product data")


def test_a_bulk_is_judged_by_its_operations_because_failures_have_the_error_code_0(script, client_for):
    body = recording("async/status-after-source-items.json")["response"]["body"]
    operations = client_for(script(Answer(200, body)).url).bulk_operations(body["bulk_id"])
    assert operations[2] == BulkOperation(2, BulkStatus.FAILED, "Could not save Source Item")


def test_a_bulk_is_queued_as_it_was_recorded(script, client_for):
    exchange = recording("async/bulk-products-bysku-put.json")
    server = script(Answer(202, exchange["response"]["body"]))
    entries = [
        {"product": each["product"] | {"price": Decimal(str(each["product"]["price"]))}}
        for each in exchange["request"]["body"]
    ]
    uuid = client_for(server.url).bulk("/V1/products/bySku", entries, "PUT", store_code="all")
    assert uuid == exchange["response"]["body"]["bulk_uuid"]
    assert (server.asked[0].method, server.asked[0].target) == ("PUT", "/rest/all/async/bulk/V1/products/bySku")
    assert json.loads(server.asked[0].body) == exchange["request"]["body"]


def test_a_malformed_entry_refuses_the_bulk(script, client_for):
    answer = recording("async/bulk-validation-fail.json")["response"]
    with pytest.raises(CallRefusedError, match='"sourceItems" is required'):
        client_for(script(Answer(400, answer["body"])).url).bulk("/V1/inventory/source-items", [{"wrong": []}])
    with pytest.raises(ValueError, match="at least one"):
        client_for("http://127.0.0.1:9").bulk("/V1/inventory/source-items", [])


def test_an_unknown_bulk_is_not_found(script, client_for):
    answer = recording("async/status-unknown-uuid.json")["response"]
    client = client_for(script(Answer(404, answer["body"])).url)
    with pytest.raises(NotFoundError, match="Bulk uuid 00000000-0000-4000-8000-000000000000 not exist"):
        client.bulk_operations("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("operations", [None, [{"id": 0, "status": 9}], [{"status": 1}], ["x"]])
def test_operations_that_cannot_be_read_are_told(script, client_for, operations):
    client = client_for(script(Answer(200, {"operations_list": operations})).url)
    with pytest.raises(UnexpectedResponseError):
        client.bulk_operations("u")


def test_the_set_up_of_the_shop_is_read_whole(client):
    def recorded(name: str):
        return recording(f"meta/{name}.json")["response"]["body"]

    assert {each["code"] for each in client.websites()} == {each["code"] for each in recorded("websites")}
    assert {each["code"] for each in client.store_views()} == {each["code"] for each in recorded("store-views")}
    assert {each["code"] for each in client.store_configs()} == {each["code"] for each in recorded("store-configs")}
    assert {each["source_code"] for each in client.sources()} == {"default", "wh_dub", "wh_mids"}
    assert [each["stock_id"] for each in client.stocks()] == [1, 2]
    assert len(client.stock_source_links()) == recorded("stock-source-links")["total_count"]
    assert len(client.tax_rates()) == recorded("tax-rates")["total_count"]
    assert "Magento_InventoryApi" in client.modules()
    assert client.stock_of_website("eu")["stock_id"] == 2


def test_a_long_list_of_the_set_up_is_read_page_by_page(script, client_for):
    rates = [{"id": number, "rate": 20} for number in range(5)]
    server = script(
        Answer(200, {"items": rates[:3], "total_count": 5}), Answer(200, {"items": rates[3:], "total_count": 5})
    )
    assert client_for(server.url).tax_rates() == rates
    assert ["currentPage%5D=1" in each.target for each in server.asked] == [True, False]
