"""PRIMA's numbers are written to Magento beside the posting: it never waits for Magento's pace."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from flows.passing import whole
from tasks.post import notes
from tasks.record import orders as record


@contextmanager
def notes_beside() -> Iterator[None]:
    """Write PRIMA's numbers of accepted orders to Magento while the block posts, and a few more after it.

    What is left, the next run writes. A block that fails ends the writing too.
    """
    is_over = Event()
    writing = notes.post_order_notes.submit(whole(is_over))
    try:
        yield
    finally:
        is_over.set()
        writing.wait()
    record.close_notes("", writing.result())
