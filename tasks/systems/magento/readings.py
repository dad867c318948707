"""Documents read past the ones that Magento cannot hand out: each of those is found and named, all others are read."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tasks.errors import NotFoundError
from tasks.systems.magento.errors import FailedInsideError
from tasks.systems.magento.orders import OrderCalls
from tasks.systems.magento.search import LONGEST_LIST, Filter, Search, encode_id, timestamp
from tasks.systems.magento.streams import (
    STREAMS,
    Groups,
    Key,
    Record,
    Stream,
    StreamCalls,
    StreamName,
    Way,
    unexpected,
    way_by_change,
)

ORDERS = STREAMS["orders"]
# A page that no list reaches: Magento counts what matches and loads none of it, so that this fails on no record.
NO_PAGE = 1_000_000_000
START = datetime(2000, 1, 1, tzinfo=UTC)
# The largest entity id that Magento's columns hold.
HIGHEST_ID = 2**32
# States in which nothing of an order is reserved any more.
FINISHED = ("complete", "closed", "canceled")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that Magento has but does not hand out, neither in a list nor by its id. `problem`: Magento's words.

    `order_number` is the number of an order where it is known; `order_id` the entity id of the order that a shipment,
    invoice or credit memo belongs to, 0 where that cannot be found out.
    """

    entity_id: int
    problem: str
    order_number: str = ""
    kind: StreamName = "orders"
    order_id: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """Documents that were read, and those that could not be.

    Everything up to `position` is in one of the two; for a reading by id or number only what was asked for counts.
    """

    records: Sequence[Record] = field(repr=False)
    unreadable: tuple[Unreadable, ...]
    position: Key = (START, 0)


class ReadingCalls(StreamCalls, OrderCalls):
    """Documents by change, by id and by number. One that Magento fails on holds up no other.

    Where Magento fails on every search alike, or does not answer, these raise as any other read does.
    """

    def changed(
        self, kind: StreamName, after: Key, until: datetime, *, leave_out: Collection[int] = ()
    ) -> Iterator[Reading]:
        """Yield what `stream(kind, ...)` yields, without the documents whose entity ids are to be left out."""
        yield from self._read(kind, way_by_change(kind, after, until, _without(leave_out)), after)

    def placed_orders(
        self, since: datetime, until: datetime, *, after: int = 0, leave_out: Collection[int] = (), fields: str = ""
    ) -> Iterator[Reading]:
        """Yield the orders created in `[since, until)`, by entity id and whatever their `updated_at` says.

        `fields` limits the members of each record, for instance `entity_id,increment_id`; `entity_id` must be one.
        """
        reference = f"orders created from {timestamp(since)} to {timestamp(until)}"
        created: tuple[Groups, ...] = (
            (Filter("created_at", "gteq", since),),
            (Filter("created_at", "lt", until),),
        )
        projection = f"items[{fields}],total_count" if fields else ""
        narrowed = (*created, *_without(leave_out))
        way = Way(ORDERS, reference, until, narrowed, is_by_change=False, fields=projection)
        yield from self._read("orders", way, (START, after))

    def unfinished_orders(self, *, leave_out: Collection[int] = (), fields: str = "") -> Iterator[Reading]:
        """Yield the orders that still reserve stock, by entity id: those that are not complete, closed or cancelled.

        `fields` limits the members of each record; `entity_id` must be one.
        """
        states = (Filter("state", "nin", ",".join(FINISHED)),)
        narrowed: tuple[Groups, ...] = (states, *_without(leave_out))
        projection = f"items[{fields}],total_count" if fields else ""
        way = Way(ORDERS, "unfinished orders", datetime.now(UTC), narrowed, is_by_change=False, fields=projection)
        yield from self._read("orders", way, (START, 0))

    def numbered_orders(self, order_numbers: Sequence[str]) -> Reading:
        """Return the orders with these increment ids; a number that Magento does not know is in neither list."""
        return self._numbered("orders", self.orders_by_number, order_numbers)

    def numbered_creditmemos(self, numbers: Sequence[str]) -> Reading:
        """Return the credit memos with these increment ids; one that Magento does not know is in neither list."""
        return self._numbered("creditmemos", self.creditmemos_by_number, numbers)

    def order_by_id(self, entity_id: int, order_number: str = "") -> Reading:
        """Return one order, or why it cannot be read."""
        return self.document_by_id("orders", entity_id, order_number)

    def document_by_id(self, kind: StreamName, entity_id: int, order_number: str = "") -> Reading:
        """Return one document, or why it cannot be read."""
        stream = STREAMS[kind]
        try:
            return Reading([self._one(f"{stream.one}/{encode_id(entity_id)}", f"{stream.noun} id {entity_id}")], ())
        except (FailedInsideError, NotFoundError) as error:
            order_id = 0 if kind == "orders" else self._order_of(stream, entity_id)
            return Reading([], (Unreadable(entity_id, str(error), order_number, kind, order_id),))

    def documents_of(self, kind: StreamName, order_entity_id: int) -> Reading:
        """Return what belongs to an order, oldest first, and of it what Magento does not hand out.

        `kind` is shipments, invoices or creditmemos. Source: the list of the kind, by `order_id`. Raises
        UnexpectedResponseError when a document of another order comes.
        """
        stream, order_id = STREAMS[kind], encode_id(order_entity_id)
        try:
            return Reading(self._of_order(stream.route, order_entity_id), ())
        except FailedInsideError:
            narrowed = ((Filter("order_id", "eq", order_id),),)
            way = Way(stream, f"order id {order_id}", datetime.now(UTC), narrowed, is_by_change=False)
            readings = list(self._read(kind, way, (START, 0)))
        records = [record for reading in readings for record in reading.records]
        if any(str(record.get("order_id")) != order_id for record in records):
            raise unexpected(stream.route, f"order id {order_id}", "a document came that was not asked for")
        return Reading(records, tuple(each for reading in readings for each in reading.unreadable))

    def count_between(self, first: str, last: str) -> int:
        """Return how many orders have an increment id from the first to the last, compared as text."""
        groups: list[Groups] = [(Filter("increment_id", "gteq", first),), (Filter("increment_id", "lteq", last),)]
        return self._count(ORDERS, groups, f"order numbers {first} to {last}")

    def _read(self, kind: StreamName, way: Way, after: Key) -> Iterator[Reading]:
        unreadable: list[Unreadable] = []

        def one(way: Way, last: Key, failure: FailedInsideError) -> tuple[Key, list[Record]]:
            key = self._first_key(way, last, failure)
            found = self.document_by_id(kind, key[1])
            unreadable.extend(found.unreadable)
            return key, list(found.records)

        for records, position in self._walk(way, after, one):
            yield Reading(records, tuple(unreadable), position)
            unreadable.clear()

    def _numbered(
        self, kind: StreamName, by_number: Callable[[Sequence[str]], list[Record]], numbers: Sequence[str]
    ) -> Reading:
        """Return the documents with these numbers: a list that Magento fails on is halved down to the one number."""
        if not numbers:
            return Reading([], ())
        try:
            return Reading(by_number(numbers), ())
        except FailedInsideError as failure:
            if len(numbers) > 1:
                half = len(numbers) // 2
                first = self._numbered(kind, by_number, numbers[:half])
                second = self._numbered(kind, by_number, numbers[half:])
                return Reading([*first.records, *second.records], first.unreadable + second.unreadable)
            wanted: list[Groups] = [(Filter("increment_id", "eq", numbers[0]),)]
            entity_id = self._first(STREAMS[kind], "entity_id", wanted, f"{STREAMS[kind].noun} {numbers[0]}", failure)
            return self.document_by_id(kind, entity_id, numbers[0] if kind == "orders" else "")

    def _first_key(self, way: Way, last: Key, failure: FailedInsideError) -> Key:
        """Return the key of the first document behind a key: by counting, because reading it fails."""
        groups = way.groups(last)
        at = last[0]
        if way.is_by_change:
            seconds = _smallest(
                lambda second: self._count(
                    way.stream, [*groups, (Filter("updated_at", "lteq", _instant(second)),)], way.reference
                ),
                int(last[0].timestamp()),
                int(way.end.timestamp()),
            )
            if seconds is None:
                raise failure
            at = _instant(seconds)
            groups = [*groups, (Filter("updated_at", "eq", at),)]
        return at, self._first(way.stream, "entity_id", groups, way.reference, failure)

    def _order_of(self, stream: Stream, entity_id: int) -> int:
        """Return the entity id of the order that a document belongs to, by counting; 0 when it is gone."""
        wanted: list[Groups] = [(Filter("entity_id", "eq", entity_id),)]
        return self._first(stream, "order_id", wanted, f"order of {stream.noun} {entity_id}", None)

    def _first(
        self, stream: Stream, column: str, groups: list[Groups], reference: str, failure: FailedInsideError | None
    ) -> int:
        """Return the smallest id in a column that matches; when nothing does it was no document's: raises the failure.

        Without a failure 0 is returned.
        """

        def count(number: int) -> int:
            return self._count(stream, [*groups, (Filter(column, "lteq", number),)], reference)

        if not self._count(stream, groups, reference):
            if failure is None:
                return 0
            raise failure
        high = 1024
        while high < HIGHEST_ID and not count(high):
            high *= 8
        found = _smallest(count, high // 8 if high > 1024 else 0, high)
        if found is None:
            raise unexpected(stream.route, reference, "a document that was counted is not there any more")
        return found

    def _count(self, stream: Stream, groups: list[Groups], reference: str) -> int:
        search = Search(1, page=NO_PAGE, fields="items[entity_id],total_count")
        for group in groups:
            search.where(*group)
        return self._page(stream.route, search, reference)[1]


def _without(entity_ids: Collection[int]) -> tuple[Groups, ...]:
    """Return the filter that leaves documents out; those beyond the longest list stay in and are found again."""
    text = ""
    for number in sorted(entity_ids):
        longer = f"{text},{number}" if text else str(number)
        if len(longer) + 2 * longer.count(",") > LONGEST_LIST:
            break
        text = longer
    return ((Filter("entity_id", "nin", text),),) if text else ()


def _smallest(count: Callable[[int], int], low: int, high: int) -> int | None:
    """Return the smallest value from low to high at which anything is counted; None when nothing is."""
    if not count(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if count(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
