"""The fulfilment flow under a schedule: goods leave PRIMA in parts, tracking comes later, runs are killed."""

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

import httpx
from sqlalchemy import select, update

from tasks.systems.ledger import Ledger
from tasks.systems.ledger.models.postings import postings
from tests.flows.shopping import prima_number
from tests.stateful.accepted import UNITS
from tests.stateful.play import POLL_SECONDS, Play
from tests.stateful.schedules import Fault, Kill, Schedule, Step, System, kind_of_ledger

# How long a lost call may still take effect. Nobody waits for it: `wait_long` puts the clock of the ledger on.
SETTLE_SECONDS = 3_600
# A client that gives up soon, where an answer comes too late; elsewhere one that waits, however busy the machine is.
SHORT_SECONDS, LONG_SECONDS = 0.3, 30
TOO_LATE_SECONDS = 0.6
CALLS: tuple[tuple[System, str], ...] = (
    ("magento", "POST /V1/order/*/ship"),
    ("magento", "POST /V1/order/*/ship"),
    ("magento", "POST /V1/order/*/ship"),
    ("magento", "POST /V1/shipment/track"),
    ("magento", "GET /V1/shipment*"),
    ("magento", "GET /V1/orders*"),
)
ROWS = ("pending", "posted", "link", "track", "batch", "exception", "watermark")


def schedule(seed: int) -> Schedule:
    """Return the schedule of a seed: the same one each time. `new_orders` of a step are dispatches here."""
    dice = random.Random(f"parcels exactly once {seed}")
    steps = tuple(_step(dice) for _ in range(dice.randint(2, 4)))
    return Schedule(seed, kind_of_ledger(seed), steps)


def _step(dice: random.Random) -> Step:
    kill = _kill(dice) if dice.random() < 0.7 else None
    faults = tuple(_fault(dice) for _ in range(dice.choice((0, 1, 1, 2)) if kill else dice.choice((1, 2, 3))))
    runs = 2 if dice.random() < 0.15 else 1
    return Step(dice.randint(1, 4), dice.choice((0, 1, 2)), faults, kill, runs, refuses=False)


def _kill(dice: random.Random) -> Kill:
    moment = dice.choice(("seen", "answered", "answered", "ledger", "ledger", "ledger", "after"))
    if moment == "after":
        return Kill("after", seconds=round(dice.uniform(0.05, 1.2), 2))
    if moment == "ledger":
        return Kill("ledger", target=dice.choice(ROWS))
    system, target = dice.choice(CALLS)
    return Kill("seen" if moment == "seen" else "answered", system, target)


def _fault(dice: random.Random) -> Fault:
    system, target = dice.choice(CALLS)
    kind, detail = dice.choice(
        (
            ("lose_answer", {}),
            ("reset", {}),
            ("status", {"status": 500, "after_effect": dice.random() < 0.5}),
            ("status", {"status": 503}),
            ("truncate", {"close": dice.random() < 0.5}),
            ("delay", {"seconds": TOO_LATE_SECONDS, "before_effect": dice.random() < 0.5}),
        )
    )
    return Fault(system, target, kind, dice.choice((1, 1, 2)), detail)


class ParcelsPlay(Play):
    """`left` are the units of each order, by line, that have not left PRIMA yet."""

    flow: ClassVar[str] = "flows.fulfilment:sync_fulfilment"
    rows: ClassVar[Mapping[str, str]] = {
        "pending": "select count(*) from postings where operation in ('ship', 'add track') and state = 'pending'",
        "posted": "select count(*) from postings where operation in ('ship', 'add track') and state = 'posted'",
        "link": "select count(*) from dispatch_links where shipment_id <> ''",
        "track": "select count(*) from dispatch_tracks",
        "batch": "select count(*) from batches",
        "exception": "select count(*) from exceptions",
        "watermark": "select max(recorded_at) from watermarks",
    }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.dice = random.Random(f"goods that leave {self.schedule.seed}")
        self.left: dict[str, dict[int, int]] = {}
        self.dispatches = 0

    @property
    def replacements(self) -> Mapping[str, str]:
        """Few attempts, and the time that a lost call may still take effect."""
        return {
            "calls_per_second": f"15\nread_attempts = 2\nread_timeout_seconds = {LONG_SECONDS}",
            "settle_seconds": str(SETTLE_SECONDS),
        }

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Begin with the orders that PRIMA has accepted."""
        with super().opened():
            self.left = {prima_number(order): dict(UNITS) for order in self.installation.magento.orders()}
            yield

    def before_run(self, step: Step | None) -> None:
        """Choose how long the client waits. Before half of the steps, and at the end, a long time passes."""
        is_late = step is not None and any(fault.kind == "delay" for fault in step.faults)
        self.installation.configure(read_timeout_seconds=str(SHORT_SECONDS if is_late else LONG_SECONDS))
        if step is None or self.dice.random() < 0.5:
            self.wait_long()

    def wait_long(self) -> None:
        """Let pass the time in which a lost call may still take effect: Magento is done with it, and the ledger older.

        The clock of the machine plays no part, so that a busy one makes no difference.
        """
        for _ in range(2):  # whatever was sent before the first answer is under way at the second
            httpx.get(f"{self.installation.magento.url}/_sandbox/health", verify=False).raise_for_status()
        while self.installation.magento.faults.under_way():
            time.sleep(POLL_SECONDS)
        earlier = timedelta(seconds=SETTLE_SECONDS + 1)
        with self._watch.begin() as connection:
            for posting_id, begun_at in connection.execute(select(postings.c.id, postings.c.begun_at)).all():
                begun = {"begun_at": begun_at - earlier}
                connection.execute(update(postings).where(postings.c.id == posting_id).values(begun))

    def prepare(self, step: Step) -> None:
        """Let goods leave, some without tracking; name the tracking of others that left before."""
        for _ in range(step.new_orders):
            open_orders = [number for number, units in self.left.items() if any(units.values())]
            if not open_orders:
                break
            number = self.dice.choice(open_orders)
            lines = {line: self.dice.randint(0, units) for line, units in self.left[number].items() if units}
            lines = {line: units for line, units in lines.items() if units} or {min(lines): 1}
            for line, units in lines.items():
                self.left[number][line] -= units
            self.dispatches += 1
            numbers = [f"T{self.dispatches}-{parcel}" for parcel in range(self.dice.choice((0, 1, 1, 2)))]
            self.installation.prima.dispatch(number, lines, tracking=numbers)
        for number in self.dice.sample(self._untracked(), min(step.touched, len(self._untracked()))):
            self._in_prima(
                "update stand_in_dispatches set tracking_numbers = 'L' || dispatch_number, "
                f"updated_at = datetime('now') where dispatch_number = '{number}'"
            )

    def unsettled(self) -> list[str]:
        """Return the dispatches that are not told and the calls that are not clear."""
        with self.installation.ledger() as ledger:
            open_postings = ledger.postings_in("magento", ("pending", "unknown"))
            links = ledger.dispatches_known(list(self.dispatched()))
        untold = [number for number in self.dispatched() if number not in links or links[number].state != "shipped"]
        told = [number for number, link in links.items() if link.state == "shipped" and not link.content]
        return [
            *(f"{posting.key} {posting.state}" for posting in open_postings),
            *(f"{number} is not told" for number in untold),
            *(f"{number} is not followed to its end" for number in told),
        ]

    def dispatched(self) -> dict[str, tuple[str, set[str]]]:
        """Return PRIMA's order number and the tracking numbers of each dispatch."""
        rows = self._in_prima("select dispatch_number, order_number, tracking_numbers from stand_in_dispatches")
        return {row[0]: (row[1], {number for number in row[2].split(";") if number}) for row in rows}

    def units(self) -> dict[str, dict[int, int]]:
        """Return the units of each dispatch by line of its order."""
        found: dict[str, dict[int, int]] = {}
        for number, line, units in self._in_prima(
            "select dispatch_number, order_line_number, quantity from stand_in_dispatch_lines"
        ):
            found.setdefault(number, {})[line] = units
        return found

    def _untracked(self) -> list[str]:
        return sorted(number for number, (_, tracks) in self.dispatched().items() if not tracks)

    def _in_prima(self, sql: str) -> list[Any]:
        with sqlite3.connect(self.installation.folder / "prima.db", timeout=10) as database:
            return database.execute(sql).fetchall()


def disagreements(play: ParcelsPlay) -> list[str]:
    """Return a sentence for everything that is not as it must be when a schedule is over."""
    with play.installation.ledger() as ledger:
        return [
            *_parcels(play, ledger),
            *(f"{note.code} on {note.subject} is open" for note in ledger.exceptions()),
            *(f"evidence {each.evidence_id}: {each.problem}" for each in ledger.verify_evidence()),
        ]


def _parcels(play: ParcelsPlay, ledger: Ledger) -> Iterator[str]:
    """Each dispatch is one shipment with its units and tracks, each told by one e-mail; nothing else was shipped."""
    magento = play.installation.magento
    orders = {prima_number(order): order for order in magento.orders()}
    shipments = magento.shipments()
    emails = Counter(mail["shipment_id"] for mail in magento.emails if mail["kind"] == "shipment")
    told: dict[str, list[dict[str, Any]]] = {}
    for shipment in shipments:
        for comment in shipment["comments"]:
            told.setdefault(comment["comment"].removeprefix("PRIMA dispatch "), []).append(shipment)
    units, dispatched = play.units(), play.dispatched()
    if len(shipments) != len(dispatched):
        yield f"{len(shipments)} shipments for {len(dispatched)} dispatches"
    links = ledger.dispatches_known(list(dispatched))
    tracks = ledger.dispatch_tracks(list(dispatched))
    for number, (prima, wanted) in dispatched.items():
        if len(told.get(number, [])) != 1:
            yield f"{number} is told by {len(told.get(number, []))} shipments"
            continue
        (shipment,) = told[number]
        lines = {line["item_id"]: place for place, line in enumerate(orders[prima]["items"], start=1)}
        shipped = {lines[item["order_item_id"]]: int(item["qty"]) for item in shipment["items"]}
        if shipped != units[number]:
            yield f"{number}: PRIMA dispatched {units[number]}, Magento shipped {shipped}"
        if Counter(track["track_number"] for track in shipment["tracks"]) != Counter(dict.fromkeys(wanted, 1)):
            yield f"{number}: tracks {[track['track_number'] for track in shipment['tracks']]}, wanted {sorted(wanted)}"
        if emails[shipment["entity_id"]] != 1:
            yield f"{number}: {emails[shipment['entity_id']]} e-mails"
        if links[number].shipment_id != str(shipment["entity_id"]):
            yield f"{number}: the ledger says shipment {links[number].shipment_id}, it is {shipment['entity_id']}"
        if {track.track_number for track in tracks.get(number, [])} != wanted:
            yield f"{number}: the ledger has other tracks than PRIMA"
