"""What may be meant by a SKU that PRIMA does not know: ranked, each with why; and which of it may be accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents import StockTuple
from schemas.items import ItemIndex
from schemas.suggestions import ALIKE, ONE_TYPO, OTHER_BLANKS, OTHER_CASE, OTHER_SEPARATORS, OTHER_SIZE, Suggester
from tasks.decide import suggestions as decide
from tasks.errors import ConfigurationError

SIZES = ("050", "060", "075")
BOOTS = {f"HARBRN-BLK-{size}": StockTuple("HARBRN", "BLK", size) for size in SIZES}
COAT = {"WAXCOAT-GRN-M": StockTuple("WAXCOAT", "GRN", "M")}
ITEMS = {**BOOTS, **COAT, "TEE NAVY M": StockTuple("TEE", "NAVY", "M")}


def meant(sku: str, **items: StockTuple) -> list[tuple[str, str]]:
    """Return each suggestion for a SKU with its reason."""
    found = Suggester({each: {item} for each, item in (items or ITEMS).items()}).suggestions(sku)
    return [(each.sku, each.why) for each in found]


@pytest.mark.parametrize(
    ("asked", "first", "why"),
    [
        ("harbrn-blk-075", "HARBRN-BLK-075", OTHER_CASE),
        ("TEENAVY M", "TEE NAVY M", OTHER_BLANKS),
        (" HARBRN-BLK-075 ", "HARBRN-BLK-075", OTHER_BLANKS),
        ("HARBRN_BLK/075", "HARBRN-BLK-075", OTHER_SEPARATORS),
        ("HARBRN-BLK-O75", "HARBRN-BLK-075", ONE_TYPO),  # the letter O
        ("HARBRN-BLK-75", "HARBRN-BLK-075", ONE_TYPO),
        ("WAXCOTA-GRN-M", "WAXCOAT-GRN-M", ONE_TYPO),  # two neighbours changed places
        ("WAXCOAT-GRN-XL", "WAXCOAT-GRN-M", OTHER_SIZE),
        ("HARBRN-BLACK-075", "HARBRN-BLK-075", ALIKE),
    ],
)
def test_the_best_suggestion_says_what_differs(asked: str, first: str, why: str) -> None:
    assert meant(asked)[0] == (first, why)


def test_another_size_is_never_taken_for_a_typo() -> None:
    assert meant("HARBRN-BLK-055") == [
        ("HARBRN-BLK-050", OTHER_SIZE),
        ("HARBRN-BLK-075", OTHER_SIZE),
        ("HARBRN-BLK-060", OTHER_SIZE),
    ]


def test_what_only_begins_alike_is_no_other_size() -> None:
    found = meant("AW26-COAT", **{"AW26-BOOT": StockTuple("BOOT"), "AW26-TEE": StockTuple("TEE")})

    assert OTHER_SIZE not in {why for _, why in found}


def test_one_item_is_suggested_once_for_its_best_reason_and_at_most_three_are() -> None:
    found = meant("harbrn-blk-075")

    assert found[0] == ("HARBRN-BLK-075", OTHER_CASE)
    assert len(found) == 3
    assert len({sku for sku, _ in found}) == 3


@given(st.text("AB-0 ", max_size=6), st.lists(st.text("ABab-0O ", min_size=1, max_size=6), max_size=6))
def test_a_suggestion_is_always_another_sku_that_prima_has(asked: str, skus: list[str]) -> None:
    index = ItemIndex([(sku, StockTuple(sku)) for sku in skus])

    problem = index.problem(asked)

    if problem is not None:
        assert set(problem.suggestions) <= set(skus) - {asked}
        assert all(each.why for each in problem.meant)


def test_an_accepted_suggestion_gives_the_item_and_leaves_primas_own_sku_as_it_is() -> None:
    index = ItemIndex(ITEMS.items(), accepted={"harbrn-blk-075": "HARBRN-BLK-075"})

    assert index.problem("harbrn-blk-075") is None
    assert index.item("harbrn-blk-075") == BOOTS["HARBRN-BLK-075"]
    assert index.item("HARBRN-BLK-075") == BOOTS["HARBRN-BLK-075"]
    assert index.sku(BOOTS["HARBRN-BLK-075"]) == "HARBRN-BLK-075"


def test_an_accepted_suggestion_wins_over_the_items_and_the_settings_over_it() -> None:
    accepted = {"BOOT": "COAT", "HAT": "COAT"}
    index = ItemIndex(
        [("BOOT", StockTuple("B")), ("COAT", StockTuple("C"))], {"HAT": StockTuple("H")}, accepted=accepted
    )

    assert index.item("BOOT") == StockTuple("C")
    assert index.item("HAT") == StockTuple("H")


def test_an_accepted_suggestion_ends_with_the_item_that_it_names() -> None:
    index = ItemIndex([("WAXCOAT-GRN-M", COAT["WAXCOAT-GRN-M"])], accepted={"boot": "BOOT"})

    problem = index.problem("boot")

    assert problem is not None
    assert problem.code == "SKU_UNKNOWN"


def test_stock_goes_to_the_accepted_sku_where_magento_keeps_it_under_that_one() -> None:
    coat = COAT["WAXCOAT-GRN-M"]
    accepted = {"waxcoat": "WAXCOAT-GRN-M", "coat": "WAXCOAT-GRN-M"}

    assert ItemIndex(COAT.items(), accepted=accepted, stocked=["waxcoat"]).sku(coat) == "waxcoat"
    assert ItemIndex(COAT.items(), accepted=accepted, stocked=["waxcoat", "coat"]).sku(coat) is None
    assert ItemIndex(COAT.items(), {"WAX": coat}, accepted=accepted, stocked=["coat"]).sku(coat) == "WAX"


def test_accepting_for_an_ambiguous_sku_lets_this_one_through_and_no_other() -> None:
    rows = [("BOOT", StockTuple("B")), ("OLD-BOOT", StockTuple("B"))]
    index = ItemIndex(rows, accepted={"BOOT": "OLD-BOOT"})

    assert index.item("BOOT") == StockTuple("B")
    assert index.problem("OLD-BOOT") is not None


@pytest.mark.parametrize(
    ("sku", "accept", "by", "waiting", "why"),
    [
        ("harbrn-blk-075", "HARBRN-BLK-075", "  ", ["1"], "nobody is named"),
        ("HARBRN-BLK-075", "HARBRN-BLK-060", "jane", ["1"], "it has an item already"),
        ("harbrn-blk-075", "HARBRN-BLK-075", "jane", [], "no open exception"),
        ("harbrn-blk-075", "WAXCOAT-GRN-M", "jane", ["1"], "WAXCOAT-GRN-M is not suggested for it"),
        ("GIFT", "WAXCOAT-GRN-M", "jane", ["1"], "there is no suggestion for it"),
    ],
)
def test_what_does_not_fit_is_refused_with_why(sku: str, accept: str, by: str, waiting: list[str], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        decide.accepted(sku, accept, by, waiting, ItemIndex(ITEMS.items()))


def test_a_suggestion_that_fits_is_accepted_with_its_reason() -> None:
    found = decide.accepted("harbrn-blk-075", "HARBRN-BLK-075", "jane", ["1"], ItemIndex(ITEMS.items()))

    assert (found.sku, found.why) == ("HARBRN-BLK-075", OTHER_CASE)
