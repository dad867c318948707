"""Money is exact: nothing that is not whole pence becomes pence, and nothing is lost on the way to text and back."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import LARGEST_POUNDS, pounds_text, show, to_pence, to_pounds, vat_in_gross

PENCE = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(("amount", "pence"), [("19.99", 1999), (14, 1400), (Decimal("14.5"), 1450), ("-0.01", -1)])
def test_text_whole_numbers_and_decimals_become_pence(amount: str | int | Decimal, pence: int) -> None:
    assert to_pence(amount) == pence


def test_decimals_beyond_pence_are_accepted_only_when_they_are_nothing() -> None:
    assert to_pence("43.9400") == 4394
    assert to_pence(Decimal("-0.0000")) == 0


@pytest.mark.parametrize(
    "amount",
    [
        19.99,
        0.0,
        float("nan"),
        True,
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        Decimal("NaN"),
        "",
        "free",
        "12,50",
        "£5",
        None,
        [],
        {},
    ],
)
def test_floats_and_what_is_no_number_are_refused(amount: Any) -> None:
    with pytest.raises(ValueError, match=r"cannot hold money|is not an amount of money"):
        to_pence(amount)


@pytest.mark.parametrize(
    "amount", ["0.001", "3.55e-15", "19.995", Decimal("1E-300"), "0.0100000000000000000000000000001"]
)
def test_what_is_not_whole_pence_is_refused_and_never_rounded(amount: str | Decimal) -> None:
    with pytest.raises(ValueError, match="not a whole number of pence"):
        to_pence(amount)


def test_an_amount_that_no_column_of_sums_could_hold_is_refused() -> None:
    assert to_pence(LARGEST_POUNDS) < 2**63 // 10_000
    with pytest.raises(ValueError, match="too large"):
        to_pence("1e30")
    with pytest.raises(ValueError, match="too large"):
        to_pence(-LARGEST_POUNDS - 1)


@given(PENCE)
def test_pence_survive_the_way_to_pounds_and_to_text_and_back(pence: int) -> None:
    assert to_pence(to_pounds(pence)) == pence
    assert to_pence(pounds_text(pence)) == pence
    assert pounds_text(pence).lstrip("-").partition(".")[2].__len__() == 2


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=4))
def test_an_amount_becomes_pence_exactly_or_not_at_all(amount: Decimal) -> None:
    is_whole = (amount * 10_000) % 100 == 0
    try:
        pence = to_pence(amount)
    except ValueError:
        assert not is_whole
    else:
        assert is_whole
        assert Decimal(pence) == amount * 100


@given(PENCE)
def test_money_for_people_has_a_sign_a_symbol_and_thousands(pence: int) -> None:
    shown = show(pence)
    assert shown.startswith("-£" if pence < 0 else "£")
    assert to_pence(shown.replace("£", "").replace(",", "")) == pence


def test_money_for_people_names_a_currency_without_a_symbol() -> None:
    assert show(199999) == "£1,999.99"
    assert show(-1) == "-£0.01"
    assert show(1200, "EUR") == "€12.00"
    assert show(1200, "SEK") == "SEK 12.00"


@pytest.mark.parametrize(
    ("gross", "rate", "vat"),
    [(5997, "20", 1000), (1999, "20", 333), (9999, "5", 476), (1000, "0", 0), (3, "20", 1), (-3, "20", -1)],
)
def test_vat_inside_a_gross_amount_is_rounded_half_up(gross: int, rate: str, vat: int) -> None:
    assert vat_in_gross(gross, Decimal(rate)) == vat
