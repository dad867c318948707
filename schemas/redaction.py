"""Personal values taken out of texts that other systems wrote: of their errors, before these are kept or told. Pure."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping

from schemas.personal import values_of

HIDDEN = "[personal]"

# Fields of Magento's and PRIMA's documents whose values name or reach a person. Others may hold words that every error
# text is made of ("Check / Money order"), and would make it unreadable.
_TELLING_FIELD = re.compile(
    r"name|e-?mail|street|addr|town|city|county|region|post_?code|phone|mobile|fax|company|taxvat|vat_id|_ip$|note",
    re.IGNORECASE,
)
_NAME_FIELD = re.compile(r"name|company", re.IGNORECASE)
# Shorter values stand in too many words that have nothing to do with the customer.
_SHORTEST = 3

_E_MAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_TELEPHONE = re.compile(
    r"(?<![\w+])(?:\+\d{1,3}[ ()-]{0,2}\d(?:[ ()-]{0,2}\d){7,11}"
    r"|0[1-9]\d{2,3}[ -]?\d{3}[ -]?\d{3,4}|02\d[ -]\d{4}[ -]\d{4})(?!\w)"
)
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")
# Magento's developer mode ends a database error with the statement, values and all.
_STATEMENT = re.compile(r",? ?(?:query was|The SQL being executed was|\(SQL:).*", re.IGNORECASE | re.DOTALL)


def without_contacts(text: str) -> str:
    """Return a text of another system without e-mail addresses, telephone numbers, UK postcodes and SQL statements."""
    for pattern in (_STATEMENT, _E_MAIL, _TELEPHONE, _POSTCODE):
        text = pattern.sub(HIDDEN, text)
    return text


def without(text: str, words: Iterable[str]) -> str:
    """Return a text without these values, in whatever case and however their blanks came; whole words only."""
    telling = sorted({word for each in words if len(word := each.strip()) >= _SHORTEST}, key=len, reverse=True)
    if not telling or not text:
        return text
    any_of = "|".join(r"\s+".join(map(re.escape, word.split())) for word in telling)
    return re.sub(rf"(?<!\w)(?:{any_of})(?!\w)", HIDDEN, text, flags=re.IGNORECASE)


def telling_words(body: bytes, personal: bytes) -> set[str]:
    """Return what names or reaches a person in a payload that was split: values, their parts, and each word of a name.

    Free texts and fields that nobody knows are left out: their words are those of any sentence.
    """
    return set(_telling(values_of(body, personal)))


def _telling(values: Mapping[str, list[str]]) -> Iterator[str]:
    for name, found in values.items():
        if not _TELLING_FIELD.search(name):
            continue
        for value in map(html.unescape, found):
            yield from (value, *value.split(", "), *value.splitlines())
            if _NAME_FIELD.search(name):
                yield from value.split()
