"""Python's collector of cycles, made patient while a run holds a whole catalogue."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects before a look at them, such looks before a look at the older ones, and so on.
PATIENT = (100_000, 50, 100)


@contextmanager
def patient_collector() -> Iterator[None]:
    """Let the collector look rarely during the block.

    A snapshot of 100,000 SKUs is a million small objects that live to the end of the run. With Python's own thresholds
    the collector walks over them again and again, which takes as long as all the rest of the work on them.
    """
    before = gc.get_threshold()
    gc.set_threshold(*PATIENT)
    try:
        yield
    finally:
        gc.set_threshold(*before)
