"""What a batch of PRIMA's dispatches becomes: one Magento shipment each, or an exception."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from schemas.documents import ExceptionNote, ShipmentRequest, TrackRequest

# States of a dispatch in the ledger after which nothing more is to be shipped of it.
TOLD_STATES = ("shipped", "nothing to ship")


def content_of(dispatch: Mapping[str, Any]) -> str:
    """Return the hash of what may still change about a dispatch once it is told: how it travels."""
    facts = (dispatch["carrier"], dispatch["service"], dispatch["tracking_numbers"])
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class DispatchFrames:
    """Dispatches and their lines, as `schemas/reporting.py` describes the extracts of the same names."""

    dispatches: pd.DataFrame
    lines: pd.DataFrame


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of a Magento order as far as shipping goes. `left` are the units that Magento still lets us ship."""

    line_number: int
    item_id_magento: int
    sku: str
    is_shipped: bool
    left: int


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that came through here, as Magento has it now; with a `problem` it cannot be read, and has no lines."""

    order_number: str
    entity_id_magento: int
    state_magento: str
    currency: str
    gross_pence: int
    lines: Sequence[OpenLine]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ToldDispatch:
    """A dispatch that Magento has a shipment of (or that needs none: no `shipment_id`), with the tracks told so far."""

    order_number: str
    shipment_id: str = ""
    entity_id_magento: int = 0
    tracks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DispatchEvidence:
    """What ledger and Magento know: orders by PRIMA's number, and dispatches that are already told.

    `unclear` are dispatches whose shipment may exist in Magento although nobody knows: nothing is decided about them.
    """

    orders: Mapping[str, OpenOrder]
    told: Mapping[str, ToldDispatch]
    unclear: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DispatchPlan:
    """What is to be done with each dispatch: it stands in exactly one of the first four lists.

    `nothing_to_ship` are dispatches of goods that Magento does not ship (virtual lines, delivery). `tracks` and
    `withdrawn` are about told dispatches: tracking numbers to add to their shipments, and those that PRIMA no longer
    names. `warnings` do not stop their dispatch.
    """

    to_ship: list[ShipmentRequest] = field(default_factory=list)
    already_told: list[str] = field(default_factory=list)
    nothing_to_ship: list[tuple[str, str]] = field(default_factory=list)
    exceptions: list[ExceptionNote] = field(default_factory=list)
    warnings: list[ExceptionNote] = field(default_factory=list)
    tracks: list[TrackRequest] = field(default_factory=list)
    withdrawn: dict[str, list[str]] = field(default_factory=dict)
    latest: datetime | None = None
