"""Keeps calls apart, so that a system is never called faster than its settings allow."""

import threading
import time
from collections.abc import Callable


class Pacer:
    """Lets one call pass per interval, from however many threads; a call that comes early waits for its slot.

    Magento writes a row per signed request to its nonce table, which deadlocks at about 18 requests a second.
    """

    def __init__(
        self,
        calls_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / calls_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self) -> None:
        """Return when the next call may leave."""
        with self._lock:
            now = self._clock()
            slot = max(now, self._next)
            self._next = slot + self._interval
        if slot > now:
            self._sleep(slot - now)
