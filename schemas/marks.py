"""What the Magento order shows of its way through PRIMA: a status and comments, by store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Mark = Literal["accepted", "part_dispatched", "dispatched", "problem"]


@dataclass(frozen=True, slots=True)
class MarkRule:
    """What is written for a mark. An empty `status` leaves the order's; it is written in these states only."""

    status: str
    in_states: frozenset[str]
    has_comment: bool
    is_visible: bool


@dataclass(frozen=True, slots=True)
class Parcel:
    """A tracking number as the customer was told it."""

    title: str
    number: str
    url: str


@dataclass(frozen=True, slots=True)
class MarkedOrder:
    """An order whose mark may have to change: how far it is, what was told last, and the codes of its open problems.

    `told` is empty before the first mark; `status` was written with it over `status_before`. `turn` tells this change
    from every other one of the order.
    """

    order_number: str
    entity_id_magento: int
    store_id: int
    reached: Mark
    order_number_prima: str
    told: str = ""
    status: str = ""
    status_before: str = ""
    turn: str = ""
    problems: tuple[str, ...] = ()
    parcels: Sequence[Parcel] = ()


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """A mark to be written: the status it brings (empty: none), where that may be written, and the comment."""

    order_number: str
    entity_id_magento: int
    mark: Mark
    turn: str
    status: str
    in_states: frozenset[str]
    comment: str
    is_visible: bool
    status_to_replace: str = ""


MarkRules = Mapping[int, Mapping[str, MarkRule]]
