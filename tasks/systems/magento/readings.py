"""Orders read past the ones that Magento cannot hand out: each of those is found and named, everything else is read."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tasks.errors import NotFoundError
from tasks.systems.magento.errors import FailedInsideError
from tasks.systems.magento.orders import OrderCalls
from tasks.systems.magento.search import LONGEST_LIST, Filter, Search, timestamp
from tasks.systems.magento.streams import STREAMS, Groups, Key, Record, StreamCalls, Way, unexpected, way_by_change

ORDERS = STREAMS["orders"]
# A page that no list reaches: Magento counts what matches and loads none of it, so that this fails on no record.
NO_PAGE = 1_000_000_000
START = datetime(2000, 1, 1, tzinfo=UTC)
# States in which nothing of an order is reserved any more.
FINISHED = ("complete", "closed", "canceled")


@dataclass(frozen=True, slots=True)
class UnreadableOrder:
    """An order that Magento has but does not hand out, neither in a list nor by its id. `problem`: Magento's words."""

    entity_id: int
    problem: str
    order_number: str = ""


@dataclass(frozen=True, slots=True)
class OrderReading:
    """Orders that were read, and those that could not be.

    Every order up to `position` is in one of the two; for a reading by id only its number counts.
    """

    records: Sequence[Record] = field(repr=False)
    unreadable: tuple[UnreadableOrder, ...]
    position: Key = (START, 0)


class ReadingCalls(StreamCalls, OrderCalls):
    """Orders by change, by id and by number. An order that Magento fails on holds up no other.

    Where Magento fails on every search alike, or does not answer, these raise as any other read does.
    """

    def changed_orders(self, after: Key, until: datetime, *, leave_out: Collection[int] = ()) -> Iterator[OrderReading]:
        """Yield what `stream("orders", ...)` yields, without the orders whose entity ids are to be left out."""
        yield from self._read(way_by_change("orders", after, until, _without(leave_out)), after)

    def placed_orders(
        self, since: datetime, until: datetime, *, after: int = 0, leave_out: Collection[int] = (), fields: str = ""
    ) -> Iterator[OrderReading]:
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
        yield from self._read(way, (START, after))

    def unfinished_orders(self, *, leave_out: Collection[int] = (), fields: str = "") -> Iterator[OrderReading]:
        """Yield the orders that still reserve stock, by entity id: those that are not complete, closed or cancelled.

        `fields` limits the members of each record; `entity_id` must be one.
        """
        states = (Filter("state", "nin", ",".join(FINISHED)),)
        narrowed: tuple[Groups, ...] = (states, *_without(leave_out))
        projection = f"items[{fields}],total_count" if fields else ""
        way = Way(ORDERS, "unfinished orders", datetime.now(UTC), narrowed, is_by_change=False, fields=projection)
        yield from self._read(way, (START, 0))

    def numbered_orders(self, order_numbers: Sequence[str]) -> OrderReading:
        """Return the orders with these increment ids; a number that Magento does not know is in neither list."""
        if not order_numbers:
            return OrderReading([], ())
        try:
            return OrderReading(self.orders_by_number(order_numbers), ())
        except FailedInsideError as failure:
            if len(order_numbers) > 1:
                half = len(order_numbers) // 2
                first, second = self.numbered_orders(order_numbers[:half]), self.numbered_orders(order_numbers[half:])
                return OrderReading([*first.records, *second.records], first.unreadable + second.unreadable)
            number = order_numbers[0]
            wanted: list[Groups] = [(Filter("increment_id", "eq", number),)]
            return self.order_by_id(self._first_id(wanted, failure, f"order {number}"), number)

    def order_by_id(self, entity_id: int, order_number: str = "") -> OrderReading:
        """Return one order, or why it cannot be read."""
        try:
            return OrderReading([self.order(entity_id)], ())
        except (FailedInsideError, NotFoundError) as error:
            return OrderReading([], (UnreadableOrder(entity_id, str(error), order_number),))

    def count_between(self, first: str, last: str) -> int:
        """Return how many orders have an increment id from the first to the last, compared as text."""
        groups: list[Groups] = [(Filter("increment_id", "gteq", first),), (Filter("increment_id", "lteq", last),)]
        return self._count(groups, f"order numbers {first} to {last}")

    def _read(self, way: Way, after: Key) -> Iterator[OrderReading]:
        unreadable: list[UnreadableOrder] = []

        def one(way: Way, last: Key, failure: FailedInsideError) -> tuple[Key, list[Record]]:
            key = self._first_key(way, last, failure)
            found = self.order_by_id(key[1])
            unreadable.extend(found.unreadable)
            return key, list(found.records)

        for records, position in self._walk(way, after, one):
            yield OrderReading(records, tuple(unreadable), position)
            unreadable.clear()

    def _first_key(self, way: Way, last: Key, failure: FailedInsideError) -> Key:
        """Return the key of the first order behind a key: by counting, because reading it fails."""
        groups = way.groups(last)
        at = last[0]
        if way.is_by_change:
            seconds = _smallest(
                lambda second: self._count([*groups, (Filter("updated_at", "lteq", _instant(second)),)], way.reference),
                int(last[0].timestamp()),
                int(way.end.timestamp()),
            )
            if seconds is None:
                raise failure
            at = _instant(seconds)
            groups = [*groups, (Filter("updated_at", "eq", at),)]
        return at, self._first_id(groups, failure, way.reference)

    def _first_id(self, groups: list[Groups], failure: FailedInsideError, reference: str) -> int:
        """Return the smallest entity id that matches; raises the failure when nothing does: it was no order's."""

        def count(number: int) -> int:
            return self._count([*groups, (Filter("entity_id", "lteq", number),)], reference)

        if not self._count(groups, reference):
            raise failure
        high = 1024
        while not count(high):
            high *= 8
        found = _smallest(count, high // 8 if high > 1024 else 0, high)
        if found is None:
            raise unexpected(ORDERS.route, reference, "an order that was counted is not there any more")
        return found

    def _count(self, groups: list[Groups], reference: str) -> int:
        search = Search(1, page=NO_PAGE, fields="items[entity_id],total_count")
        for group in groups:
            search.where(*group)
        return self._page(ORDERS.route, search, reference)[1]


def _without(entity_ids: Collection[int]) -> tuple[Groups, ...]:
    """Return the filter that leaves orders out; those beyond the longest list stay in and are found again."""
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
