"""Reads lists: streams of changed documents, and everything that matches a filter. By key, never by page number."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

from tasks.errors import UnexpectedResponseError
from tasks.settings import MagentoSettings
from tasks.systems.magento.errors import SYSTEM, InputLimitError
from tasks.systems.magento.search import Filter, Search, key_after, timestamp
from tasks.systems.magento.transport import Transport

StreamName = Literal["orders", "invoices", "creditmemos", "shipments", "products"]
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Stream:
    route: str
    key: str  # the member of a record that holds what filters call entity_id


_STREAMS: dict[StreamName, _Stream] = {
    "orders": _Stream("/V1/orders", "entity_id"),
    "invoices": _Stream("/V1/invoices", "entity_id"),
    "creditmemos": _Stream("/V1/creditmemos", "entity_id"),
    "shipments": _Stream("/V1/shipments", "entity_id"),
    "products": _Stream("/V1/products", "id"),
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


class StreamCalls(Calls):
    """Streams of everything that changed."""

    def stream(self, kind: StreamName, after: tuple[datetime, int], until: datetime) -> Iterator[list[Record]]:
        """Yield pages of records with `after` < (updated_at, entity_id) and updated_at < `until`, in that order.

        Source: `GET /V1/orders`, `/invoices`, `/creditmemos`, `/shipments` or `/products`; records as Magento sends
        them, numbers as int or Decimal. `after=(t, 0)` begins with the records of second t. Each page is asked for by
        the last key seen, so rows that change meanwhile shift nothing: a row that changes twice comes twice, and none
        is left out. Instants are aware; Magento keeps whole seconds, parts of a second are cut off.

        Raises UnexpectedResponseError when Magento breaks the order, or keeps sending pages already seen.
        """
        stream = _STREAMS[kind]
        reference = f"{kind} from {timestamp(after[0])} to {timestamp(until)}"
        last, end = (after[0].astimezone(UTC).replace(microsecond=0), after[1]), until.astimezone(UTC)
        end = end.replace(microsecond=0)
        asked_again = False
        while last[0] < end:
            search = Search(self._page_size).where(Filter("updated_at", "lt", end))
            for group in key_after(("updated_at", "entity_id"), last):
                search.where(*group)
            search.ascending("updated_at", "entity_id")
            records, total = self._page(stream.route, search, reference)
            keyed = [(_key(each, stream, reference), each) for each in records]
            if any(later < earlier for (earlier, _), (later, _) in pairwise(keyed)):
                raise unexpected(stream.route, reference, "the records are not sorted by updated_at and entity_id")
            new = [(key, each) for key, each in keyed if key > last and key[0] < end]
            if new:
                yield [each for _, each in new]
                last, asked_again = new[-1][0], False
            is_past_the_end = bool(keyed) and keyed[-1][0][0] >= end
            if is_past_the_end or is_last(len(new), len(records), total, search):
                return
            if not new and asked_again:
                raise unexpected(stream.route, reference, f"{total} records are left, but only seen ones come")
            asked_again = not new


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


def _key(record: Record, stream: _Stream, reference: str) -> tuple[datetime, int]:
    text = record.get("updated_at")
    number = _number(record, stream.key, stream.route, reference)
    try:
        return datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC), number
    except ValueError:
        raise unexpected(stream.route, reference, f"record {number} has the updated_at {text!r}") from None


def _number(record: Record, key: str, route: str, reference: str) -> int:
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise unexpected(route, reference, f"a record has the {key} {value!r}")
