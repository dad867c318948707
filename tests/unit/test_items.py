"""From SKU to stock tuple: exact, case-sensitive, and refused with a suggestion rather than guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents import StockTuple
from schemas.items import ItemIndex

BOOT = StockTuple("HARBRN", "BLK", "075")
COAT = StockTuple("WAXCOAT", "GRN", "M")
PATTERN = r"(?P<product>[A-Z]+)-(?P<mtrx1>[A-Z]+)-(?P<mtrx2>\d+)"


def code(index: ItemIndex, sku: str) -> str:
    """Return the code with which a SKU is refused, or nothing."""
    problem = index.problem(sku)
    return problem.code if problem else ""


def test_a_sku_of_one_item_is_that_item_and_the_item_is_that_sku() -> None:
    index = ItemIndex([("HARBRN-BLK-075", BOOT), ("WAXCOAT-GRN-M", COAT)])

    assert index.problem("HARBRN-BLK-075") is None
    assert index.item("HARBRN-BLK-075") == BOOT
    assert index.sku(BOOT) == "HARBRN-BLK-075"
    assert index.sku(StockTuple("NEVER")) is None
    assert len(index) == 2


def test_an_item_that_the_extract_repeats_is_still_one_item() -> None:
    index = ItemIndex([("HARBRN-BLK-075", BOOT), ("HARBRN-BLK-075", BOOT)])

    assert index.item("HARBRN-BLK-075") == BOOT
    assert index.sku(BOOT) == "HARBRN-BLK-075"


def test_another_spelling_of_upper_and_lower_case_is_not_the_same_sku() -> None:
    index = ItemIndex([("HARBRN-BLK-075", BOOT), ("WAXCOAT-GRN-M", COAT)])

    problem = index.problem("Harbrn-Blk-075")

    assert problem is not None
    assert (problem.code, problem.suggestions) == ("SKU_CASE", ("HARBRN-BLK-075",))
    with pytest.raises(KeyError):
        index.item("Harbrn-Blk-075")


@pytest.mark.parametrize("sku", ["HARBRN-BLK-O75", "HARBRN BLK 075", "HARBRNBLK075", "harbrn_blk_075", "HARBRN-BLK-75"])
def test_a_near_miss_is_unknown_with_what_may_be_meant(sku: str) -> None:
    problem = ItemIndex([("HARBRN-BLK-075", BOOT), ("WAXCOAT-GRN-M", COAT)]).problem(sku)

    assert problem is not None
    assert (problem.code, problem.suggestions) == ("SKU_UNKNOWN", ("HARBRN-BLK-075",))
    assert "meant may be HARBRN-BLK-075" in problem.detail


def test_a_sku_like_no_other_is_unknown_without_a_suggestion() -> None:
    problem = ItemIndex([("HARBRN-BLK-075", BOOT)]).problem("GIFT")

    assert problem is not None
    assert (problem.code, problem.detail, problem.suggestions) == ("SKU_UNKNOWN", "PRIMA has no item GIFT", ())


def test_at_most_three_suggestions_are_made() -> None:
    rows = [(f"HARBRN-BLK-0{number}", StockTuple("HARBRN", str(number))) for number in range(50, 59)]

    problem = ItemIndex(rows).problem("HARBRN-BLK-049")

    assert problem is not None
    assert len(problem.suggestions) == 3


def test_a_sku_of_two_items_is_ambiguous() -> None:
    index = ItemIndex([("BOOT", BOOT), ("BOOT", COAT)])

    assert code(index, "BOOT") == "SKU_AMBIGUOUS"
    assert index.sku(BOOT) is None
    with pytest.raises(KeyError):
        index.item("BOOT")


def test_two_skus_of_one_item_are_ambiguous_and_name_each_other() -> None:
    index = ItemIndex([("BOOT", BOOT), ("OLD-BOOT", BOOT)])

    problem = index.problem("BOOT")

    assert problem is not None
    assert (problem.code, problem.suggestions) == ("SKU_AMBIGUOUS", ("OLD-BOOT",))
    assert "shares its item with OLD-BOOT" in problem.detail
    assert code(index, "OLD-BOOT") == "SKU_AMBIGUOUS"
    assert index.sku(BOOT) is None


def test_what_the_settings_map_wins_over_the_extract() -> None:
    index = ItemIndex([("BOOT", BOOT), ("COAT", COAT)], {"BOOT": COAT})

    assert index.item("BOOT") == COAT
    assert index.sku(COAT) == "BOOT"


def test_what_the_settings_map_ends_an_ambiguity() -> None:
    assert ItemIndex([("BOOT", BOOT), ("BOOT", COAT)], {"BOOT": BOOT}).item("BOOT") == BOOT
    shared = ItemIndex([("BOOT", BOOT), ("OLD-BOOT", BOOT)], {"BOOT": BOOT})
    assert shared.item("BOOT") == BOOT
    assert shared.sku(BOOT) == "BOOT"


def test_what_the_settings_map_needs_no_extract() -> None:
    index = ItemIndex([], {"boot": BOOT})

    assert index.item("boot") == BOOT
    assert index.sku(BOOT) == "boot"


def test_a_pattern_takes_a_sku_apart() -> None:
    index = ItemIndex([], pattern=PATTERN)

    assert index.item("HARBRN-BLK-075") == BOOT
    assert code(index, "HARBRN-BLK") == "SKU_UNKNOWN"
    assert code(index, "HARBRN-BLK-075-X") == "SKU_UNKNOWN"
    assert code(index, "harbrn-blk-075") == "SKU_UNKNOWN"


def test_a_pattern_that_finds_no_product_in_a_sku_gives_no_item() -> None:
    index = ItemIndex([], pattern=r"(?P<product>[A-Z]*)-(?P<mtrx1>\d+)")

    assert code(index, "-5") == "SKU_UNKNOWN"
    with pytest.raises(KeyError):
        index.item("-5")


def test_what_the_settings_map_wins_over_the_pattern() -> None:
    assert ItemIndex([], {"HARBRN-BLK-075": COAT}, PATTERN).item("HARBRN-BLK-075") == COAT


def test_tuples_whose_parts_read_the_same_in_a_row_are_different_items() -> None:
    index = ItemIndex([("FIRST", StockTuple("AB", "C")), ("SECOND", StockTuple("A", "BC"))])

    assert index.item("FIRST") != index.item("SECOND")
    assert index.sku(StockTuple("AB", "C")) == "FIRST"
    assert index.sku(StockTuple("A", "BC")) == "SECOND"
    assert index.sku(StockTuple("ABC")) is None
    assert code(index, "ABC") == "SKU_UNKNOWN"


TEXT = st.text("AB-", min_size=1, max_size=3)


@given(st.lists(st.tuples(TEXT, st.builds(StockTuple, TEXT, TEXT, TEXT)), max_size=8), TEXT)
def test_a_sku_is_given_an_item_only_where_both_belong_to_one_another_alone(
    rows: list[tuple[str, StockTuple]], asked: str
) -> None:
    index = ItemIndex(rows)
    items = {item for sku, item in rows if sku == asked}
    skus = {sku for sku, item in rows if item in items}

    if len(items) == 1 and skus == {asked}:
        (item,) = items
        assert index.item(asked) == item
        assert index.sku(item) == asked
    else:
        assert index.problem(asked) is not None
        with pytest.raises(KeyError):
            index.item(asked)
        assert all(index.sku(item) != asked for item in items)
