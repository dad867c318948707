"""Why PRIMA refuses: the recorded error texts, and the stand-in's own where none is known.

Recorded: E:21, E:548, E:194. Everything under ASSUMED is the stand-in's own wording; only E:194 as a
general-purpose number is known.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

STACK = "sop/wsomhandler.p sop/wsneword.p sop/wsvalord.p sop/wserrmsg.p"


@dataclass(frozen=True)
class Refusal:
    """One error block: number, message key and text."""

    number: int
    key: str
    text: str


VAT_INCLUSIVE_MISMATCH = Refusal(
    548, "E:VATINCORD", "Price obtained from the Price Book has a different VAT Incl Prices Value "
)
NO_VALID_LINES = Refusal(194, "E:ErrMsg", "There were no Valid Order Lines found for the  Current Order ")
NOISE_LINE = Refusal(194, "E:ErrMsg", "NO VALID Sales Order Header Details for Line ")
NOISE_CHARGES = Refusal(194, "E:ErrMsg", "NO VALID Sales Order Header Details for Charges ")
NOISE_MATRIX = Refusal(194, "E:ErrMsg", "NO VALID Sales Order Line Details for Matrix Levels ")


def duplicate(order_number: str) -> Refusal:
    """Return E:21: the number is taken."""
    return Refusal(21, "E:Exist1", f"Sales Order Header already exists with Order Number equal to {order_number} ")


# ASSUMED texts.


def unknown_item(codes: tuple[str, ...]) -> Refusal:
    """Return the refusal of a stock tuple that does not exist."""
    return _assumed(f"Product does not exist with Product and Matrix Levels equal to {' '.join(codes).strip()} ")


def inactive_item(codes: tuple[str, ...]) -> Refusal:
    """Return the refusal of an item that may not be sold."""
    return _assumed(f"Product is not active with Product and Matrix Levels equal to {' '.join(codes).strip()} ")


def bad_value(element: str, attribute: str, value: str) -> Refusal:
    """Return the refusal of a value that cannot be read."""
    return _assumed(f"{element} {attribute} has an Invalid Value equal to {value} ")


def unknown_charge(code: str) -> Refusal:
    """Return the refusal of a charge code that is not set up."""
    return _assumed(f"Charge does not exist with Charge Code equal to {code} ")


def on_demand(text: str, values: Callable[[str], str | None]) -> Refusal:
    """Return the refusal of a planned fault: its text, with attributes of the order where it names them in braces."""
    return _assumed(re.sub(r"\{(\w+)\}", lambda found: values(found[1]) or "", text))


def _assumed(text: str) -> Refusal:
    return Refusal(194, "E:ErrMsg", text)


def error_text(refusals: list[Refusal], dev_mode: bool) -> str:
    """Return the blocks as they stand in an `Error` attribute: one a line, each with its trace in DEV MODE."""
    blocks = []
    for refusal in refusals:
        trace = f" DEV MODE Stack Trace (Msg - {refusal.key}): {STACK}" if dev_mode else ""
        blocks.append(f"(E:{refusal.number}) {refusal.text}{trace}")
    return "\n".join(blocks)
