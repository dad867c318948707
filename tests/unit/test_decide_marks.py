"""What the Magento order shows: each change once, a problem above the rest, and no status where it does not belong."""

from dataclasses import replace

from schemas.marks import MarkedOrder, MarkRule, Parcel
from tasks.decide import marks as decide

OPEN = frozenset({"new", "processing"})
RULES = {
    1: {
        "accepted": MarkRule("in_prima", OPEN, has_comment=True, is_visible=False),
        "dispatched": MarkRule("", OPEN, has_comment=True, is_visible=True),
        "problem": MarkRule("in_trouble", OPEN, has_comment=True, is_visible=False),
    }
}
ORDER = MarkedOrder("000000042", 42, 1, "accepted", "30000042")


def test_a_mark_is_written_once_and_only_where_the_store_has_a_rule_for_it() -> None:
    (request,) = decide.marks([ORDER], RULES)
    assert (request.status, request.comment) == ("in_prima", "PRIMA: accepted as 30000042")
    assert decide.marks([replace(ORDER, told="accepted")], RULES) == []
    assert decide.marks([replace(ORDER, store_id=2)], RULES) == []
    assert decide.marks([replace(ORDER, reached="part_dispatched", told="accepted")], RULES) == []


def test_a_problem_stands_above_how_far_the_order_is() -> None:
    troubled = replace(ORDER, reached="dispatched", told="accepted", problems=("SHIPMENT_REFUSED",))
    (request,) = decide.marks([troubled], RULES)
    assert (request.mark, request.status) == ("problem", "in_trouble")
    assert request.comment == "PRIMA: needs attention: SHIPMENT_REFUSED"
    assert decide.marks([replace(troubled, told="problem")], RULES) == []


def test_when_the_problem_is_solved_the_status_before_it_comes_back_unless_somebody_wrote_another() -> None:
    told = replace(ORDER, reached="dispatched", told="problem", status="in_trouble", status_before="processing")
    (request,) = decide.marks([told], RULES)
    assert (request.mark, request.status, request.status_to_replace) == ("dispatched", "processing", "in_trouble")
    assert request.comment == "PRIMA: problem solved, dispatched"
    (back,) = decide.marks([replace(told, reached="accepted")], RULES)
    assert (back.status, back.status_to_replace) == ("in_prima", "")


def test_parcels_are_named_with_their_page_and_nothing_that_is_not_plain_text() -> None:
    parcels = [Parcel("DPD", "1550", "https://tracking.example/1550"), Parcel("DPD", "<script>", "")]
    (request,) = decide.marks([replace(ORDER, reached="dispatched", told="accepted", parcels=parcels)], RULES)
    assert request.comment == (
        "PRIMA: dispatched: DPD 1550 https://tracking.example/1550; DPD a number of 8 characters that is not plain text"
    )
    assert request.is_visible
