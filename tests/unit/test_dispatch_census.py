"""The census of dispatches: each dispatch and shipment is counted once, and the lists say age and value."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dispatch_census import (
    CensusDispatch,
    CensusLine,
    CensusOrder,
    CensusShipment,
    DispatchCensus,
    DispatchCensusEvidence,
    DispatchCensusRule,
)
from tasks.decide import dispatch_census as decide

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RULE = DispatchCensusRule(timedelta(hours=24))
ORDER = CensusOrder(
    "000000042",
    "30000042",
    42,
    "GBP",
    NOW - timedelta(days=9),
    [CensusLine(1, 421, "TEE", 3, 5997, is_shipped=True), CensusLine(2, 422, "GIFT", 1, 1000, is_shipped=False)],
)


def a_dispatch(number: str = "D1", *, shipment: str = "", hours: int = 50, told: bool | None = None, units: int = 2):  # type: ignore[no-untyped-def]
    """Return a dispatch of tees."""
    is_told = bool(shipment) if told is None else told
    return CensusDispatch(number, "30000042", NOW - timedelta(hours=hours), {1: units, 2: 1}, is_told, shipment)


def a_shipment(number: str = "7", units: int = 2, *, ours: bool = True, hours: int = 49) -> CensusShipment:
    return CensusShipment(number, f"00000000{number}", 42, NOW - timedelta(hours=hours), {421: units}, ours)


def counted(
    dispatches: list[CensusDispatch], shipments: list[CensusShipment], known: frozenset[str] = frozenset()
) -> DispatchCensus:
    evidence = DispatchCensusEvidence(
        NOW, [ORDER], dispatches, shipments, {"D1": ["CARRIER_UNKNOWN"]}, known_by_hand=known, others=4
    )
    return decide.dispatch_census(evidence, RULE)


def test_a_dispatch_that_magento_does_not_show_is_listed_with_age_value_and_what_holds_it() -> None:
    census = counted([a_dispatch()], [])
    (listed,) = census.not_shipped
    assert (listed.subject, listed.value_pence) == ("dispatch D1", 3998)
    assert listed.detail == "2 of TEE, 2 days old; held by CARRIER_UNKNOWN"
    (note,) = census.exceptions
    assert (note.code, note.value_at_risk_pence) == ("NOT_SHIPPED_IN_MAGENTO", 3998)
    assert census.counts["dispatches"] == 5


def test_a_shipment_that_holds_less_than_its_dispatch_or_is_gone_is_listed_with_the_rest() -> None:
    short, gone = counted([a_dispatch(shipment="7")], [a_shipment(units=1)]), counted([a_dispatch(shipment="7")], [])
    assert [each.value_pence for each in (*short.not_shipped, *gone.not_shipped)] == [1999, 3998]
    assert "shipment 7 does not hold it" in short.not_shipped[0].detail


def test_what_is_shipped_just_left_or_needs_no_shipment_is_not_listed() -> None:
    census = counted(
        [a_dispatch("D1", shipment="7"), a_dispatch("D2", hours=23), a_dispatch("D3", told=True)], [a_shipment()]
    )
    assert (census.not_shipped, census.by_hand, census.exceptions) == ([], [], [])
    assert [census.counts[each] for each in ("shipped", "just left", "nothing to ship")] == [1, 1, 1]


def test_a_shipment_by_hand_is_listed_and_raised_until_a_person_has_seen_it() -> None:
    census = counted([], [a_shipment("8", 1, ours=False), a_shipment("7")])
    (listed,) = census.by_hand
    assert (listed.subject, listed.value_pence) == ("shipment 000000008", 1999)
    assert [note.code for note in census.exceptions] == ["SHIPPED_BY_HAND"]
    again = counted([], [a_shipment("8", 1, ours=False)], frozenset({"shipment 000000008"}))
    assert (len(again.by_hand), again.exceptions) == (1, [])


def test_a_shipment_from_before_prima_had_the_order_is_another_story() -> None:
    assert counted([], [a_shipment("8", ours=False, hours=24 * 10)]).by_hand == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["", "7", "8"]), st.integers(0, 60), st.booleans()), max_size=8),
    st.lists(st.tuples(st.sampled_from(["7", "8", "9"]), st.booleans()), max_size=3, unique_by=lambda each: each[0]),
)
def test_every_dispatch_is_in_one_status_and_the_values_are_never_below_zero(
    dispatches: list[tuple[str, int, bool]], shipments: list[tuple[str, bool]]
) -> None:
    census = counted(
        [a_dispatch(f"D{place}", shipment=each[0], hours=each[1]) for place, each in enumerate(dispatches)],
        [a_shipment(number, ours=ours) for number, ours in shipments],
    )
    assert census.counts["dispatches"] == sum(census.counts[status] for status in decide.STATUSES)
    assert all(each.value_pence >= 0 for each in (*census.not_shipped, *census.by_hand))
