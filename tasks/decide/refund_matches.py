"""Which refund of Magento and which credit note of PRIMA are the same thing, order by order. Pure.

Neither system knows the other's number, so they are told by their order and their amounts: gross and VAT to the penny.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from schemas.refunds import CreditNote, Refund

# One document may stand for several on the other side; more than these are not tried in every combination.
LARGEST_GROUP = 4
MOST_TO_COMBINE = 10
Document = Refund | CreditNote
Each = TypeVar("Each", Refund, CreditNote)


@dataclass(frozen=True, slots=True)
class Match:
    """Refunds and credit notes that are the same. `is_differing`: gross agrees, VAT does not."""

    refunds: tuple[Refund, ...]
    notes: tuple[CreditNote, ...]
    is_differing: bool = False


@dataclass
class Matches:
    """What was matched, and what is left on either side."""

    found: list[Match] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    notes: list[CreditNote] = field(default_factory=list)

    def take(self, refunds: Sequence[Refund], notes: Sequence[CreditNote], *, is_differing: bool = False) -> None:
        """Move documents from what is left to what is matched."""
        self.found.append(Match(tuple(refunds), tuple(notes), is_differing))
        self.refunds = [each for each in self.refunds if each not in refunds]
        self.notes = [each for each in self.notes if each not in notes]


def matches(refunds: Sequence[Refund], notes: Sequence[CreditNote]) -> Matches:
    """Return which of an order's refunds and credit notes are the same; each document is in the answer exactly once.

    First those of which one was made from the other, then one to one by gross and VAT, the oldest first, then one that
    is the sum of several, then all of both. At last one to one by gross alone, where no other document of the order
    has that gross: the refund was credited, with another VAT.
    """
    state = Matches(
        refunds=sorted(refunds, key=lambda each: (each.refunded_at, each.refund_number)),
        notes=sorted(notes, key=lambda each: (each.credit_note_date, each.credit_note_number)),
    )
    for note in list(state.notes):
        made = next((refund for refund in state.refunds if _is_made_from(refund, note)), None)
        if made is not None:
            state.take([made], [note], is_differing=not _are_equal([made], [note]))
    for refund in list(state.refunds):
        same = next((note for note in state.notes if _are_equal([refund], [note])), None)
        if same is not None:
            state.take([refund], [same])
    _match_sums(state)
    if len(state.refunds) > 1 and len(state.notes) > 1 and _are_equal(state.refunds, state.notes):
        state.take(state.refunds, state.notes)
    for refund in list(state.refunds):
        alike = [note for note in state.notes if _gross_agrees(refund, note)]
        if len(alike) == 1 and sum(_gross_agrees(other, alike[0]) for other in state.refunds) == 1:
            state.take([refund], alike, is_differing=True)
    return state


def _match_sums(state: Matches) -> None:
    """Match one document with the sum of several on the other side."""
    for note in list(state.notes):
        group = next((each for each in _groups(state.refunds) if _are_equal(each, [note])), None)
        if group:
            state.take(group, [note])
    for refund in list(state.refunds):
        several = next((each for each in _groups(state.notes) if _are_equal([refund], each)), None)
        if several:
            state.take([refund], several)


def _groups(documents: Sequence[Each]) -> Iterator[tuple[Each, ...]]:
    if len(documents) <= MOST_TO_COMBINE:
        for size in range(2, min(LARGEST_GROUP, len(documents)) + 1):
            yield from combinations(documents, size)


def _is_made_from(refund: Refund, note: CreditNote) -> bool:
    return refund.credit_note_number == note.credit_note_number or refund.creditmemo_id == note.creditmemo_id


def _are_equal(refunds: Sequence[Refund], notes: Sequence[CreditNote]) -> bool:
    """Tell whether both sides have one currency, the same gross and the same VAT."""
    currencies = {refund.currency for refund in refunds} | {note.currency for note in notes}
    return len(currencies) == 1 and _sums(refunds) == _sums(notes)


def _sums(documents: Sequence[Document]) -> tuple[int, int]:
    return sum(each.gross_pence for each in documents), sum(each.vat_pence for each in documents)


def _gross_agrees(refund: Refund, note: CreditNote) -> bool:
    return (refund.currency, refund.gross_pence) == (note.currency, note.gross_pence)
