"""Reads lists: streams of changed documents, and everything that matches a filter. By key, never by page number."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

from tasks.errors import UnexpectedResponseError
from tasks.settings import MagentoSettings
from tasks.systems.magento.errors import SYSTEM, FailedInsideError, InputLimitError
from tasks.systems.magento.search import Filter, Search, key_after, timestamp
from tasks.systems.magento.transport import Transport

StreamName = Literal["orders", "invoices", "creditmemos", "shipments", "products"]
Record = dict[str, Any]
Key = tuple[datetime, int]
Groups = tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """Where the documents of one kind are listed, and where one of them is read by its id."""

    route: str
    key: str  # the member of a record that holds what filters call entity_id
    one: str
    noun: str


STREAMS: dict[StreamName, Stream] = {
    "orders": Stream("/V1/orders", "entity_id", "/V1/orders", "order"),
    "invoices": Stream("/V1/invoices", "entity_id", "/V1/invoices", "invoice"),
    "creditmemos": Stream("/V1/creditmemos", "entity_id", "/V1/creditmemo", "credit memo"),
    "shipments": Stream("/V1/shipments", "entity_id", "/V1/shipment", "shipment"),
    "products": Stream("/V1/products", "id", "/V1/products", "product"),
}


class Calls:
    """What every group of calls stands on: the transport, and lists read page by page."""

    def __init__(self, transport: Transport, settings: MagentoSettings) -> None:
        self._transport = transport
        self._page_size = settings.page_size
        self._largest_page: int | None = None

    def _page(self, route: str, search: Search, reference: str) -> tuple[list[Record], int]:
        """Return the records of one page and how many match in all.

        A page size above the shop's limit is lowered to it, for good. `items` may be null for "none".
        """
        search.page_size = min(search.page_size, self._largest_page or search.page_size)
        try:
            answer = self._transport.read(route, query=search.query(), reference=reference)
        except InputLimitError as error:
            if error.limit >= search.page_size:
                raise
            self._largest_page = search.page_size = error.limit
            answer = self._transport.read(route, query=search.query(), reference=reference)
        if not isinstance(answer, dict) or "items" not in answer:
            raise unexpected(route, reference, "the answer has no items")
        records = answer["items"] or []
        total = answer.get("total_count")
        if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
            raise unexpected(route, reference, "items is not a list of records")
        if not isinstance(total, int) or isinstance(total, bool):
            raise unexpected(route, reference, f"total_count is {total!r}")
        return records, total

    def _matching(self, route: str, wanted: Filter, values: Collection[str], reference: str) -> list[Record]:
        """Return every record that a filter matches, in order of entity_id.

        `values` are what the filtered field may hold: a record with another one stops the call, because what is
        decided on it (was this order shipped?) must not rest on somebody else's documents.
        """
        found: list[Record] = []
        last = 0
        while True:
            search = Search(self._page_size).where(Filter("entity_id", "gt", last)).where(wanted)
            records, total = self._page(route, search.ascending("entity_id"), reference)
            for each in records:
                number = _number(each, "entity_id", route, reference)
                if number <= last or str(each.get(wanted.field)) not in values:
                    raise unexpected(route, reference, f"record {number} came, which was not asked for")
                last = number
            found += records
            if is_last(len(records), len(records), total, search):
                return found
            if not records:
                raise unexpected(route, reference, f"{total} records are left, but none came")


@dataclass(frozen=True, slots=True)
class Way:
    """A way through a list: what it is narrowed to, and the key by which its pages follow one another.

    By change, the key is `(updated_at, entity_id)` and the way ends before `end`; else it is `entity_id` alone, and
    the instant of a key stands still.
    """

    stream: Stream
    reference: str
    end: datetime
    narrowed: tuple[Groups, ...] = ()
    is_by_change: bool = True
    fields: str = ""

    def groups(self, last: Key) -> list[Groups]:
        """Return the filters for everything behind a key."""
        if not self.is_by_change:
            return [(Filter("entity_id", "gt", last[1]),), *self.narrowed]
        return [(Filter("updated_at", "lt", self.end),), *key_after(("updated_at", "entity_id"), last), *self.narrowed]

    def search(self, last: Key, size: int) -> Search:
        """Return the search for the page behind a key."""
        search = Search(size, fields=self.fields)
        for group in self.groups(last):
            search.where(*group)
        return search.ascending(*(("updated_at", "entity_id") if self.is_by_change else ("entity_id",)))

    def key(self, record: Record, last: Key) -> Key:
        """Return the key of a record; raises UnexpectedResponseError when it has none."""
        number = _number(record, self.stream.key, self.stream.route, self.reference)
        return (_updated_at(record, number, self.stream, self.reference) if self.is_by_change else last[0]), number


# What a walk does where Magento fails on a single record: returns its key, and the record if it can be had otherwise.
Detour = Callable[[Way, Key, FailedInsideError], tuple[Key, list[Record]]]


class StreamCalls(Calls):
    """Streams of everything that changed."""

    def stream(self, kind: StreamName, after: Key, until: datetime, *, fields: str = "") -> Iterator[list[Record]]:
        """Yield pages of records with `after` < (updated_at, entity_id) and updated_at < `until`, in that order.

        Source: `GET /V1/orders`, `/invoices`, `/creditmemos`, `/shipments` or `/products`; records as Magento sends
        them, numbers as int or Decimal. `after=(t, 0)` begins with the records of second t. Each page is asked for by
        the last key seen, so rows that change meanwhile shift nothing: a row that changes twice comes twice, and none
        is left out. Instants are aware; Magento keeps whole seconds, parts of a second are cut off. `fields` narrows
        the records, such as `items[id,sku,updated_at],total_count`; the key must be among them.

        Raises UnexpectedResponseError when Magento breaks the order, fails, or keeps sending pages already seen.
        """
        for records, _ in self._walk(replace(way_by_change(kind, after, until), fields=fields), after):
            yield records

    def _walk(self, way: Way, after: Key, detour: Detour | None = None) -> Iterator[tuple[list[Record], Key]]:
        """Yield the records behind a key page by page, each page with the key up to which everything was told.

        Where Magento fails (500) and there is a detour, the page is halved until it is a single record; the detour
        takes care of that one, and the walk goes on behind it. A page without records tells of such a record.
        """
        last = (after[0].astimezone(UTC).replace(microsecond=0), after[1])
        asked_again = False
        size, suspects = self._page_size, 0  # suspects: how many of the next records may hold the one that fails
        while not way.is_by_change or last[0] < way.end:
            search = way.search(last, size)
            try:
                records, total = self._page(way.stream.route, search, way.reference)
            except FailedInsideError as failure:
                if detour is None:
                    raise
                if search.page_size > 1:
                    suspects = search.page_size
                else:
                    last, found = detour(way, last, failure)
                    suspects = 0
                    yield found, last
                size = max(1, suspects // 2) if suspects else self._page_size
                continue
            keyed = [(way.key(each, last), each) for each in records]
            if any(later < earlier for (earlier, _), (later, _) in pairwise(keyed)):
                raise unexpected(way.stream.route, way.reference, "the records are not sorted by their key")
            new = [(key, each) for key, each in keyed if key > last and (not way.is_by_change or key[0] < way.end)]
            if new:
                last, asked_again = new[-1][0], False
                yield [each for _, each in new], last
            is_past_the_end = way.is_by_change and bool(keyed) and keyed[-1][0][0] >= way.end
            if is_past_the_end or is_last(len(new), len(records), total, search):
                return
            if not new and asked_again:
                raise unexpected(way.stream.route, way.reference, f"{total} records are left, but only seen ones come")
            asked_again = not new
            suspects = max(0, suspects - len(new))
            size = max(1, suspects // 2) if suspects else self._page_size


def way_by_change(kind: StreamName, after: Key, until: datetime, narrowed: tuple[Groups, ...] = ()) -> Way:
    """Return the way through everything of a kind that changed between two instants."""
    reference = f"{kind} from {timestamp(after[0])} to {timestamp(until)}"
    return Way(STREAMS[kind], reference, until.astimezone(UTC).replace(microsecond=0), narrowed)


def is_last(new: int, on_page: int, total: int, search: Search) -> bool:
    """Tell whether a page ends the list: all that match were on it, and it was not full.

    Both, because Magento counts and reads in two steps: a record that comes in between must not hide the last one.
    """
    return new >= total and on_page < search.page_size


def unexpected(route: str, reference: str, problem: str) -> UnexpectedResponseError:
    """Return the error for a read whose answer breaks the contract of its route."""
    return UnexpectedResponseError(
        f"{problem}.",
        system=SYSTEM,
        operation=f"GET {route}",
        reference=reference,
        next_step="An extension or a cache in front of Magento may be at work: report it.",
    )


def _updated_at(record: Record, number: int, stream: Stream, reference: str) -> datetime:
    text = record.get("updated_at")
    try:
        return datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise unexpected(stream.route, reference, f"record {number} has the updated_at {text!r}") from None


def _number(record: Record, key: str, route: str, reference: str) -> int:
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise unexpected(route, reference, f"a record has the {key} {value!r}")
