"""The time a stand-in believes it is: the machine's, or one that a rehearsal sets."""

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock in whole UTC seconds that can be frozen at an instant and moved; safe between threads.

    A clock that was set stands still until it is moved again or set to None. One that was only advanced keeps running,
    ahead of the machine's clock.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._frozen: datetime | None = None
        self._ahead = timedelta()
        if now is not None:
            self.set(now)

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC, without microseconds."""
        with self._lock:
            instant = self._frozen if self._frozen is not None else datetime.now(UTC) + self._ahead
        return instant.replace(microsecond=0)

    def set(self, instant: datetime | None) -> None:
        """Freeze the clock at an aware instant; None lets it run with the machine's again. ValueError if naive."""
        if instant is not None and instant.tzinfo is None:
            raise ValueError(f"{instant} has no time zone")
        with self._lock:
            self._frozen = None if instant is None else instant.astimezone(UTC).replace(microsecond=0)
            self._ahead = timedelta()

    def advance(self, by: timedelta) -> None:
        """Move the clock by a span, backwards when it is negative."""
        with self._lock:
            if self._frozen is not None:
                self._frozen += by
            else:
                self._ahead += by
