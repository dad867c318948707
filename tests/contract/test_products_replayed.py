"""Products and prices, as recorded."""

from decimal import Decimal
from typing import Any

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
    "OB-1234-BLK-8": "39.99",
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
PRODUCT_LISTS = [
    "list-sku-in",
    "list-sku-in-comma-sku",
    "list-sku-eq-comma-sku",
    "list-beyond-end",
    "list-updated-since",
]


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


@pytest.mark.parametrize("name", PRODUCT_LISTS)
def test_a_search_of_products_is_answered_as_recorded(catalogue: MagentoStandIn, name: str) -> None:
    may_differ = (allowed.TIMES, allowed.COUNTS, allowed.SKUS if name == "list-updated-since" else ())
    assert_as_recorded(replay(catalogue, f"products/{name}"), f"products/{name}", *may_differ)


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
    assert response.status_code == 200
    assert_product(recorded.answered(f"products/{name}"), response.json())


def assert_product(expected: Any, given: Any) -> None:
    """Assert that a product has the recorded parts, apart from what only the recorded catalogue carries."""
    for document in (expected, given):
        codes = {attribute["attribute_code"] for attribute in document["custom_attributes"]} - allowed.ATTRIBUTES
        document["custom_attributes"] = sorted(codes)
        document["extension_attributes"].pop(allowed.CATEGORIES, None)
    assert_same(expected, given, allowed.TIMES | allowed.PRODUCT)


@pytest.mark.parametrize("name", ["get-simple", "get-virtual"])
def test_a_product_is_served_whole_or_in_the_parts_asked_for(catalogue: MagentoStandIn, name: str) -> None:
    catalogue.add_product("PAT-PDF", price=Decimal("7.5"), type_id="virtual", quantity=9999)
    assert_product(recorded.answered(f"products/{name}"), replay(catalogue, f"products/{name}").json())


def test_simple_products_are_listed_without_their_stock(catalogue: MagentoStandIn) -> None:
    for sku in ("OB-1234-BLK-10", "OB-1234-BLK-12"):
        catalogue.add_product(sku, price=Decimal("39.99"))
    given, expected = replay(catalogue, "products/list-simple").json(), recorded.answered("products/list-simple")
    for theirs, ours in zip(expected.pop("items"), given.pop("items"), strict=True):
        assert_product(theirs | {"sku": "", "price": 0}, ours | {"sku": "", "price": 0})
    assert_same(expected, given, allowed.COUNTS | {"value"})


def test_an_option_id_that_does_not_exist_is_stored_as_it_is(catalogue: MagentoStandIn) -> None:
    given, expected = replay(catalogue, "products/put-bad-option").json(), recorded.answered("products/put-bad-option")
    stored = {"attribute_code": "fsize", "value": "99999"}
    assert stored in given["custom_attributes"]
    assert stored in expected["custom_attributes"]
    assert_product(expected, given)


def test_a_name_put_without_a_store_code_hides_the_name_of_all_stores_in_that_view(catalogue: MagentoStandIn) -> None:
    given = replay(catalogue, "products/put-name-default-scope").json()
    assert_product(recorded.answered("products/put-name-default-scope"), given)
    send(catalogue, "PUT", "/rest/all/V1/products/MS-5048", {"product": {"name": "Coat"}})

    def name(store: str) -> Any:
        return send(catalogue, "GET", f"/rest/{store}V1/products/MS-5048?fields=name").json()["name"]

    assert (name(""), name("all/"), name("outlet/")) == ("Renamed in default scope", "Coat", "Coat")


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
