"""Reading and searching orders: the recorded requests get the recorded answers."""

from decimal import Decimal

import pytest

from sandbox.magento import MagentoStandIn
from sandbox.magento.carts import Cart, CartLine, Customer, PostalAddress
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded, assert_same

LISTS = [
    "orders/list-by-increment-in",
    "orders/list-empty",
    "orders/list-fields-deep",
    "orders/list-fields-unknown",
    "orders/list-like",
    "orders/list-nested-old-style",
    "orders/list-page-0",
    "orders/list-page-1",
    "orders/list-page-3-last",
    "orders/list-page-4-beyond-end",
    "orders/items-by-sku",
]
OTHER_ORDERS = [  # the recorded shop held orders that are not among the samples
    "orders/list-created-range",
    "orders/list-status-in",
    "orders/list-status-or",
    "orders/list-store-id",
    "orders/list-updated-gteq",
]
ONES = [
    "configurable-discounted",
    "discount-buy-x",
    "discount-each",
    "eur-display",
    "eur-website",
    "part-virtual",
    "virtual",
    "zero-total-full-coupon",
]


@pytest.mark.parametrize("name", LISTS)
def test_a_search_of_orders_is_answered_as_recorded(trading: MagentoStandIn, name: str) -> None:
    assert_as_recorded(recorded.replay(trading, name), name, allowed.COUNTS)


@pytest.mark.parametrize("name", OTHER_ORDERS)
def test_a_search_over_all_orders_finds_the_samples_among_the_recorded_ones(trading: MagentoStandIn, name: str) -> None:
    answer, expected = recorded.replay(trading, name).json(), recorded.answered(name)
    samples = recorded.sample_orders()
    assert_same(expected["search_criteria"], answer["search_criteria"])
    known = [item for item in expected["items"] if item["entity_id"] in samples]
    assert known
    assert answer["items"][: len(known)] == known


@pytest.mark.parametrize("name", ["orders/list-sku", "orders/list-orderby-shipping-country"])
def test_a_filter_on_a_field_that_orders_lack_is_an_internal_error(trading: MagentoStandIn, name: str) -> None:
    response = recorded.replay(trading, name)
    assert_as_recorded(response, name, allowed.REPORT)
    assert response.json()["message"].startswith("Internal Error. Details are available in Magento log file. Report ID")


@pytest.mark.parametrize("name", ONES)
def test_an_order_is_served_as_it_was_recorded(magento: MagentoStandIn, name: str) -> None:
    document = recorded.answered(f"orders/one-{name}")
    magento.load_orders([document])
    assert_as_recorded(recorded.replay(magento, f"orders/one-{name}"), f"orders/one-{name}")


def test_every_sample_order_is_served_byte_for_value_as_recorded(trading: MagentoStandIn) -> None:
    query = "searchCriteria[sortOrders][0][field]=entity_id&searchCriteria[pageSize]=100"
    body = recorded.send(trading, "GET", f"/rest/V1/orders?{query}").json()
    assert_same(list(recorded.sample_orders().values()), body["items"])


@pytest.mark.parametrize("kind", ["shipment", "invoice", "creditmemo"])
def test_sample_documents_are_served_as_recorded(trading: MagentoStandIn, kind: str) -> None:
    body = recorded.send(trading, "GET", f"/rest/V1/{kind}s?searchCriteria[pageSize]=0").json()
    assert_same(recorded.samples(kind), body["items"])


@pytest.mark.parametrize(
    "name",
    [
        "fulfilment/invoices-list",
        "fulfilment/shipments-list",
        "fulfilment/shipments-by-order",
        "fulfilment/creditmemos-by-order",
        "fulfilment/creditmemos-by-updated",
        "fulfilment/creditmemos-list",
        "fulfilment/creditmemo-configurable",
        "fulfilment/creditmemo-full-discounted",
        "fulfilment/shipment-tracks-list",
        "fulfilment/transactions",
    ],
)
def test_a_search_of_documents_is_answered_as_recorded(trading: MagentoStandIn, name: str) -> None:
    assert_as_recorded(recorded.replay(trading, name), name, allowed.COUNTS)


def test_a_customers_four_byte_characters_are_kept_as_question_marks(magento: MagentoStandIn) -> None:
    """orders/emoji-order: the name was typed with an emoji, the order was taken and reads like this."""
    order = recorded.as_placed(recorded.sample_orders()[12])
    magento.load_orders([order | {"entity_id": 595, "increment_id": "000000595"}])
    address = PostalAddress(
        forename="Emma \U0001f600", surname="Wright", street=("1",), town="Leicester", postcode="LE1"
    )
    line = CartLine(sku="COAT", name="Coat", quantity=1, catalogue_price=Decimal(10))
    customer = Customer(forename=address.forename, surname="Wright", email="emoji@example.com")
    magento.place_order(Cart(lines=(line,), customer=customer, address=address), check_stock=False)
    assert_as_recorded(recorded.replay(magento, "orders/emoji-order"), "orders/emoji-order")


@pytest.mark.parametrize("form", ["space", "iso-T", "offset"])
def test_an_instant_may_be_written_in_three_forms_and_an_offset_is_ignored(magento: MagentoStandIn, form: str) -> None:
    found = recorded.answered(f"orders/list-created-{form}")["items"][0]
    order = recorded.as_placed(recorded.sample_orders()[12])
    before = {"entity_id": 42, "increment_id": "000000042", "created_at": "2026-11-23 02:49:59"}
    magento.load_orders([order | before, order | found])
    assert_as_recorded(
        recorded.replay(magento, f"orders/list-created-{form}"), f"orders/list-created-{form}", allowed.COUNTS
    )


def test_a_shipment_is_served_as_it_was_recorded(magento: MagentoStandIn) -> None:
    magento.load_documents("shipment", [recorded.answered("fulfilment/shipment-get")])
    assert_as_recorded(recorded.replay(magento, "fulfilment/shipment-get"), "fulfilment/shipment-get")


def test_the_time_stamps_are_utc_whatever_the_shops_time_zone(trading: MagentoStandIn) -> None:
    zones = recorded.load("orders/timezone")
    order = {"entity_id": 100, "increment_id": "100000100", "created_at": zones["created_at_tokyo"]}
    trading.load_orders([recorded.as_placed(recorded.sample_orders()[12]) | order])
    query = (
        f"searchCriteria[filterGroups][0][filters][0][field]=created_at&fields=items[entity_id],total_count&"
        f"searchCriteria[filterGroups][0][filters][0][value]={zones['created_at_london'].replace(' ', '%20')}"
    )
    body = recorded.send(trading, "GET", f"/rest/V1/orders?{query}").json()
    assert body == zones["filter_eq_on_the_utc_text_under_tokyo"]


CONDITIONS = {
    "eq 4": [4],
    "neq 4": [2, 3, 5, 6],
    "gt 4": [5, 6],
    "gteq 4": [4, 5, 6],
    "lt 4": [2, 3],
    "lteq 4": [2, 3, 4],
    "from 5": [5, 6],
    "to 3": [2, 3],
    "in 3,5,99": [3, 5],
    "nin 3,5": [2, 4, 6],
    "like _": [2, 3, 4, 5, 6],
    "null x": [],
    "notnull x": [2, 3, 4, 5, 6],
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_condition_selects_what_it_says(trading: MagentoStandIn, condition: str) -> None:
    kind, value = condition.split()
    filters = [("entity_id", value, kind), ("entity_id", "6", "lteq")]
    groups = "&".join(
        f"searchCriteria[filter_groups][{place}][filters][0][field]={field}"
        f"&searchCriteria[filter_groups][{place}][filters][0][value]={wanted}"
        f"&searchCriteria[filter_groups][{place}][filters][0][condition_type]={test}"
        for place, (field, wanted, test) in enumerate(filters)
    )
    query = f"{groups}&searchCriteria[sort_orders][0][field]=entity_id&searchCriteria[sort_orders][0][direction]=desc"
    body = recorded.send(trading, "GET", f"/rest/V1/orders?{query}&fields=items[entity_id]").json()
    found = [item["entity_id"] for item in body["items"] or []]
    assert found == sorted(CONDITIONS[condition], reverse=True)
