"""What PRIMA says of single orders when it is asked: the state of those that no reporting source shows."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.acceptance import AskedStates
from schemas.documents import Parcel
from tasks import connect
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError
from tasks.settings import Settings
from tasks.systems.prima import OrderState, PrimaClient


@task(cache_policy=NO_CACHE)
def fetch_states(order_numbers_prima: Sequence[str]) -> AskedStates:
    """Return PRIMA's status word of each of these orders, as far as it can be had.

    Source: `OrderStatus`, one order a call, at most `prima.concurrency` at a time. PRIMA is not spoken to when there is
    nothing to ask. An order that PRIMA answers with an unrecognised error is `unclear`: that is no state, and no "not
    there".
    """
    if not order_numbers_prima:
        return AskedStates()
    settings = Settings.from_env()
    try:
        with connect.open_prima(settings) as prima:
            return _ask(prima, order_numbers_prima, settings.prima.concurrency)
    except SystemUnavailableError as error:
        return AskedStates(is_out_of_reach=str(error))


def _ask(prima: PrimaClient, order_numbers_prima: Sequence[str], at_a_time: int) -> AskedStates:
    is_out_of_reach = Event()
    words: dict[str, str] = {}
    missing: list[str] = []
    unclear: list[str] = []
    reasons: list[str] = []
    parcels: dict[str, tuple[Parcel, ...]] = {}

    def ask(number: str) -> None:
        if is_out_of_reach.is_set():
            return
        try:
            state = prima.order_status(number)
        except SystemUnavailableError as error:
            is_out_of_reach.set()
            reasons.append(str(error))
        except (CallRefusedError, OutcomeUnknownError):
            unclear.append(number)
        else:
            if state is None:
                missing.append(number)
            else:
                words[number] = state.status_text
                if found := _parcels(prima, number, state):
                    parcels[number] = found

    with ThreadPoolExecutor(max_workers=at_a_time) as pool:
        list(pool.map(ask, order_numbers_prima))
    return AskedStates(words, frozenset(missing), reasons[0] if reasons else "", parcels, frozenset(unclear))


def _parcels(prima: PrimaClient, number: str, state: OrderState) -> tuple[Parcel, ...]:
    """Return the parcels of an order of which something has left; a request of their own that fails tells none."""
    if state.tracking or state.status not in ("dispatched", "part_dispatched"):
        return state.tracking
    try:
        return prima.tracking(number) if prima.asks_for_tracking else ()
    except (CallRefusedError, OutcomeUnknownError):
        return ()
