"""When an order that PRIMA refused may be sent again. Pure: attempts and a time in, a verdict out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.systems.ledger.postings import NOT_THERE
from tasks.systems.ledger.records import Posting

NOT_SENT = "UNAVAILABLE"
MALFORMED = "14586"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a refused order is sent, and how long it rests after its first, second, third ... refusal.

    `parks` are errors, by code and words, after which it is never sent again unchanged.
    """

    attempt_limit: int
    pauses: tuple[timedelta, ...]
    parks: tuple[tuple[str, str], ...] = ()

    def is_parked_at_once(self, refusal: Posting) -> bool:
        """Tell whether a refusal is one that nothing but a change can help: its code and words are among `parks`."""
        return refusal.error_code == MALFORMED or any(
            code in ("", refusal.error_code) and words.casefold() in refusal.error_text.casefold()
            for code, words in self.parks
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the refusals so far mean. May not be sent and no `again_at`: parked. `last` is the latest of them."""

    may_be_sent: bool
    refusals: int = 0
    again_at: datetime | None = None
    last: Posting | None = None

    @property
    def words(self) -> str:
        """What a person must know of it, to be put behind PRIMA's own words; empty for an order that may be sent."""
        if self.may_be_sent:
            return ""
        if self.again_at is None:
            return (
                f" Parked after {_times(self.refusals)}: it is sent again when the order or a mapping changes, or when "
                "somebody retries it."
            )
        return f" Refused {_times(self.refusals)}; it is sent again after {self.again_at:%Y-%m-%d %H:%M} UTC."


def standing(
    attempts: Sequence[Posting],
    request_hash: str,
    patience: Patience,
    now: datetime,
    retried_at: datetime | None = None,
) -> Standing:
    """Return whether a request may be sent now, after these attempts of its key (oldest first).

    Only refusals of the same request count: a changed order or mapping makes another request, which may be sent at
    once, and so may everything after a person's retry. What was never sent, or was not there when looked for, is no
    refusal. The same words `attempt_limit` times, or XML that PRIMA cannot read even once: parked.
    """
    refusals = _refusals(attempts, request_hash, retried_at)
    if not refusals:
        return Standing(True)
    last = refusals[-1]
    count = len(refusals)
    same_words = next(
        (place for place, refusal in enumerate(reversed(refusals)) if refusal.error_text != last.error_text), count
    )
    if patience.is_parked_at_once(last) or same_words >= patience.attempt_limit:
        return Standing(False, count, None, last)
    again_at = (last.finished_at or last.begun_at) + patience.pauses[min(count, len(patience.pauses)) - 1]
    return Standing(now >= again_at, count, again_at, last)


def _refusals(attempts: Sequence[Posting], request_hash: str, retried_at: datetime | None) -> list[Posting]:
    """Return the refusals since the request last changed, oldest first."""
    found: list[Posting] = []
    for attempt in reversed(attempts):
        if attempt.request_hash != request_hash or (retried_at is not None and attempt.begun_at < retried_at):
            break
        if attempt.state == "refused" and attempt.error_code not in (NOT_SENT, NOT_THERE):
            found.append(attempt)
    return found[::-1]


def _times(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"
