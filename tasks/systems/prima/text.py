"""Text as PRIMA's service can take it: what XML forbids is dropped, what ISO-8859-1 lacks follows the setting.

PRIMA's answers are ISO-8859-1 and nothing outside ASCII was ever seen on its wire, so the character policy decides
about every character above U+00FF. Line feeds and tabs become spaces: XML would turn them into spaces anyway.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from anyascii import anyascii

CharacterPolicy = Literal["reject", "transliterate", "charref"]

_SEPARATORS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
# C0 (but for the separators above), DEL and C1 controls, surrogates, and the two code points that XML 1.0 forbids.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LAST_LATIN_1 = "\u00ff"


class UnsendableCharacterError(ValueError):
    """The text holds a character outside ISO-8859-1 and the policy is to reject it."""

    def __init__(self, character: str) -> None:
        super().__init__(f"U+{ord(character):04X} is outside ISO-8859-1")
        self.character = character


@dataclass(frozen=True, slots=True)
class CleanText:
    """Text that can be sent, and how many visible characters had no equivalent and were left out."""

    text: str
    lost: int = 0


def clean(text: str, policy: CharacterPolicy) -> CleanText:
    """Return text as it will arrive: no control characters, no blanks around it, characters as the policy says.

    `transliterate` writes characters outside ISO-8859-1 in ASCII, `charref` keeps them (as numeric references on the
    wire), `reject` raises UnsendableCharacterError.
    """
    if text.isascii() and text.isprintable():
        return CleanText(text.strip())
    plain = _FORBIDDEN.sub("", _SEPARATORS.sub(" ", text))
    plain = unicodedata.normalize("NFC", plain)
    if policy == "charref" or all(character <= _LAST_LATIN_1 for character in plain):
        return CleanText(plain.strip())
    written: list[str] = []
    lost = 0
    for character in plain:
        if character <= _LAST_LATIN_1:
            written.append(character)
            continue
        if unicodedata.category(character) == "Cf":
            continue  # joiners and direction marks: nothing that can be read is lost
        if policy == "reject":
            raise UnsendableCharacterError(character)
        equivalent = anyascii(character)
        lost += not equivalent
        written.append(_FORBIDDEN.sub("", _SEPARATORS.sub(" ", equivalent)))
    return CleanText("".join(written).strip(), lost)


def is_plain_code(code: str) -> bool:
    """Say whether a code (product, matrix, order number) can be sent without being changed in any way."""
    try:
        return clean(code, "reject").text == code
    except UnsendableCharacterError:
        return False
