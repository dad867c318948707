"""Numbers as Magento holds and writes them: exact while computing, JSON numbers at the edges.

PHP writes an integral float without its point (14, not 14.0), slashes escaped and all beyond ASCII as `\\u....`.
"""

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_INTEGRAL = re.compile(r"(\d\.0|[:,\[]-?[\d.]+[eE][+-]?\d+)[,}\]]")
CENT = Decimal("0.01")
SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


def exact(value: Any) -> Decimal:
    """Return a JSON number, numeric text or None (0) as an exact Decimal."""
    return Decimal(0) if value is None else Decimal(str(value))


def number(value: Decimal | str | int) -> int | float:
    """Return a value as the JSON number PHP would write: an int when integral, else a float of at most 4 decimals."""
    held = Decimal(value)
    return int(held) if held == held.to_integral_value() else float(held)


def cents(value: Decimal) -> Decimal:
    """Return an amount rounded half away from zero to two decimals."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def price_text(value: Decimal, currency: str) -> str:
    """Return an amount as Magento prints it in messages: `£3.29`."""
    return f"{SYMBOLS.get(currency, currency)}{value:,.2f}"


def php_json(value: Any) -> str:
    """Return JSON text as PHP's json_encode writes it."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def php_numbers(document: Any) -> tuple[Any, str]:
    """Return a JSON document in which integral floats have become ints, and its text as PHP writes it."""
    text = php_json(document)
    if not _INTEGRAL.search(text):
        return document, text
    held = json.loads(text, parse_float=number)
    return held, php_json(held)


def stored_text(text: str) -> str:
    """Return text as the three-byte character set of the database keeps it: a 4-byte character becomes `????`."""
    return "".join("????" if ord(character) > 0xFFFF else character for character in text)


def stored(document: Any) -> Any:
    """Return a document with every text in it as the database keeps it."""
    if isinstance(document, dict):
        return {name: stored(value) for name, value in document.items()}
    if isinstance(document, list):
        return [stored(value) for value in document]
    return stored_text(document) if isinstance(document, str) else document


class CarriedRounding:
    """Rounds one amount after the other to pence and carries what was cut off, as Magento's documents do.

    Half a penny lost on a row comes back on its tax, so that row and tax together stay what was charged.
    """

    def __init__(self) -> None:
        self._carried: dict[str, Decimal] = {}

    def __call__(self, amount: Decimal, kind: str = "regular") -> Decimal:
        """Return the amount to the penny; each `kind` carries its own remainder."""
        if not amount:
            return amount  # Magento neither rounds nor carries a zero
        wanted = amount + self._carried.get(kind, Decimal(0))
        rounded = cents(wanted)
        self._carried[kind] = wanted - rounded
        return rounded
