"""What would put an exception right, where that was worked out: in words, how sure it is, and as a command. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.reasons import REASONS
from schemas.suggestions import ONE_TYPO, OTHER_BLANKS, OTHER_CASE, OTHER_SEPARATORS

Confidence = Literal["high", "medium", "low"]
# What differs only by what people mix up is meant more often than not; one character may be another article.
SURE = {OTHER_CASE: "high", OTHER_BLANKS: "high", OTHER_SEPARATORS: "high", ONE_TYPO: "medium"}


@dataclass(frozen=True, slots=True)
class Fix:
    """A suggested fix. `command` needs the name of the person who decides."""

    text: str
    confidence: Confidence
    command: str


def fix_of(number: int, code: str, sku: str, suggestions: Sequence[str]) -> Fix | None:
    """Return the likeliest fix of an exception; None where none was worked out."""
    reason = REASONS.get(code)
    if reason is None or reason.mapping is None or not suggestions:
        return None
    meant = likeliest(code, suggestions)
    if not meant:
        return None
    if reason.mapping == "sku":
        why = suggestions[0].rpartition(" (")[2].removesuffix(")")
        confidence: Confidence = "high" if SURE.get(why) == "high" else "medium" if why in SURE else "low"
        if confidence == "high" and len(_as_good(suggestions, why)) > 1:
            confidence = "medium"  # two that are alike: which of them is meant only a person can tell
        command = f"magento-prima exceptions accept {shlex.quote(sku)} --as {shlex.quote(meant)} --by NAME"
        return Fix(f"{sku} stands for {meant}: {why}", confidence, command)
    command = f"magento-prima exceptions map {number} --as {shlex.quote(suggestions[0])} --by NAME"
    return Fix(f"it stands for {suggestions[0]}: spelt alike", "medium" if len(suggestions) == 1 else "low", command)


def likeliest(code: str, suggestions: Sequence[str]) -> str:
    """Return the name that is suggested first, without the words beside it; empty where none is."""
    if not suggestions or code not in REASONS or REASONS[code].mapping is None:
        return ""
    return suggestions[0].rpartition(" (")[0] if REASONS[code].mapping == "sku" else suggestions[0]


def _as_good(suggestions: Sequence[str], why: str) -> list[str]:
    return [each for each in suggestions if each.endswith(f"({why})")]
