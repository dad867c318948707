"""Turns of threads: while orders are planned, the threads that wait for PRIMA must hear its answers in time."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TURN_SECONDS = 0.0005


@contextmanager
def short_turns() -> Iterator[None]:
    """Let the threads of this process take turns of half a millisecond for the block, instead of Python's five.

    A thread that reckons keeps each answer waiting for one turn, several times a call: at five milliseconds a turn,
    three calls in flight were seen to take a tenth longer. What the process holds already (modules, mostly) is not
    searched for garbage in the block: each such search was seen to stop all threads for a quarter of a second.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
