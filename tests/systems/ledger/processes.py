"""What other processes do to a ledger while a test looks on; each is started anew and imports this module."""

import os
import sys
from datetime import UTC, datetime

from tasks.systems.ledger import Ledger, PostingExistsError
from tests.systems.ledger.builders import a_posting

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def begin_one_posting(url: str) -> str:
    """Wait for the line that starts all racers at once, then begin; say `won`, or the state of the one that did."""
    with Ledger(url) as ledger:
        ledger.check()
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            a_posting(ledger)
        except PostingExistsError as exists:
            return str(exists.state)
        return "won"


def enter_lane(url: str) -> str:
    with Ledger(url, now=lambda: START) as ledger, ledger.lane("order 1", owner="other", seconds=60) as is_mine:
        return str(is_mine)


def crash_in_lane(url: str) -> str:
    with Ledger(url, now=lambda: START) as ledger, ledger.lane("order 1", owner="other", seconds=60):
        os._exit(9)


def crash_while_posting(url: str) -> str:
    a_posting(Ledger(url))
    os._exit(9)


if __name__ == "__main__":
    print(globals()[sys.argv[1]](sys.argv[2]), flush=True)
