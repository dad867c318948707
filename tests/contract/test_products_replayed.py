"""Products and prices, as recorded."""

from decimal import Decimal

import pytest

from sandbox.magento import MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded, assert_same
from tests.contract.recorded import replay, send

ODD = [
    "64",
    "backslash",
    "case",
    "case-upper",
    "cjk",
    "colon",
    "dotdot",
    "leading-zeros",
    "percent",
    "percent-double",
    "percent2f",
    "plus-amp-hash",
    "question",
    "quote",
    "semicolon",
    "slash",
    "slash-double",
    "slash-raw",
    "space",
    "tab",
    "trail-dot",
    "unicode",
]
CATALOGUE = {
    "MS-5001": "10",
    "MS-5002": "12.49",
    "MS-5040": "9.99",
    "MS-5042": "24.5",
    "MS-5043": "31.2",
    "MS-5044": "32.33",
    "MS-5046": "39.99",
    "MS-5047": "45.67",
    "MS-5048": "49.99",
    "MS-5049": "1",
    "MS-5050": "1",
    "comma,semi;1": "19.99",
    "AB/12-CD": "19.99",
    "50%OFF-1": "19.99",
}


@pytest.fixture
def catalogue(magento: MagentoStandIn) -> MagentoStandIn:
    """A shop with the recorded SKUs at their prices."""
    for sku, price in CATALOGUE.items():
        magento.add_product(sku, price=Decimal(price))
    return magento


@pytest.fixture(scope="module")
def odd(trading: MagentoStandIn) -> MagentoStandIn:
    """A shop with every odd SKU that was recorded."""
    for name in ODD:
        body = recorded.answered(f"products/get-odd-sku-{name}")
        if "sku" in body:
            trading.add_product(body["sku"], price=Decimal("19.99"))
    return trading


@pytest.mark.parametrize("name", ODD)
def test_an_odd_sku_is_found_when_it_is_encoded_once(odd: MagentoStandIn, name: str) -> None:
    name = f"products/get-odd-sku-{name}"
    assert_as_recorded(replay(odd, name), name, allowed.IDS)


@pytest.mark.parametrize("name", ["list-sku-in", "list-sku-in-comma-sku", "list-sku-eq-comma-sku", "list-beyond-end"])
def test_a_search_of_products_is_answered_as_recorded(catalogue: MagentoStandIn, name: str) -> None:
    assert_as_recorded(replay(catalogue, f"products/{name}"), f"products/{name}", allowed.TIMES, allowed.COUNTS)


def test_a_list_leaves_the_stock_item_out_even_when_it_is_asked_for(catalogue: MagentoStandIn) -> None:
    body = replay(catalogue, "products/list-simple-fields").json()
    assert body["items"][0].keys() == recorded.answered("products/list-simple-fields")["items"][0].keys()
    assert body["items"][0]["extension_attributes"] == []


@pytest.mark.parametrize(
    "name",
    ["put-price-store-all", "put-price-string", "put-unknown-attribute", "put-odd-sku-slash", "put-odd-sku-percent"],
)
def test_a_saved_product_is_answered_whole(catalogue: MagentoStandIn, name: str) -> None:
    response = replay(catalogue, f"products/{name}")
    expected = recorded.answered(f"products/{name}")
    assert response.status_code == 200
    names = {a["attribute_code"] for a in expected["custom_attributes"]} - allowed.ATTRIBUTES
    given = response.json()
    assert names == {a["attribute_code"] for a in given.pop("custom_attributes")}
    del expected["custom_attributes"]
    given["extension_attributes"].pop(allowed.CATEGORIES)
    expected["extension_attributes"].pop(allowed.CATEGORIES, None)
    assert_same(expected, given, allowed.TIMES | allowed.PRODUCT)


@pytest.mark.parametrize("name", ["put-price-negative", "put-price-string-comma", "put-unknown"])
def test_a_bad_price_and_an_unknown_sku_are_refused(catalogue: MagentoStandIn, name: str) -> None:
    assert_as_recorded(replay(catalogue, f"products/{name}"), f"products/{name}")


def test_a_product_is_created_updated_by_a_second_post_and_deleted(catalogue: MagentoStandIn) -> None:
    created = replay(catalogue, "products/post-create").json()
    assert (created["sku"], created["price"], created["extension_attributes"]["stock_item"]["qty"]) == (
        "NEW-REC-1",
        12.5,
        7,
    )
    again = replay(catalogue, "products/post-create-again").json()
    assert (again["id"], again["sku"], again["price"]) == (created["id"], "new-rec-1", 12.75)
    assert_as_recorded(replay(catalogue, "products/post-dup-url-key"), "products/post-dup-url-key")
    assert_as_recorded(replay(catalogue, "products/delete"), "products/delete")
    assert_as_recorded(replay(catalogue, "products/delete-again"), "products/delete-again")


def test_a_price_put_without_a_store_code_hides_the_price_of_all_stores(catalogue: MagentoStandIn) -> None:
    replay(catalogue, "products/put-price-default-scope")
    for name in ("get-price-after-default-scope-put", "get-price-after-default-scope-put-all"):
        assert_as_recorded(replay(catalogue, f"products/{name}"), f"products/{name}")


def test_base_prices_are_saved_row_by_row_and_read_by_scope(catalogue: MagentoStandIn) -> None:
    before = send(catalogue, "GET", "/rest/all/V1/products/MS-5043?fields=updated_at").json()
    for name in ("base-prices", "base-prices-all-good", "base-prices-store"):
        assert_as_recorded(replay(catalogue, f"products/{name}"), f"products/{name}")
    assert send(catalogue, "GET", "/rest/all/V1/products/MS-5050?fields=price").json() == {"price": 9.75}
    good = [{"price": 31.2, "store_id": 0, "sku": "MS-5043"}, {"price": 31.3, "store_id": 1, "sku": "MS-5043"}]
    send(catalogue, "POST", "/rest/V1/products/base-prices", {"prices": good})
    assert_as_recorded(replay(catalogue, "products/base-prices-information"), "products/base-prices-information")
    assert send(catalogue, "GET", "/rest/all/V1/products/MS-5043?fields=updated_at").json() == before
