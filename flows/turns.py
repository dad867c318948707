"""Turns of threads: while orders are planned, the threads that wait for PRIMA must hear its answers in time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.0005


@contextmanager
def short_turns() -> Iterator[None]:
    """Let the threads of this process take turns of half a millisecond for the block, instead of Python's five.

    A thread that reckons keeps each answer waiting for one turn, several times a call: at five milliseconds a turn,
    three calls in flight were seen to take a tenth longer.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
