"""Stock: source items, reservations and salable quantities, as recorded."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from sandbox.magento import MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded, assert_same
from tests.contract.recorded import replay, send

WRITES = [
    "source-items-post-1",
    "source-items-post-case",
    "source-items-post-configurable",
    "source-items-post-decimal",
    "source-items-post-dup",
    "source-items-post-empty",
    "source-items-post-mixed-bad",
    "source-items-post-negative",
    "source-items-post-no-status",
    "source-items-post-odd-skus",
    "source-items-post-qty-null",
    "source-items-post-string",
    "source-items-post-unknown-sku",
    "source-items-post-unknown-source",
    "source-items-post-zero-status1",
    "source-items-delete",
    "source-items-delete-again",
]
READS = [
    "source-items-get-beyond-end",
    "source-items-get-case",
    "source-items-get-dup",
    "source-items-get-sku",
    "source-items-get-unknown-sku",
    "source-items-get-zero-status1",
    "source-items-get-after-mixed-bad",
    "are-products-salable",
    "is-salable-zero",
    "salable-quantity",
    "salable-quantity-configurable",
    "salable-quantity-not-assigned",
    "salable-quantity-slash",
    "salable-quantity-unknown-sku",
    "salable-quantity-unknown-stock",
    "stockitems-legacy-get",
]


@pytest.fixture
def stocked(magento: MagentoStandIn) -> MagentoStandIn:
    """A shop with the recorded SKUs: three source items each, `default` with the recorded figure."""
    figures = {"MS-5001": 120, "MS-5002": 2000, "MS-5003": 2000, "MS-5004": 0, "MS-5005": 60, "MS-5006": 77}
    figures |= {"MS-5007": 2000, "MS-5008": 2000, "MS-5009": 2000}
    for sku, quantity in figures.items():
        magento.add_product(sku, price=Decimal("9.99"), quantity=quantity)
        magento.set_source_quantity(sku, 60, "wh_dub")
        magento.set_source_quantity(sku, 40, "wh_mids")
    magento.add_product("MS-5100", price=Decimal("9.99"))
    magento.add_product("AB/12-CD", price=Decimal("9.99"), quantity=10)
    magento.add_product("OB-1234", price=Decimal(0), type_id="configurable")
    return magento


@pytest.mark.parametrize("name", WRITES)
def test_a_write_of_source_items_is_answered_as_recorded(stocked: MagentoStandIn, name: str) -> None:
    assert_as_recorded(replay(stocked, f"inventory/{name}"), f"inventory/{name}")


@pytest.mark.parametrize(("name", "count"), [("100", 100), ("500", 500), ("about-2000", 1815)])
def test_a_long_list_of_source_items_is_written_whole(magento: MagentoStandIn, name: str, count: int) -> None:
    """The recordings hold the first three items only; the others are made like them."""
    name = f"inventory/source-items-post-{name}"
    first = recorded.load(name)["request"]["body"]["sourceItems"][0]
    items = [first | {"sku": f"MS-{5000 + place}"} for place in range(count)]
    answer = send(magento, "POST", "/rest/V1/inventory/source-items", {"sourceItems": items})
    assert_as_recorded(answer, name)
    assert magento.source_quantity(items[-1]["sku"]) == first["quantity"]


def test_parallel_writes_of_the_same_items_meet_no_error_and_the_last_one_stays(magento: MagentoStandIn) -> None:
    case = next(case for case in recorded.load("inventory/concurrency")["cases"] if "reverse" in case["case"])

    def write(place: int) -> int:
        rows = [
            {"sku": f"MS-{number}", "source_code": "default", "quantity": place, "status": 1} for number in range(100)
        ]
        return send(
            magento, "POST", "/rest/V1/inventory/source-items", {"sourceItems": rows[:: 1 if place % 2 else -1]}
        ).status_code

    with ThreadPoolExecutor(case["clients"]) as pool:
        answers = list(pool.map(write, range(case["requests"])))
    assert sum(status != 200 for status in answers) == case["errors"]
    assert len({magento.source_quantity(f"MS-{number}") for number in range(100)}) == 1


@pytest.mark.parametrize("name", READS)
def test_a_read_of_stock_is_answered_as_recorded(stocked: MagentoStandIn, name: str) -> None:
    replay(stocked, "inventory/source-items-post-unknown-sku")
    zero = {"sku": "MS-5004", "source_code": "default", "quantity": 0, "status": 1}
    send(stocked, "POST", "/rest/V1/inventory/source-items", {"sourceItems": [zero]})
    if name == "salable-quantity":
        stocked.set_source_quantity("MS-5001", 94)
    response = replay(stocked, f"inventory/{name}")
    assert_as_recorded(response, f"inventory/{name}", allowed.COUNTS, allowed.PRODUCT - {"qty"})
    if name == "salable-quantity-unknown-sku":
        assert response.text == recorded.answered(f"inventory/{name}")


def test_source_items_can_be_read_by_source(stocked: MagentoStandIn) -> None:
    response = replay(stocked, "inventory/source-items-get-source")
    expected = recorded.answered("inventory/source-items-get-source")
    assert_same(expected, response.json(), allowed.COUNTS | allowed.STOCK | allowed.SKUS)


def test_writes_read_back_as_recorded(stocked: MagentoStandIn) -> None:
    for write, sku, read in (
        ("source-items-post-dup", "MS-5005", 60),
        ("source-items-post-case", "MS-5006", 77),
        ("source-items-post-negative", "MS-5004", -3),
        ("source-items-post-decimal", "MS-5004", Decimal("12.3457")),
        ("source-items-post-string", "MS-5004", 15),
        ("source-items-post-mixed-bad", "MS-5002", 2000),
    ):
        replay(stocked, f"inventory/{write}")
        assert stocked.source_quantity(sku) == read
    filters = "searchCriteria[filterGroups][0][filters][0]"
    rows = send(stocked, "GET", f"/rest/V1/inventory/source-items?{filters}[field]=sku&{filters}[value]=ms-5006")
    assert {row["sku"] for row in rows.json()["items"]} == {"MS-5006"}


def test_the_legacy_stock_item_writes_the_default_source_and_ignores_its_id(stocked: MagentoStandIn) -> None:
    for name in ("stockitems-legacy-put", "stockitems-legacy-put-wrong-id", "stockitems-legacy-put-id1"):
        response = replay(stocked, f"inventory/{name}")
        assert response.status_code == 200
        assert isinstance(response.json(), int)
    read = replay(stocked, "inventory/stockitems-after-id1").json()["items"]
    expected = [row for row in recorded.answered("inventory/stockitems-after-id1")["items"] if row["sku"] < "N"]
    assert_same(expected, read)


def test_the_story_of_reservations_is_told_again(magento: MagentoStandIn) -> None:
    """inventory/reservation-story.json, step by step: source quantities and the salable quantity after each."""
    steps = recorded.load("inventory/reservation-story")["steps"]
    template = recorded.sample_orders()[48]
    sku = template["items"][0]["sku"]
    orders = [(801, 1, {8001: 10}), (802, 1, {8002: 5}), (803, 1, {8003: 7}), (804, 4, {8004: 8})]

    def place(place: int) -> None:
        entity_id, store_id, lines = orders[place]
        held = {code: magento.source_quantity(sku, code) for code in ("default", "wh_dub", "wh_mids")}
        magento.load_orders([recorded.order_like(template, entity_id, lines) | {"store_id": store_id}])
        for code, quantity in held.items():
            magento.set_source_quantity(sku, quantity, code)

    def post(path: str, body: Any = None, status: int = 200) -> None:
        response = send(magento, "POST", f"/rest/V1/{path}", {} if body is None else body)
        assert response.status_code == status, response.text

    def push(**quantities: int) -> None:
        items = [{"sku": sku, "source_code": c, "quantity": q, "status": 1} for c, q in quantities.items()]
        post("inventory/source-items", {"sourceItems": items})

    def ship(order: int, line: int, quantity: int, source: str | None = None, status: int = 200) -> None:
        body: dict[str, Any] = {"items": [{"order_item_id": line, "qty": quantity}]}
        if source:
            body["arguments"] = {"extension_attributes": {"source_code": source}}
        post(f"order/{order}/ship", body, status)

    def refund(quantity: int, *, back: bool) -> None:
        given: dict[str, Any] = {"shipping_amount": 0}
        if back:
            given["extension_attributes"] = {"return_to_stock_items": [8001]}
        post("order/801/refund", {"items": [{"order_item_id": 8001, "qty": quantity}], "arguments": given})

    magento.add_product(sku, price=Decimal("6.67"), quantity=100)
    push(default=100, wh_dub=60, wh_mids=40)
    acts = [
        lambda: None,
        lambda: place(0),
        lambda: post("order/801/invoice"),
        lambda: push(default=100),
        lambda: ship(801, 8001, 4),
        lambda: push(default=96),
        lambda: ship(801, 8001, 6),
        lambda: refund(1, back=False),
        lambda: refund(2, back=True),
        lambda: place(1),
        lambda: post("orders/802/cancel"),
        lambda: (place(2), post("order/803/invoice"), post("order/803/refund")),
        lambda: push(default=9, wh_dub=30, wh_mids=20),
        lambda: None,
        lambda: place(3),
        lambda: ship(804, 8004, 2),
        lambda: ship(804, 8004, 2, "wh_mids"),
        lambda: ship(804, 8004, 1, "nowhere", status=400),
        lambda: ship(804, 8004, 1, "default"),
    ]
    for place_in_story, (act, step) in enumerate(zip(acts, steps, strict=True)):
        act()
        stock_id = 1 if place_in_story < 12 else 2
        held = {code: magento.source_quantity(sku, code) for code in step["source_items"]}
        salable = send(magento, "GET", f"/rest/V1/inventory/get-product-salable-quantity/{sku}/{stock_id}").json()
        legacy = send(magento, "GET", f"/rest/V1/stockItems/{sku}").json()
        told = (held, salable, legacy["qty"], legacy["is_in_stock"])
        names = ("source_items", "salable_quantity", "legacy_stockItem_qty", "legacy_is_in_stock")
        assert told == tuple(step[name] for name in names), step["step"]
