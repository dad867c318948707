"""Which parts of a payload may tell something about a person, and how they are taken out and put back. Pure.

A payload is split into a body, which stays as long as the evidence, and the personal values, which can be erased. In
the body each of them is `"{personal N}"`; the body of JSON is JSON again, that of XML is XML. What stands in no list of
plain names is personal: an unknown attribute of an extension is hidden rather than kept.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json.decoder import JSONDecoder

from schemas.replay import PLAIN

# Our own requests and acts, made from numbers, codes and quantities alone.
PLAIN_KINDS = frozenset({"magento shipment", "magento invoice", "refund export", "erasure", "expiry", "resealed"})
# The body of a payload that could not be split: all of it is taken for personal.
WHOLE = b'"{personal}"'

_XML_NAMES = """
version encoding standalone Company RequestType RequestStatus OrderStatus Status OrderNumber
"""
_XML_PLAIN = (frozenset().union(*PLAIN.values()) | frozenset(_XML_NAMES.split())) - {"HoldOrderNarrative"}

# Names of Magento's fields that hold no text of a customer's. Amounts and quantities are told by their endings.
_JSON_NAMES = """
address_type adjustment_negative adjustment_positive amount applied_rule_ids applied_taxes base_cost
base_currency_code base_original_price base_price base_price_incl_tax base_to_global_rate base_to_order_rate
billing_address_id code converting_from_quote country_id coupon_code created_at customer_group_id customer_is_guest
customer_note_notify discount_description discount_percent email_sent entity_id entity_name ext_order_id
free_shipping global_currency_code grand_total hold_before_state hold_before_status increment_id
is_customer_notified is_qty_decimal is_virtual is_visible_on_front item_id key method name no_discount option_id
order_currency_code order_id original_price parent_id parent_item_id percent position price price_incl_tax priority
process product_id product_type quote_address_id quote_id quote_item_id row_total row_total_incl_tax row_weight
shipping_description shipping_method sku state status store_currency_code store_id store_name store_to_base_rate
store_to_order_rate subtotal subtotal_incl_tax tax_code tax_id tax_item_id tax_percent taxable_item_type title
total_due total_invoiced_cost total_item_count total_qty_ordered type updated_at weee_tax_applied weight
"""
_JSON_PLAIN = frozenset(_JSON_NAMES.split())
_AMOUNT = re.compile(
    r"\w+_(amount|amnt|invoiced|refunded|canceled|paid|ordered|shipped|captured|total|due|incl_tax|subtotal|cost)"
    r"|base_(subtotal|adjustment_(positive|negative))"
)
_PLAIN_KEYS: dict[str, bool] = {}

_NUMBERED = re.compile(rb'"\{personal (\d+)\}"')
# Nothing of these is tried twice (`++`, `*+`): the lock of Python's interpreter is held for as long as a search takes.
_TAG = re.compile(r"""(<(?:[^<>"']++|"[^"]*+"|'[^']*+')*+>)""")
_WHOLE_TAG = re.compile(r"""<[/?]?[\w:.-]++(?:\s++[\w:.-]++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+'))*+\s*+[/?]?>""")
_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([\w:.-]++)(\s*+=\s*+)("[^"]++"|'[^']++')""")
# A key with a value that may be personal, in JSON without escaped quotation marks: nothing is hidden by null, true,
# false or an empty text, and what stands in braces is looked into.
_KEY = re.compile(r'"([^"]*+)"\s*+:\s*+(?!null\b|true\b|false\b|""|\{)')
_OPENS_OBJECTS = re.compile(r"\[\s*\{")
_NOTHING = frozenset({"[]", "[ ]"})
_E_MAIL_KEYS = ("customer_email", "CustomerEmail", "InvoiceEmail", "email")
_VALUE = JSONDecoder()


@dataclass(frozen=True, slots=True)
class Split:
    """A payload in two: `body` stays, `personal` may be erased; None where nothing in it is personal.

    `email` is the customer's, in lower case, by which an order is found when a customer asks for erasure.
    """

    body: bytes
    personal: bytes | None = field(default=None, repr=False)
    email: str = field(default="", repr=False)


class _Values:
    """The personal values of a payload in the order in which they were met, each once."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], int] = {}

    def place(self, name: str, raw: str) -> str:
        """Keep a value as it stands in the payload, and return what stands for it in the body."""
        return f'"{{personal {self._places.setdefault((name, raw), len(self._places))}}}"'

    def content(self) -> bytes | None:
        return _written(list(self._places)) if self._places else None

    def email(self) -> str:
        found = dict(reversed(list(self._places)))
        return next((_plain(found[key]).strip().casefold() for key in _E_MAIL_KEYS if key in found), "")


def split(kind: str, media: str, payload: bytes) -> Split:
    """Return the body and the personal values of a payload; `restored` gives back the same bytes.

    A payload that is not understood, or would not come back as it was, is personal as a whole.
    """
    if kind in PLAIN_KINDS or not payload:
        return Split(payload)
    values = _Values()
    try:
        text = payload.decode("utf-8")
        body = "".join(_SPLITTERS[media](text, values)).encode("utf-8")
    except (UnicodeDecodeError, KeyError, ValueError):
        return Split(WHOLE, payload)
    personal = values.content()
    try:
        is_same = restored(body, personal) == payload
    except (ValueError, IndexError):
        is_same = False
    return Split(body, personal, values.email()) if is_same else Split(WHOLE, payload)


def restored(body: bytes, personal: bytes | None) -> bytes:
    """Return the payload of which these are the parts."""
    if personal is None:
        return body
    if body == WHOLE:
        return personal
    values = [raw.encode("utf-8") for _, raw in json.loads(personal)]
    return _NUMBERED.sub(lambda found: values[int(found.group(1))], body)


def masked(body: bytes, personal: bytes | None) -> bytes:
    """Return a payload to be shown: of each personal value its name and its length alone."""
    if personal is None:
        return body
    if body == WHOLE:
        return f"(personal as a whole, {len(personal)} bytes)".encode()
    masks = [f'"(personal: {name or "text"}, {len(_plain(raw))} characters)"'.encode() for name, raw in
             json.loads(personal)]  # fmt: skip
    return _NUMBERED.sub(lambda found: masks[int(found.group(1))], body)


def values_of(body: bytes, personal: bytes) -> Mapping[str, list[str]]:
    """Return the personal values by name, as plain text; those of a payload that was not split are left out."""
    found: dict[str, list[str]] = {}
    if body != WHOLE:
        for name, raw in json.loads(personal):
            found.setdefault(name, []).append(_plain(raw))
    return found


def _split_xml(text: str, values: _Values) -> Iterator[str]:
    if "<!" in text:
        raise ValueError("comments, CDATA and a DOCTYPE are not looked into")
    for number, part in enumerate(_TAG.split(text)):
        if number % 2 == 0:
            yield values.place("", part) if part.strip() else part
        elif _WHOLE_TAG.fullmatch(part):
            yield _ATTRIBUTE.sub(lambda found: _attribute(found, values), part)
        else:
            raise ValueError("a tag cannot be read")


def _attribute(found: re.Match[str], values: _Values) -> str:
    name, equals, raw = found.groups()
    if name in _XML_PLAIN or name.startswith("xmlns"):
        return found.group(0)
    return f"{name}{equals}{values.place(name, raw)}"


def _split_json(text: str, values: _Values) -> Iterator[str]:
    """Yield the text with the value of each personal key replaced; objects and lists of objects are looked into."""
    if text.lstrip()[:1] not in ("{", "["):
        raise ValueError("it is no object")
    done = at = 0
    for found in _KEY.finditer(_without_escapes(text)):
        if _is_plain_key(found[1]) or found.start() < at or _OPENS_OBJECTS.match(text, found.end()):
            continue
        at = found.end()
        end = _VALUE.raw_decode(text, at)[1]
        if text[at:end] not in _NOTHING:
            yield text[done:at]
            yield values.place(text[found.start(1) : found.end(1)], text[at:end])
            done = end
        at = end
    yield text[done:]


def _without_escapes(text: str) -> str:
    """Return JSON of the same length in which each quotation mark begins or ends a string."""
    return text.replace(r"\\", "\0\0").replace(r"\"", "\0\0") if "\\" in text else text


def _is_plain_key(key: str) -> bool:
    known = _PLAIN_KEYS.get(key)
    if known is None:
        known = key in _JSON_PLAIN or _AMOUNT.fullmatch(key) is not None
        if len(_PLAIN_KEYS) < 10_000:
            _PLAIN_KEYS[key] = known
    return known


_SPLITTERS = {"application/json": _split_json, "application/xml": _split_xml}


def _written(values: list[tuple[str, str]]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _plain(raw: str) -> str:
    """Return a raw value as a person reads it: without quotation marks, lists with commas."""
    if raw[:1] in ('"', "[", "{"):
        try:
            value = json.loads(raw)
        except ValueError:
            return raw.strip("\"'")
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return raw.strip("'")
