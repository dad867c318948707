"""How a dispatch travels, as the customer is told: carrier, service, tracking numbers and their pages. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from schemas.documents import Track
from schemas.mapped import own_names, unknown_carrier
from schemas.rules import CarrierRule, ServiceRule
from schemas.suggestions import nearest

Row = Mapping[str, Any]


def tracks(row: Row, carrier: CarrierRule) -> tuple[Track, ...]:
    """Return the parcels of a dispatch, each number once and in PRIMA's order; none when it names no number yet.

    A service that the settings name has its own title or page; every other one is told as its carrier.
    """
    service = carrier.services.get(row["service"], ServiceRule())
    title = service.title or carrier.title
    template = service.tracking_url or carrier.tracking_url
    numbers = dict.fromkeys(number.strip() for number in row["tracking_numbers"].split(";") if number.strip())
    return tuple(Track(number, carrier.magento_carrier_code, title, page_of(template, number)) for number in numbers)


def page_of(template: str, number: str) -> str:
    """Return the carrier's page about a parcel: the number is encoded, whatever it holds; empty without a template."""
    return template.replace("{tracking_number}", quote(number, safe="")) if template else ""


def suggestions(code: str, carriers: Mapping[str, CarrierRule]) -> tuple[str, ...]:
    """Return the carrier codes that an unknown one may stand for, the likeliest first; by code and by title."""
    return nearest(code, {name: carriers[name].title for name in own_names(carriers)})


def unknown(code: str, meant: tuple[str, ...]) -> str:
    """Return the sentence about a carrier that the settings do not name."""
    guess = f"; meant may be {', '.join(meant)}" if meant else ""
    return f"{unknown_carrier(code)}{guess}"
