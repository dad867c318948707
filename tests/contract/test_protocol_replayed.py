"""Routes, verbs, media types, broken bodies, maintenance, input limits and the shop's structure, as recorded."""

import pytest

from sandbox.magento import Limits, MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded, assert_same
from tests.contract.recorded import replay, send

ERRORS = [
    "errors/400-empty-body",
    "errors/400-malformed-json",
    "errors/400-missing-required",
    "errors/400-no-searchcriteria",
    "errors/400-object-for-array",
    "errors/400-unknown-field",
    "errors/400-wrong-type",
    "errors/404-order",
    "errors/404-order-nonnumeric",
    "errors/404-product",
    "errors/404-route",
    "errors/404-route-version",
    "errors/405-style-wrong-verb",
    "errors/accept-unsupported",
    "errors/head",
    "errors/no-content-type",
    "errors/options",
    "errors/pagesize-string",
    "errors/unknown-store-code",
    "orders/rma-route",
    "meta/invoice-payment-methods-none",
]
STRUCTURE = [
    "meta/countries-gb",
    "meta/currency",
    "meta/customer-groups",
    "meta/modules",
    "meta/sources",
    "meta/stock-resolver",
    "meta/stock-resolver-eu",
    "meta/stock-source-links",
    "meta/stocks",
    "meta/store-configs",
    "meta/store-groups",
    "meta/store-views",
    "meta/tax-classes",
    "meta/tax-rates",
    "meta/tax-rules",
    "meta/websites",
]
LIMITED = [
    "limits/input-limit-20-items",
    "limits/input-limit-21-items",
    "limits/input-limit-base-prices-21",
    "limits/input-limit-bulk-1x21",
    "limits/input-limit-bulk-21",
    "limits/input-limit-no-pagesize",
    "limits/input-limit-page-100",
    "limits/input-limit-page-101",
]


@pytest.mark.parametrize("name", ERRORS)
def test_a_request_that_cannot_be_served_is_refused_as_recorded(trading: MagentoStandIn, name: str) -> None:
    assert_as_recorded(replay(trading, name), name)


@pytest.mark.parametrize("name", STRUCTURE)
def test_the_shops_structure_is_served_as_recorded(trading: MagentoStandIn, name: str) -> None:
    assert_as_recorded(replay(trading, name), name)


def test_an_unknown_filter_field_is_an_internal_error(trading: MagentoStandIn) -> None:
    name = "errors/500-unknown-filter-field"
    assert_as_recorded(replay(trading, name), name, allowed.REPORT)


@pytest.mark.parametrize("name", ["errors/503-maintenance", "errors/503-maintenance-post"])
def test_maintenance_is_503_in_html_without_a_time_to_come_back(magento: MagentoStandIn, name: str) -> None:
    magento.maintenance = True
    response = replay(magento, name)
    assert_as_recorded(response, name)
    assert "Service Temporarily Unavailable" in response.text
    assert "retry-after" not in response.headers
    magento.maintenance = False
    assert replay(magento, "errors/503-maintenance").status_code == 200


@pytest.mark.parametrize("name", ["errors/bad-condition", "errors/bad-date"])
def test_an_unknown_condition_and_an_unreadable_date_are_no_errors(trading: MagentoStandIn, name: str) -> None:
    response = replay(trading, name)
    assert_as_recorded(response, name, allowed.COUNTS)
    held = [order for order in trading.orders() if order["status"] == "holded"]
    wanted = len(held) if name == "errors/bad-condition" else len(trading.orders())
    assert response.json()["total_count"] == wanted


@pytest.mark.parametrize("name", ["errors/pagesize-zero", "errors/empty-searchcriteria"])
def test_page_size_zero_and_bare_criteria_load_everything(trading: MagentoStandIn, name: str) -> None:
    assert_as_recorded(replay(trading, name), name, allowed.COUNTS)
    whole = send(trading, "GET", "/rest/V1/orders?searchCriteria[pageSize]=0&fields=items[entity_id]").json()
    assert len(whole["items"]) == len(trading.orders())


def test_an_answer_can_be_had_as_xml(trading: MagentoStandIn) -> None:
    response = replay(trading, "errors/accept-xml")
    assert response.headers["content-type"] == "application/xml; charset=utf-8"
    assert response.text == recorded.answered("errors/accept-xml")


@pytest.mark.parametrize("row", recorded.load("errors/empty-lists")["lists"], ids=lambda row: row["list"])
def test_every_list_is_empty_beyond_its_end_and_without_a_match(trading: MagentoStandIn, row: dict) -> None:
    path = f"/rest{row['list']}"
    beyond = send(trading, "GET", f"{path}?searchCriteria[pageSize]=5&searchCriteria[currentPage]=99999")
    if row["list"] == "/V1/customers/search":
        assert beyond.status_code == 404  # not a route of an integration that carries orders and stock
        return
    assert beyond.status_code == row["beyond_end"]["status"]
    assert beyond.json()["items"] == row["beyond_end"]["items"]
    assert beyond.json()["total_count"] > 0 or row["beyond_end"]["total_count"] == 0
    field = {"/V1/inventory/source-items": "sku", "/V1/inventory/sources": "source_code", "/V1/taxRates/search": "code"}
    filters = "searchCriteria[filterGroups][0][filters][0]"
    wanted = f"{filters}[field]={field.get(row['list'], 'created_at')}&{filters}[value]=1970-01-01%2000:00:00"
    none = send(trading, "GET", f"{path}?{wanted}").json()
    assert (none["items"], none["total_count"]) == (row["no_match"]["items"], row["no_match"]["total_count"])


@pytest.mark.parametrize("name", LIMITED)
def test_input_limits_when_switched_on(magento: MagentoStandIn, name: str) -> None:
    magento.settings.limits = Limits(array=20, page_size=100, default_page_size=20)
    template = recorded.sample_orders()[12]
    magento.load_orders(
        recorded.as_placed(template) | {"entity_id": place, "increment_id": f"{place:09d}", "items": []}
        for place in range(1, 31)
    )
    assert_as_recorded(replay(magento, name), name, allowed.COUNTS, allowed.BULK)


def test_untouched_input_limits_cap_a_page_at_300_and_lists_not_at_all(magento: MagentoStandIn) -> None:
    magento.settings.limits = Limits()
    name = "limits/input-limit-default-page-301"
    assert_as_recorded(replay(magento, name), name)
    assert replay(magento, "limits/input-limit-21-items").status_code == 200


def test_limits_are_off_by_default(magento: MagentoStandIn) -> None:
    assert replay(magento, "limits/input-limit-default-page-301").status_code == 200
    assert replay(magento, "limits/input-limit-21-items").status_code == 200


def test_a_store_code_may_stand_in_the_path_or_not(trading: MagentoStandIn) -> None:
    plain = send(trading, "GET", "/rest/V1/store/websites").json()
    for code in ("default", "all", "eu_en"):
        assert_same(plain, send(trading, "GET", f"/rest/{code}/V1/store/websites").json())


def test_whole_amounts_are_written_without_a_point_and_text_is_escaped_as_php_does(trading: MagentoStandIn) -> None:
    text = send(trading, "GET", "/rest/V1/orders/118?fields=subtotal,base_subtotal_incl_tax,billing_address").text
    assert '"subtotal":75,' in text or '"subtotal":75}' in text
    assert "\\u00f8" in text
