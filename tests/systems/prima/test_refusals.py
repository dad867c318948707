"""Error texts of PRIMA: split into blocks, cut at development traces, and the cause found."""

import pytest

from tasks.systems.prima import DuplicateOrderError
from tasks.systems.prima.refusals import blocks_of, cause_of, refusal

SUMMARY = "(E:194) There were no Valid Order Lines found for the  Current Order "
VAT = "(E:548) Price obtained from the Price Book has a different VAT Incl Prices Value "
NOISE = "(E:194) NO VALID Sales Order Header Details for Line "
MATRIX = "(E:194) NO VALID Sales Order Line Details for Matrix Levels "
TRACE = "DEV MODE Stack Trace (Msg - E:ErrMsg): sop/wsomhandler.p sop/wsneword.p "
DUPLICATE = "(E:21) Sales Order Header already exists with Order Number equal to 30000042 "


@pytest.mark.parametrize("trace", ["", TRACE])
def test_the_cause_is_neither_the_summary_before_it_nor_the_noise_around_it(trace: str) -> None:
    text = " ".join(block + trace for block in (NOISE, SUMMARY, VAT, MATRIX))
    blocks = blocks_of([text, text])
    assert [block.kind for block in blocks] == ["noise", "summary", "cause", "noise"]
    assert cause_of(blocks).code == "E:548"
    assert all("DEV MODE" not in block.text for block in blocks)


def test_a_general_number_with_another_text_is_a_cause() -> None:
    blocks = blocks_of([SUMMARY + "(E:194) Charge does not exist with Charge Code equal to X1 "])
    assert cause_of(blocks).text == "Charge does not exist with Charge Code equal to X1"


def test_a_summary_alone_is_told_rather_than_the_noise() -> None:
    assert cause_of(blocks_of([NOISE + SUMMARY])).kind == "summary"


def test_a_text_without_blocks_keeps_its_message_number() -> None:
    (block,) = blocks_of(["The XML may be Invalid. SAX parser error. (14586)"])
    assert (block.code, block.kind) == ("14586", "cause")
    assert cause_of(blocks_of([])).text == "PRIMA gave no reason"


def test_a_duplicate_is_told_by_number_and_text_even_among_others() -> None:
    error = refusal([SUMMARY + DUPLICATE + NOISE], operation="MultiNewOrder", reference="30000042", answer="raw")
    assert isinstance(error, DuplicateOrderError)
    assert (error.code, error.answer) == ("E:21", "raw")
    other = refusal(["(E:21) Customer already exists"], operation="MultiNewOrder", reference="1", answer="")
    assert not isinstance(other, DuplicateOrderError)
    assert other.code == "E:21"
