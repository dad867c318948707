"""Addresses and texts as PRIMA needs them: complete, with a telephone, and as the customer wrote them. Pure.

What is too long or has characters that cannot be sent is seen when the request is written.
"""

from collections.abc import Iterator

from schemas.documents import Address
from schemas.order_checks import Finding
from schemas.orders import OrderDetails

# Magento's database writes this for a character outside its code page, such as an emoji.
LOST_TEXT = "????"
POSTCODE_COUNTRIES = ("GB", "IM", "JE", "GG")


def addresses(details: OrderDetails) -> Iterator[Finding]:
    """Yield what is missing or lost; no finding repeats a text of the customer."""
    for kind, address in (("delivery", details.delivery_address), ("invoice", details.invoice_address)):
        missing = _missing(address)
        if missing:
            yield Finding("ADDRESS_INCOMPLETE", f"{kind} address without {', '.join(missing)}")
    if not details.invoice_address.phone:
        yield Finding("PHONE_MISSING", "the invoice address, whose number PRIMA gets, has no telephone")
    texts = [details.note, *_texts(details.delivery_address), *_texts(details.invoice_address)]
    if any(LOST_TEXT in value for value in texts):
        yield Finding("TEXT_LOST", f"a name, address or note holds {LOST_TEXT}")


def _missing(address: Address) -> list[str]:
    needed = {
        "surname": address.surname,
        "street": " ".join(address.street),
        "town": address.town,
        "country": address.country,
    }
    if address.country in POSTCODE_COUNTRIES:
        needed["postcode"] = address.postcode
    return [name for name, value in needed.items() if not value]


def _texts(address: Address) -> list[str]:
    return [address.forename, address.surname, *address.street, address.town, address.county, address.company]
