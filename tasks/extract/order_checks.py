"""What the checks of orders need beside their records: what people released, and orders that look alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.order_checks import ORDER_REFUSAL, ORDER_RELEASE, Basket, signature
from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.extract.orders import read_numbered
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, OrderStateName

# PRIMA has these orders, may have them, or gets them next.
IN_PRIMA: tuple[OrderStateName, ...] = (
    "ready",
    "posting",
    "unknown",
    "accepted",
    "part_dispatched",
    "dispatched",
    "closed",
)
Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Beside:
    """What people released and refused, by order number; orders by PRIMA's number; records of those that look alike."""

    released: dict[str, frozenset[str]]
    numbers: dict[str, str]
    refused: dict[str, str] = field(default_factory=dict)
    records: Sequence[dict[str, Any]] = field(default=(), repr=False)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def fetch_beside(baskets: Sequence[Basket], numbers: Sequence[str]) -> Beside:
    """Return what people released and refused of these orders, and those with the same lines placed minutes from one.

    `numbers` are those that PRIMA would get; the ledger says which orders have them already.

    The ledger holds nothing by which a customer could be told, so it only names orders with the same lines, of those
    that PRIMA has or may have; who placed them is read from Magento again, and forgotten. Source: ledger, and
    GET /rest/V1/orders for the few that are left. Orders among `baskets` are not read again.
    """
    settings = Settings.from_env()
    within = timedelta(minutes=settings.orders.duplicate_minutes)
    with connect.open_ledger(settings) as ledger:
        released = {
            number: frozenset(value["codes"])
            for number, value in (ledger.mappings(ORDER_RELEASE) if baskets else {}).items()
        }
        refused = {
            number: f"refused by {value['by']}: {value['because']}"
            for number, value in (ledger.mappings(ORDER_REFUSAL) if baskets else {}).items()
        }
        taken = ledger.numbers_taken(numbers)
        alike = _alike(ledger, baskets, within) if within else []
    if not alike:
        return Beside(released, taken, refused)
    with connect.open_magento(settings) as magento:
        return Beside(released, taken, refused, read_numbered(magento, alike).records)


def _alike(ledger: Ledger, baskets: Sequence[Basket], within: timedelta) -> list[str]:
    """Return the numbers of orders outside the batch with the lines of one in it, placed near that one."""
    own = {basket.order_number for basket in baskets}
    times: dict[Any, list[datetime]] = {}
    for basket in baskets:
        times.setdefault(basket.lines, []).append(basket.placed_at)
    windows = merged((basket.placed_at - within, basket.placed_at + within) for basket in baskets)
    return [
        placed.order_number
        for placed in ledger.lines_placed(windows, *IN_PRIMA)
        if placed.order_number not in own
        and any(abs(placed.placed_at - at) <= within for at in times.get(signature(placed.lines), []))
    ]


def merged(windows: Iterable[Window]) -> list[Window]:
    """Return windows that overlap as one, in order."""
    found: list[Window] = []
    for since, until in sorted(windows):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found
