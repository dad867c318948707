"""The traps of Magento's ship route, each of them recorded: none of them costs a parcel."""

from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from tests.flows.shopping import (
    JEANS,
    TEE,
    a_line,
    buy,
    by_hand,
    in_prima,
    prima_number,
    ship_calls,
    shipped_units,
    stock_both,
)
from tests.installation import Installation
from tests.recorded import sample_order


def test_no_trap_of_the_ship_route_costs_a_parcel(installation: Installation) -> None:
    stock_both(installation, {TEE: 500, JEANS: 500})
    no_lines, twice, whole, partial, elsewhere = (buy(installation, a_line(TEE, 3), a_line(JEANS, 2)) for _ in range(5))
    configurable = sample_order("000000092")
    installation.holds(configurable)
    for sku in (TEE, JEANS, *(line["sku"] for line in configurable["items"])):
        installation.magento.set_source_quantity(sku, 50, "wh_mids")
    sync_orders()

    # An empty list would ship everything that is left.
    empty = installation.prima.dispatch(prima_number(no_lines), {1: 1})
    in_prima(installation, f"delete from stand_in_dispatch_lines where dispatch_number = '{empty}'")
    # Of a line that is named twice Magento counts one.
    double = installation.prima.dispatch(prima_number(twice), {1: 1, 2: 1})
    in_prima(
        installation,
        f"update stand_in_dispatch_lines set order_line_number = 1 where dispatch_number = '{double}'",
    )
    # A second full shipment is refused; too many of a line are clamped to what is left.
    with by_hand(installation) as magento:
        magento._transport.write(f"/V1/order/{whole['entity_id']}/ship", {"notify": False})
    second = installation.prima.dispatch(prima_number(whole))
    # The same partial shipment again would be another parcel.
    installation.prima.dispatch(prima_number(partial), {1: 1})
    # The child line of a configurable is refused.
    installation.prima.dispatch(prima_number(configurable), {1: 1, 2: 1})
    # Without a source goods leave `default`, whatever the store sells from.
    installation.configure(overlap_minutes='10\nsource_code = "wh_mids"')
    installation.prima.dispatch(prima_number(elsewhere), {1: 3})

    sync_fulfilment()
    sync_fulfilment()

    shipped = {
        order["increment_id"]: [
            shipped_units(each, order) for each in installation.magento.shipments(order["increment_id"])
        ]
        for order in (no_lines, twice, whole, partial, elsewhere)
    }
    assert shipped == {
        no_lines["increment_id"]: [],
        twice["increment_id"]: [{TEE: 2}],
        whole["increment_id"]: [{TEE: 3, JEANS: 2}],
        partial["increment_id"]: [{TEE: 1}],
        elsewhere["increment_id"]: [{TEE: 3}],
    }
    (of_parents,) = installation.magento.shipments(configurable["increment_id"])
    assert {item["order_item_id"]: item["qty"] for item in of_parents["items"]} == {263: 1, 265: 1}
    assert installation.open_codes() == {
        f"dispatch {empty}": "DISPATCH_LINE_UNKNOWN",
        f"dispatch {second}": "DISPATCH_TOO_MANY",
    }
    assert len(installation.magento.emails) == 4
    assert ship_calls(installation) == 5, "one of them by hand"
    assert installation.magento.source_quantity(TEE, "wh_mids") == 50 - 2 - 1 - 3
