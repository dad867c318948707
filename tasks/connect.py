"""The one place where settings, secrets and systems meet: opens each system, and turns settings into plain rules."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import httpx
import stamina
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from schemas.acceptance import AcceptanceRules, folded
from schemas.brakes import BrakeRules
from schemas.buffers import BufferRule, Buffers
from schemas.census import CensusRule, SilenceRule
from schemas.documents import StockTuple
from schemas.mapped import MAPPED, with_mapped
from schemas.rules import BackOrderRule, DispatchRules, OrderRules, StockRules
from tasks.errors import OutcomeUnknownError, SystemUnavailableError
from tasks.settings import PaymentMethodSettings, Secrets, Settings
from tasks.settings.fulfilment_rules import dispatch_rules_of
from tasks.settings.order_rules import order_rules_of
from tasks.settings.tuples import stock_tuple
from tasks.systems.ledger import Ledger
from tasks.systems.magento import MagentoClient
from tasks.systems.pacing import Pacer
from tasks.systems.prima import PrimaClient, ReportingSource

READ_RETRIES = 2
LANE_SECONDS = 900
WAIT_SECONDS = 300
SQLITE = "sqlite:///"


class LaneTakenError(SystemUnavailableError):
    """Another worker writes here; nothing happened."""


def worth_trying_again(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Retry what did not happen, and what may have happened because the step looks before it writes again."""
    return isinstance(state.result(raise_on_failure=False), SystemUnavailableError | OutcomeUnknownError)


def secret_block(name: str) -> str | None:
    """Return a secret from its Prefect Secret block (`magento-consumer-key`); None where there is no such block.

    Raises SystemUnavailableError when the Prefect server that would hold the block does not answer.
    """
    try:
        block = Secret.load(name.lower().replace("_", "-"))
    except ValueError:
        return None
    except (RuntimeError, httpx.HTTPError) as error:
        raise SystemUnavailableError(
            f"the server did not answer ({error}).",
            system="Prefect",
            operation="load Secret block",
            reference=name,
            next_step=f"Start it, correct PREFECT_API_URL, or set {name} in the environment.",
        ) from error
    value = block.get() if isinstance(block, Secret) else None
    return str(value) if value else None


def secrets() -> Secrets:
    """Return the secrets: environment first, then Prefect Secret blocks."""
    return Secrets(secret_block)


@contextmanager
def open_magento(settings: Settings) -> Iterator[MagentoClient]:
    """Open the shop. Raises ConfigurationError when its keys are set nowhere.

    All clients of a process keep to one pace: steps that run beside one another call the shop no faster together.
    """
    pace = _pace(settings.magento.base_url, settings.magento.calls_per_second)
    with MagentoClient(settings.magento, secrets(), pace=pace) as client:
        yield client


@cache
def _pace(base_url: str, calls_per_second: float) -> Pacer:
    return Pacer(calls_per_second)


@cache
def prima_calls(wsdl_url: str, concurrency: int) -> BoundedSemaphore:
    """Return what every call that creates an order holds: a process never has more of them out than PRIMA takes."""
    return BoundedSemaphore(concurrency)


@contextmanager
def open_prima(settings: Settings) -> Iterator[PrimaClient]:
    """Open PRIMA's web service: reads its WSDL. Raises SystemUnavailableError or ConfigurationError.

    All clients of a process keep to one pace, `prima.calls_per_minute`.
    """
    prima = settings.prima
    statuses = settings.statuses
    if not prima.calls_per_minute:
        with PrimaClient(prima, secrets(), statuses=statuses) as client:
            yield client
        return
    pace = _pace(prima.endpoint_url or prima.wsdl_url, prima.calls_per_minute / 60)
    with PrimaClient(prima, secrets(), statuses=statuses, pace=pace) as client:
        yield client


@contextmanager
def open_reporting(settings: Settings) -> Iterator[ReportingSource | None]:
    """Open PRIMA's reporting source; None where the settings name none."""
    source = ReportingSource.open(settings.prima.reporting, secrets())
    try:
        yield source
    finally:
        if source is not None:
            source.close()


@contextmanager
def open_ledger(settings: Settings) -> Iterator[Ledger]:
    """Open the ledger; an SQLite file that does not exist yet is made.

    Raises ConfigurationError when its tables are of another version, SystemUnavailableError when it is out of reach.
    """
    is_new = settings.ledger.url.startswith(SQLITE) and not Path(settings.ledger.url.removeprefix(SQLITE)).exists()
    with Ledger(settings.ledger.url) as ledger:
        if is_new:
            ledger.migrate()
        yield ledger


def order_rules(settings: Settings) -> OrderRules:
    """Return what the settings say about importing orders, and what people mapped since (`exceptions map`)."""
    rules = order_rules_of(settings)
    with open_ledger(settings) as ledger:
        payments = with_mapped(rules.payments, ledger.mappings(MAPPED["payment"]))
        deliveries = with_mapped(rules.deliveries, ledger.mappings(MAPPED["charge"]))
    return replace(rules, payments=payments, deliveries=deliveries)


def census_rule(settings: Settings) -> CensusRule:
    """Return what the settings say about counting orders."""
    return CensusRule(not_in_prima=timedelta(hours=settings.orders.not_in_prima_hours))


def silence_rule(settings: Settings) -> SilenceRule:
    """Return what the settings say about a stream of orders that falls silent."""
    orders = settings.orders
    return SilenceRule(orders.silence_orders, timedelta(minutes=orders.silence_minutes), orders.silence_weeks)


def stock_rules(settings: Settings) -> StockRules:
    """Return what the settings say about stock."""
    stock, prima = settings.stock, settings.prima
    rules = [
        BufferRule(rule.units, rule.percent, rule.floor, rule.sku, rule.category, rule.source_code)
        for rule in stock.buffer_rules
    ]
    back = stock.back_orders
    return StockRules(
        source_code=settings.magento.source_code,
        buffers=Buffers(stock.buffer, stock.buffers, rules),
        warehouses=stock.warehouses,
        back_orders=BackOrderRule(back.units, timedelta(days=back.within_days)) if back.units else None,
        sellable=stock.sellable,
        date_horizon_days=prima.stock.date_horizon_days,
        placeholder_dates=frozenset(prima.stock.placeholder_dates),
        reports_missing=prima.stock.missing_row == "unchanged",
    )


def brake_rules(settings: Settings) -> BrakeRules:
    """Return what the settings say about snapshots that cannot be true."""
    return BrakeRules(
        lowest_rows=settings.prima.lowest_stock_rows,
        shrink_percent=settings.prima.largest_stock_shrink_percent,
        **settings.stock.brakes.model_dump(),
    )


def source_of_store(settings: Settings, store_id: int) -> str:
    """Return the source that ships the orders of a store view: its own, else `magento.source_code`."""
    own = {store.id: store.source_code for store in settings.stores}
    return own.get(store_id) or settings.magento.source_code


def dispatch_rules(settings: Settings) -> DispatchRules:
    """Return what the settings say about dispatches, and which carriers people mapped since (`exceptions map`)."""
    rules = dispatch_rules_of(settings)
    with open_ledger(settings) as ledger:
        return replace(rules, carriers=with_mapped(rules.carriers, ledger.mappings(MAPPED["carrier"])))


def payment_methods(settings: Settings) -> Mapping[str, PaymentMethodSettings]:
    """Return the payment methods of the settings, and those that people mapped to one of them."""
    with open_ledger(settings) as ledger:
        return with_mapped(settings.payment_methods, ledger.mappings(MAPPED["payment"]))


def acceptance_rules(settings: Settings) -> AcceptanceRules:
    """Return what the settings say about orders that PRIMA accepted."""
    rounding = settings.prima.orders.rounding_product
    return AcceptanceRules(
        delivery_is_line=settings.prima.orders.delivery_as == "line",
        rounding_item=stock_tuple(rounding) if rounding else None,
        visible_within=timedelta(minutes=settings.verification.visible_within_minutes),
        statuses={folded(word): status for word, status in settings.statuses.items()},
        cancels_in_prima=bool(settings.prima.requests.cancel),
        reports_unknown_words=settings.prima.unknown_status == "report",
    )


def mapped_items(settings: Settings) -> Mapping[str, StockTuple]:
    """Return the SKUs that the settings map by hand."""
    return {sku: stock_tuple(item) for sku, item in settings.sku.mapped.items()}


def owner() -> str:
    """Return who holds a lane: this machine, process with its start, and thread."""
    process = os.getpid()
    return f"{socket.gethostname()}:{process}-{_started(process)}:{threading.get_ident()}"


def free_lanes_of_the_dead(ledger: Ledger) -> None:
    """Free the lanes of processes of this machine that no longer run; those of other machines end by their lease."""
    for held_by in ledger.lane_owners():
        machine, process, _ = held_by.rsplit(":", 2)
        number, _, started = process.partition("-")
        if machine == socket.gethostname() and not _is_running(int(number), started):
            ledger.free_lanes(held_by)


def _is_running(process: int, started: str) -> bool:
    """Tell whether a process runs that began then: a number is given out again, to a process that began later."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not started or started == _started(process)


def _started(process: int) -> str:
    """Return when a process began, in clock ticks since the machine did.

    Empty where the system does not tell; `ended` for one that was killed and waits for its parent to take note.
    """
    try:
        state, *facts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if state in "ZX" else facts[18]


@contextmanager
def stock_lane(settings: Settings) -> Iterator[Callable[[], None]]:
    """Hold the one lane in which stock is written to any source, waiting for whoever has it.

    Yields a call that holds it for longer, to be made before each write; it raises SystemUnavailableError when the
    lane was lost. Raises LaneTakenError when it does not become free in five minutes.
    """
    name = f"stock {settings.magento.source_code}"
    own = owner()
    with open_ledger(settings) as ledger:
        held_since = [time.monotonic()]

        def keep() -> None:
            # The clock of a machine that slept may have stood still, but the lease's end did not: look at each write.
            if time.monotonic() - held_since[0] < LANE_SECONDS / 10 and ledger.lane_owner(name) == own:
                return
            if not ledger.extend_lane(name, owner=own, seconds=LANE_SECONDS):
                raise SystemUnavailableError(f"the lane {name} was lost.", system="ledger", operation="keep lane")
            held_since[0] = time.monotonic()

        waiting = stamina.retry_context(
            on=LaneTakenError, attempts=None, timeout=WAIT_SECONDS, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
        )
        for attempt in waiting:
            # Each time, because whoever has the lane may die while it is waited for.
            free_lanes_of_the_dead(ledger)
            with attempt, ledger.lane(name, owner=own, seconds=LANE_SECONDS) as is_ours:
                if not is_ours:
                    raise LaneTakenError(f"the lane {name} is taken.", system="ledger", operation="enter lane")
                yield keep
