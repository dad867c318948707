"""PRIMA's error texts: split into blocks, and the block that is the cause found among its consequences.

A refusal holds several `(E:<number>) <text>` blocks, and the order of blocks is not the order of causes: E:194
"no valid order lines" stands before the E:548 that made the lines invalid. E:194 is a number for many things, so texts
are matched as well as numbers.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from schemas.personal import split
from schemas.redaction import telling_words, without, without_contacts
from tasks.errors import CallRefusedError, IntegrationError, OutcomeUnknownError, SystemUnavailableError
from tasks.settings import ErrorClassSettings

BlockKind = Literal["cause", "summary", "noise"]
CauseKind = Literal["retry", "park", "unavailable", "duplicate"]

_BLOCK = re.compile(r"\(E:(\d+)\)")
_MESSAGE_NUMBER = re.compile(r"\((\d+)\)\s*\.?\s*$")
_DEVELOPMENT = "DEV MODE"
_SUMMARIES = (("E:194", "There were no Valid Order Lines found for the Current Order"),)
_NOISE = (
    ("E:194", "NO VALID Sales Order Header Details for"),
    ("E:194", "NO VALID Sales Order Line Details for"),
)
_DUPLICATE = ("E:21", "Sales Order Header already exists with Order Number")

_NEXT_STEPS = {
    "E:548": "Set prima.orders.vat_inclusive as PRIMA's price book has it, or correct the price book.",
    "14586": "PRIMA could not read the request: never send it again unchanged.",
}


@dataclass(frozen=True, slots=True)
class ErrorBlock:
    """One error of PRIMA: `code` is `E:548`, a plain OpenEdge message number (`14586`), or empty.

    `cause` says what to do about it, when it is one.
    """

    code: str
    text: str
    kind: BlockKind
    cause: CauseKind = "retry"


class PrimaRefusedError(CallRefusedError):
    """PRIMA answered ERROR. `answer` is the raw answer document, `blocks` its errors, `code` that of the cause."""

    answer: str = ""
    blocks: tuple[ErrorBlock, ...] = ()
    is_development_answer: bool = False


class DuplicateOrderError(PrimaRefusedError):
    """PRIMA already holds an order under this number (E:21): look whether it is ours."""


class UnclearAnswerError(OutcomeUnknownError):
    """PRIMA answered, but neither OK nor ERROR can be read from it. `answer` is what came, as far as it came."""

    answer: str = ""


def _is_one_of(code: str, text: str, known: Iterable[tuple[str, str]]) -> bool:
    return any(code == number and text.casefold().startswith(start.casefold()) for number, start in known)


def _block(code: str, text: str, classes: Sequence[ErrorClassSettings]) -> ErrorBlock:
    plain = " ".join(text.partition(_DEVELOPMENT)[0].split())
    if not code:
        number = _MESSAGE_NUMBER.search(plain)
        code = number.group(1) if number else ""
    own = next((each.kind for each in classes if _belongs(code, plain, each)), None)
    if own == "summary" or own == "noise":
        return ErrorBlock(code, plain, own)
    if own is not None:
        return ErrorBlock(code, plain, "cause", own)
    if _is_one_of(code, plain, _SUMMARIES):
        return ErrorBlock(code, plain, "summary")
    if _is_one_of(code, plain, _NOISE):
        return ErrorBlock(code, plain, "noise")
    return ErrorBlock(code, plain, "cause", "duplicate" if _is_one_of(code, plain, [_DUPLICATE]) else "retry")


def _belongs(code: str, text: str, entry: ErrorClassSettings) -> bool:
    begins = " ".join(entry.begins.split()).casefold()
    return entry.code in ("", code) and text.casefold().startswith(begins)


def blocks_of(texts: Iterable[str], classes: Sequence[ErrorClassSettings] = ()) -> tuple[ErrorBlock, ...]:
    """Return the errors in PRIMA's error texts, in their order, each once, without development traces.

    `classes` are the `[[prima.errors]]` of the settings; they come before the known ones.
    """
    found: dict[ErrorBlock, None] = {}
    for text in texts:
        before, *rest = _BLOCK.split(text)
        parts = [("", before), *((f"E:{number}", words) for number, words in zip(rest[::2], rest[1::2], strict=True))]
        for code, words in parts:
            block = _block(code, words, classes)
            if block.text or block.code:
                found.setdefault(block)
    return tuple(found)


def cause_of(blocks: Iterable[ErrorBlock]) -> ErrorBlock:
    """Return the first block that is neither summary nor noise; failing that the first summary, then the first."""
    known = list(blocks)
    for kind in ("cause", "summary", "noise"):
        for block in known:
            if block.kind == kind:
                return block
    return ErrorBlock("", "PRIMA gave no reason", "cause")


def refusal(
    texts: Iterable[str],
    *,
    operation: str,
    reference: str,
    answer: str,
    classes: Sequence[ErrorClassSettings] = (),
) -> PrimaRefusedError | SystemUnavailableError:
    """Return the error for an answer that says ERROR with these texts.

    DuplicateOrderError when one of them is E:21 or of the class `duplicate`; SystemUnavailableError when every cause is
    of the class `unavailable`: PRIMA did nothing, and says that it could not.
    """
    texts = list(texts)
    blocks = blocks_of(texts, classes)
    causes = [block for block in blocks if block.kind == "cause"]
    duplicate = next((block for block in causes if block.cause == "duplicate"), None)
    cause = duplicate or cause_of(blocks)
    reason = f"{f'({cause.code}) ' if cause.code else ''}{without_contacts(cause.text).rstrip('. ')}"
    if causes and all(block.cause == "unavailable" for block in causes):
        return SystemUnavailableError(
            f"PRIMA cannot do it now: {reason}.",
            system="PRIMA",
            operation=operation,
            reference=reference,
            next_step="[[prima.errors]] calls this unavailable; the next run tries again.",
        )
    kind = DuplicateOrderError if duplicate else PrimaRefusedError
    error = kind(
        f"PRIMA refused the request: {reason}.",
        system="PRIMA",
        operation=operation,
        reference=reference,
        next_step=_NEXT_STEPS.get(cause.code, ""),
        code=_DUPLICATE[0] if duplicate else cause.code,
    )
    error.answer = answer
    error.blocks = blocks
    error.is_development_answer = any(_DEVELOPMENT in text for text in texts)
    return error


def hide_customer(error: IntegrationError, request: str) -> None:
    """Take out of the error's words what the request says of the customer; its raw `answer` stays as it came."""
    parts = split("prima order request", "application/xml", request.encode("utf-8"))
    words = telling_words(parts.body, parts.personal or b"[]")
    error.message = without(without_contacts(error.message), words)
    error.args = (error.message,)
    if isinstance(error, PrimaRefusedError):
        error.blocks = tuple(
            replace(block, text=without(without_contacts(block.text), words)) for block in error.blocks
        )


def unclear(problem: str, *, operation: str, reference: str, answer: str) -> UnclearAnswerError:
    """Return the error for an answer from which the outcome cannot be read."""
    error = UnclearAnswerError(
        f"{problem}.",
        system="PRIMA",
        operation=operation,
        reference=reference,
        next_step="Look in PRIMA before trying again.",
    )
    error.answer = answer
    return error
