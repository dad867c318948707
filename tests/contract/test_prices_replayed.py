"""Special prices, tier prices, cost and attribute options, as recorded."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.magento import MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded
from tests.contract.recorded import replay, send


@pytest.fixture
def priced(magento: MagentoStandIn) -> Iterator[MagentoStandIn]:
    """A shop with the recorded SKUs; after the test none of them has been touched."""
    for sku in ("MS-5043", "MS-5045"):
        magento.add_product(sku, price=Decimal("31.2"))
    before = [touched(magento, sku) for sku in ("MS-5043", "MS-5045")]
    yield magento
    assert [touched(magento, sku) for sku in ("MS-5043", "MS-5045")] == before


def touched(magento: MagentoStandIn, sku: str) -> Any:
    """Return what a product says of its last change and its base price."""
    return send(magento, "GET", f"/rest/all/V1/products/{sku}?fields=updated_at,price").json()


def post(magento: MagentoStandIn, path: str, *prices: dict[str, Any]) -> Any:
    """Post prices and return the answer."""
    response = send(magento, "POST", f"/rest/V1/products/{path}", {"prices": list(prices)})
    assert response.status_code == 200, response.text
    return response.json()


def test_special_prices_are_saved_row_by_row_read_and_deleted(priced: MagentoStandIn) -> None:
    for name in ("special-price", "special-price-information", "special-price-delete"):
        assert_as_recorded(replay(priced, f"products/{name}"), f"products/{name}")
    assert replay(priced, "products/special-price-information").json() == []
    assert replay(priced, "products/special-price-delete").json() == []


def test_a_bad_special_price_is_told_with_its_row_filled_in(priced: MagentoStandIn) -> None:
    good = {"price": 5, "store_id": 4, "sku": "ms-5043"}
    nowhere = {"price": 5, "store_id": 99, "sku": "MS-5043"}
    below = {"price": -1, "store_id": 0, "sku": "MS-5043", "price_from": "2026-11-01 00:00:00"}
    problems = post(priced, "special-price", nowhere, good, below)
    row = "Row ID: SKU = MS-5043, Store ID:"
    assert [problem["message"] for problem in problems] == [
        f"Requested store is not found. {row} 99, Price From: , Price To: .",
        f"Invalid attribute Price = -1. {row} 0, Price From: 2026-11-01 00:00:00, Price To: .",
    ]
    told = send(priced, "POST", "/rest/V1/products/special-price-information", {"skus": ["MS-5043", "NOBODY"]}).json()
    assert told == [{"price": 5, "store_id": 4, "sku": "MS-5043", "price_from": None, "price_to": None}]


def test_one_unknown_sku_refuses_all_tier_prices(priced: MagentoStandIn) -> None:
    name = "products/tier-prices-unknown-sku"
    assert_as_recorded(replay(priced, name), name)
    assert replay(priced, "products/tier-prices-information").json() == []


def test_tier_prices_are_saved_once_per_group_and_quantity(priced: MagentoStandIn) -> None:
    for name in ("tier-prices", "tier-prices", "tier-prices-information"):
        assert_as_recorded(replay(priced, f"products/{name}"), f"products/{name}")
    bad = {"price": 120, "price_type": "discount", "website_id": 0, "sku": "MS-5045", "quantity": 3}
    problems = post(priced, "tier-prices", bad | {"customer_group": "ALL GROUPS"}, bad | {"customer_group": "Nobody"})
    assert [problem["parameters"] for problem in problems] == [
        ["MS-5045", "0", "ALL GROUPS", "3"],
        ["MS-5045", "0", "Nobody", "3"],
    ]
    assert_as_recorded(replay(priced, "products/tier-prices-information"), "products/tier-prices-information")


def test_costs_are_saved_row_by_row(priced: MagentoStandIn) -> None:
    assert_as_recorded(replay(priced, "products/cost"), "products/cost")
    unknown = {"cost": 1, "store_id": 0, "sku": "NO-SUCH-SKU"}
    saved = {"cost": 4.5, "store_id": 0, "sku": "MS-5043"}
    below = {"cost": -1, "store_id": 0, "sku": "MS-5045"}
    problems = post(priced, "cost", unknown, saved, below)
    assert problems[0] == {
        "message": "Invalid attribute %fieldName = %fieldValue.",
        "parameters": ["SKU", "NO-SUCH-SKU"],
    }
    assert len(problems) == 2
    told = send(priced, "POST", "/rest/V1/products/cost-information", {"skus": ["MS-5043", "MS-5045"]}).json()
    assert told == [saved, {"cost": 4.2, "store_id": 0, "sku": "MS-5045"}]


def test_five_and_twenty_base_prices_go_in_one_call(magento: MagentoStandIn) -> None:
    rows = recorded.load("products/base-prices-21")["request"]["body"]["prices"]
    for row in rows:
        magento.add_product(row["sku"], price=Decimal(1))
    assert_as_recorded(replay(magento, "products/base-prices-21"), "products/base-prices-21")
    last = send(magento, "GET", f"/rest/all/V1/products/{rows[-1]['sku']}?fields=price").json()
    assert last == {"price": rows[-1]["price"]}


def test_an_option_is_added_once_whatever_its_case(magento: MagentoStandIn) -> None:
    assert_as_recorded(replay(magento, "products/attribute-options"), "products/attribute-options")
    added = replay(magento, "products/attribute-option-add")
    assert_as_recorded(added, "products/attribute-option-add")
    assert int(added.json()) > 18  # the highest id recorded before
    assert_as_recorded(replay(magento, "products/attribute-option-add-dup"), "products/attribute-option-add-dup")
    options = "/rest/V1/products/attributes/fsize/options"
    assert send(magento, "POST", options, {"option": {"label": " xxl"}}).status_code == 400
    told = send(magento, "GET", options).json()
    assert told == [*recorded.answered("products/attribute-options"), {"label": "XXL", "value": added.json()}]


def test_options_of_an_unknown_attribute_are_not_found(magento: MagentoStandIn) -> None:
    response = send(magento, "GET", "/rest/V1/products/attributes/nothing/options")
    assert (response.status_code, response.json()["parameters"]) == (404, ["nothing"])


def test_prices_and_options_need_their_own_permissions(magento: MagentoStandIn) -> None:
    magento.settings.allowed = {"Magento_Catalog::products"}
    for name in ("special-price", "tier-prices", "cost"):
        answer = replay(magento, f"products/{name}")
        assert (answer.status_code, answer.json()["parameters"]) == (401, {"resources": "Magento_Catalog::catalog"})
    answer = replay(magento, "products/attribute-options")
    assert answer.json()["parameters"] == {"resources": "Magento_Catalog::attributes_attributes"}


def test_stock_that_runs_low_is_listed_by_the_default_source(magento: MagentoStandIn) -> None:
    magento.add_product("OB-1234", price=Decimal(0), type_id="configurable")
    for sku, quantity in {"PLENTY": 50, "MANY": 4, "NONE": 0, "FEW": 3}.items():
        magento.add_product(sku, price=Decimal(1), quantity=quantity)
        magento.set_source_quantity(sku, 2, "wh_dub")
    name = "inventory/low-stock"
    assert_as_recorded(replay(magento, name), name, allowed.PRODUCT, allowed.COUNTS, {"is_in_stock"})
    low = "/rest/V1/stockItems/lowStock?scopeId=0&qty=3"
    answer = send(magento, "GET", low).json()
    assert ([item["qty"] for item in answer["items"]], answer["total_count"]) == ([0, 0, 3], 3)
    second = send(magento, "GET", f"{low}&currentPage=2&pageSize=2").json()
    assert ([item["qty"] for item in second["items"]], second["search_criteria"]["limit"]) == ([3], ["2", "2"])
    assert send(magento, "GET", "/rest/V1/stockItems/lowStock?scopeId=0").status_code == 400
