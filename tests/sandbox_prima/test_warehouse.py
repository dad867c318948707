"""The warehouse: what leaves, in how many parcels, and what that does to states and stock."""

import pytest

from sandbox.prima import PrimaStandIn
from tests.sandbox_prima.conftest import MakePrima
from tests.sandbox_prima.wire import Line, Order, ask, place, status

BOOK = Line("BOOK", "", "", "2", "14.00", "0.00")
DELIVERY = Line("DELIVERY", "", "", "1", "3.95", "0.66")


def state(prima: PrimaStandIn, number: str = "30000042") -> str:
    return str(ask(prima, status(number))[0].get("OrderStatus"))


def quantities(prima: PrimaStandIn, number: str = "30000042") -> list[tuple[int, int, int]]:
    order = prima.order(number)
    assert order is not None
    return [(line["quantity"], line["dispatched"], line["cancelled"]) for line in order["lines"]]


def test_a_whole_dispatch_ends_the_order_and_empties_the_shelf(prima: PrimaStandIn) -> None:
    place(prima)
    assert prima.dispatch("30000042") == "D900001"
    assert state(prima) == "Despatched"
    assert (prima.physical("HARBRN-F-075"), prima.available("HARBRN-F-075")) == (7, 7)


def test_an_order_leaves_in_two_parts_of_one_line(prima: PrimaStandIn) -> None:
    place(prima)
    prima.dispatch("30000042", {1: 1})
    assert state(prima) == "Part Despatched"
    assert quantities(prima) == [(3, 1, 0)]
    prima.dispatch("30000042")
    assert state(prima) == "Despatched"
    assert quantities(prima) == [(3, 3, 0)]


def test_more_than_is_open_cannot_be_dispatched(prima: PrimaStandIn) -> None:
    place(prima)
    with pytest.raises(ValueError, match="line 1: 4 units asked for, 3 possible"):
        prima.dispatch("30000042", {1: 4})
    with pytest.raises(ValueError, match="no line 2"):
        prima.dispatch("30000042", {2: 1})
    prima.dispatch("30000042")
    with pytest.raises(ValueError, match="nothing to dispatch"):
        prima.dispatch("30000042")
    with pytest.raises(KeyError):
        prima.dispatch("404")


def test_cancelling_a_whole_order_frees_its_stock(prima: PrimaStandIn) -> None:
    place(prima)
    prima.cancel("30000042")
    assert state(prima) == "Cancelled"
    assert prima.available("HARBRN-F-075") == 10
    with pytest.raises(ValueError, match="nothing to cancel"):
        prima.cancel("30000042")


def test_one_line_is_cancelled_and_the_rest_leaves(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(), BOOK]))
    prima.cancel("30000042", [2])
    assert state(prima) == "On Order"
    prima.dispatch("30000042")
    assert state(prima) == "Despatched"
    assert quantities(prima) == [(3, 3, 0), (2, 0, 2)]
    assert prima.available("BOOK") == 4


def test_some_units_of_a_line_are_cancelled(prima: PrimaStandIn) -> None:
    place(prima)
    prima.cancel("30000042", {1: 2})
    assert quantities(prima) == [(3, 0, 2)]
    assert prima.available("HARBRN-F-075") == 9


def test_cancelling_the_rest_of_a_part_dispatched_order_ends_it(prima: PrimaStandIn) -> None:
    place(prima)
    prima.dispatch("30000042", {1: 1})
    prima.cancel("30000042")
    assert state(prima) == "Despatched"
    assert quantities(prima) == [(3, 1, 2)]


def test_delivery_as_a_line_leaves_with_the_first_dispatch(prima: PrimaStandIn) -> None:
    place(prima, Order(lines=[Line(), DELIVERY], delivery="0.00"))
    prima.dispatch("30000042", {1: 1})
    assert quantities(prima) == [(3, 1, 0), (1, 1, 0)]


def place_many(prima: PrimaStandIn, count: int = 30) -> None:
    prima.receive("BOOK", 1000)
    for number in range(count):
        place(prima, Order(str(7000 + number), lines=[Line(), BOOK]))


def test_a_run_of_the_warehouse_is_the_same_for_the_same_seed(make_prima: MakePrima) -> None:
    def run(folder: str, seed: int) -> list[list[tuple[int, int, int]]]:
        prima = make_prima(folder)
        place_many(prima)
        prima.run_warehouse(seed=seed, part=0.3, split=0.3, cancel=0.1)
        return [quantities(prima, number) for number in prima.order_numbers()]

    first, second, other = run("a", 7), run("b", 7), run("c", 8)
    assert first == second
    assert first != other


def test_a_run_dispatches_whole_in_part_and_split_and_a_second_run_finishes(prima: PrimaStandIn) -> None:
    place_many(prima)
    dispatched = prima.run_warehouse(seed=3, part=0.3, split=0.3, cancel=0.1)
    states = {state(prima, number) for number in prima.order_numbers()}
    assert states == {"Despatched", "Part Despatched", "Cancelled"}
    assert len(dispatched) > len([n for n in prima.order_numbers() if state(prima, n) != "Cancelled"])
    prima.run_warehouse(seed=4)
    assert {state(prima, number) for number in prima.order_numbers()} == {"Despatched", "Cancelled"}
    assert prima.run_warehouse(seed=5) == []


def test_a_run_can_be_limited_to_the_oldest_orders(prima: PrimaStandIn) -> None:
    place_many(prima, 3)
    assert prima.run_warehouse(limit=1, part=0, split=0) == ["D900001"]
    assert [state(prima, number) for number in prima.order_numbers()] == ["Despatched", "On Order", "On Order"]
