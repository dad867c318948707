"""Dispatch links, and mappings with their history."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tasks.systems.ledger import DispatchLink, Ledger, LedgerStateError, MappingVersion
from tests.systems.ledger.conftest import TestClock


def test_a_dispatch_is_linked_to_its_shipment_step_by_step(ledger: Ledger, clock: TestClock) -> None:
    seen_at = clock()
    ledger.link_dispatch("D100", "000000101", "", "held")
    linked_at = clock.passes(minutes=1)
    ledger.link_dispatch("D100", "000000101", "57", "shipped")
    expected = DispatchLink("D100", "000000101", "57", "shipped", seen_at, linked_at)
    assert ledger.dispatch_link("D100") == expected
    assert ledger.dispatches_known(["D100", "D999"]) == {"D100": expected}
    assert ledger.dispatch_links_of("000000101") == [expected]
    assert ledger.dispatch_link("D999") is None


def test_a_shipment_once_linked_stays(ledger: Ledger) -> None:
    ledger.link_dispatch("D100", "000000101", "57", "shipped")
    ledger.link_dispatch("D100", "000000101", "", "tracked")
    with pytest.raises(LedgerStateError, match=r"D100.*shipment 57"):
        ledger.link_dispatch("D100", "000000101", "58", "shipped")
    with pytest.raises(LedgerStateError, match=r"belongs to order 000000101"):
        ledger.link_dispatch("D100", "000000102", "57", "shipped")
    link = ledger.dispatch_link("D100")
    assert link is not None
    assert (link.shipment_id, link.state) == ("57", "tracked")


def test_of_eight_workers_that_link_one_dispatch_one_shipment_stays(ledger: Ledger) -> None:
    start = Barrier(8)

    def worker(shipment: int) -> bool:
        start.wait()
        try:
            ledger.link_dispatch("D100", "000000101", str(shipment), "shipped")
        except LedgerStateError:
            return False
        return True

    ledger.link_dispatch("D100", "000000101", "", "seen")
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(worker, range(1, 9))) == 1


def test_a_mapping_has_one_value_and_remembers_the_others(ledger: Ledger, clock: TestClock) -> None:
    first_at = clock()
    ledger.set_mapping("sku", "DRESS-RED-10", {"product": "DRS1"}, "jane")
    second_at = clock.passes(days=1)
    ledger.set_mapping("sku", "DRESS-RED-10", {"product": "DRS2"}, "ali")
    ledger.set_mapping("sku", "DRESS-RED-10", {"product": "DRS2"}, "jane")  # says nothing new
    ledger.set_mapping("carrier", "DPD", {"title": "DPD UK"}, "ali")
    assert ledger.mapping("sku", "DRESS-RED-10") == {"product": "DRS2"}
    assert ledger.mapping("sku", "HAT") is None
    assert ledger.mappings("sku") == {"DRESS-RED-10": {"product": "DRS2"}}
    assert ledger.mapping_history("sku", "DRESS-RED-10") == [
        MappingVersion("sku", "DRESS-RED-10", {"product": "DRS1"}, "jane", first_at, "ali", second_at),
        MappingVersion("sku", "DRESS-RED-10", {"product": "DRS2"}, "ali", second_at, "", None),
    ]


def test_a_mapping_can_be_dropped_and_set_again(ledger: Ledger) -> None:
    ledger.set_mapping("sku", "HAT", {"product": "HAT"}, "jane")
    assert ledger.drop_mapping("sku", "HAT", "ali")
    assert not ledger.drop_mapping("sku", "HAT", "ali")
    assert ledger.mapping("sku", "HAT") is None
    assert ledger.mappings("sku") == {}
    ledger.set_mapping("sku", "HAT", {"product": "HAT"}, "jane")
    assert [version.ended_by for version in ledger.mapping_history("sku", "HAT")] == ["ali", ""]


def test_of_eight_workers_that_set_one_mapping_one_value_is_current(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ledger.set_mapping("sku", "HAT", {"product": str(number)}, "w"), range(8)))
    history = ledger.mapping_history("sku", "HAT")
    assert len(history) == 8
    assert sum(version.ended_at is None for version in history) == 1
