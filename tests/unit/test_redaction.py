"""Texts of other systems lose what names or reaches a customer, and keep the words that say what is wrong."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.personal import split
from schemas.redaction import HIDDEN, telling_words, without, without_contacts


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("The e-mail zoe.owl+1@mail.example.test is taken.", f"The e-mail {HIDDEN} is taken."),
        ("Telephone 01632 960001 is not valid", f"Telephone {HIDDEN} is not valid"),
        ("+44 (0)7700 900123 or 020 7946 0001?", f"{HIDDEN} or {HIDDEN}?"),
        ("Postcode SE15 4AB is unknown", f"Postcode {HIDDEN} is unknown"),
        ("SQLSTATE[23000]: Duplicate, query was: INSERT INTO t VALUES ('Zoe')", f"SQLSTATE[23000]: Duplicate{HIDDEN}"),
    ],
)
def test_contacts_and_statements_are_taken_out(said: str, left: str) -> None:
    assert without_contacts(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "(E:21) Sales Order Header already exists with Order Number 30000020",
        "PRIMA, MultiNewOrder, 30000101: no answer in time at 2026-11-24 09:00:00 [requestID 0123456789abcdef]",
        "order 000000101: 3 x 19.99, VAT 9.99; SKU DRESS-RED-10, 5000012345678",
        "could not save line 12/34: 01/12/2026 10:30",
    ],
)
def test_numbers_of_orders_times_and_amounts_stay(said: str) -> None:
    assert without_contacts(said) == said


def test_each_value_and_each_word_of_a_name_goes_in_any_case_and_free_text_stays_readable() -> None:
    record = {
        "customer_firstname": "Zoë",
        "customer_lastname": "van Owl",
        "billing_address": {"street": ["12 Owl Lane", "Flat 3"], "city": "Llanfair"},
        "gift": "please send this order soon",
    }
    parts = split("magento order", "application/json", json.dumps(record, ensure_ascii=False).encode())
    assert parts.personal is not None
    words = telling_words(parts.body, parts.personal)

    said = "Order of ZOË VAN  OWL, 12 owl lane, LLANFAIR is locked; please send this order soon. Owlets stay."
    assert without(said, words) == (
        f"Order of {HIDDEN} {HIDDEN}, {HIDDEN}, {HIDDEN} is locked; please send this order soon. Owlets stay."
    )
    request = '<Data CustomerForename="Anne &amp; Bo" AddrLine1="D&apos;Arcy Row" Narrative="order"/>'
    parts = split("prima order request", "application/xml", request.encode())
    assert parts.personal is not None
    said = "(E:1) the order of anne & bo, D'ARCY ROW"
    assert without(said, telling_words(parts.body, parts.personal)) == f"(E:1) the order of {HIDDEN}, {HIDDEN}"


@given(st.text("abc xyz.,", max_size=60), st.lists(st.text("abc", min_size=3, max_size=4), max_size=4))
def test_no_value_is_left_as_a_word(text: str, words: list[str]) -> None:
    left = without(text.upper(), words).replace(HIDDEN, " ")

    assert not {word.upper() for word in words} & set(re.findall(r"\w+", left))
