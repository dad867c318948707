"""How much stock is written at a time, and when: batches that shrink and grow, hours that are left free. Pure."""

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
# So many good batches at one size before the next larger one is tried, and how many steps lead from small to full.
GOOD_BEFORE_GROWING = 3
STEPS_OF_GROWTH = 8


class BatchSize:
    """The number of levels in the next batch: halved by trouble at once, grown back slowly, never above the limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._good = 0
        self.size = most

    def went_well(self) -> None:
        """A batch was taken: after a few of them the next ones are larger."""
        self._good += 1
        if self._good >= GOOD_BEFORE_GROWING and self.size < self._most:
            self.size = min(self._most, self.size + max(1, self._most // STEPS_OF_GROWTH))
            self._good = 0

    def was_too_much(self, sent: int) -> None:
        """A batch of so many met a time-out, a failure inside Magento or a lock: the next one is half of it."""
        self.size = max(1, min(self.size, sent) // 2)
        self._good = 0

    def is_limited_to(self, limit: int) -> None:
        """Magento says how many it takes at the most."""
        self._most = max(1, min(self._most, limit))
        self.size = min(self.size, self._most)


def quiet_until(now: datetime, quiet_times: Sequence[tuple[time, time]]) -> time | None:
    """Return when the quiet time ends that an instant lies in, or None. `quiet_times` are [start, end), London's."""
    clock = now.astimezone(LONDON).time()
    for start, end in quiet_times:
        is_inside = start <= clock < end if start <= end else clock >= start or clock < end
        if is_inside:
            return end
    return None
