"""What the process that runs are forked from does before the first of them: everything that every run would do again.

Only that process imports this module. It plays each flow once, against an installation of its own, so that no run does
anything for the first time. Afterwards it holds no thread, no connection and no file that a run could share.
"""

import gc
import json
import os
import threading
from functools import cache
from pathlib import Path

from prefect._internal.concurrency.threads import get_global_loop, get_run_sync_loop
from prefect.events import utilities as events
from prefect.settings import (
    PREFECT_API_TLS_INSECURE_SKIP_VERIFY,
    PREFECT_API_URL,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.tasks import Task

from flows import fulfilment, orders
from sandbox.prima import PrimaStandIn
from tasks import connect
from tasks.systems.pacing import Pacer
from tests.certificates import one_authority
from tests.stateful.runs import WARM_UP

RETRY_SECONDS = 0.1
CALLS_PER_SECOND = 1_000
LONGEST_END_SECONDS = 30


def warm_up(folder: Path) -> None:
    """Play each flow once: an order is accepted, and its goods leave."""
    orders.sync_orders()
    prima = PrimaStandIn(folder)
    prima.dispatch(prima.order_numbers()[0])
    prima.close()
    fulfilment.sync_fulfilment()


def end_threads() -> None:
    """End the threads that Prefect began; raises RuntimeError when one is left, which each run would lose.

    Threads of a pool end a moment after the loop or the pool that they belong to, on a busy machine a long moment.
    """
    for loop in (get_run_sync_loop(), get_global_loop()):
        loop.shutdown()
        loop.thread.join()
    others = [each for each in threading.enumerate() if each is not threading.main_thread()]
    for each in others:
        each.join(LONGEST_END_SECONDS)
    left = [each.name for each in others if each.is_alive()]
    if left:
        raise RuntimeError(f"these threads would be lost in each run: {', '.join(left)}")


plan = json.loads(os.environ[WARM_UP])
home = Path(plan["home"])
settings = temporary_settings(
    {
        PREFECT_API_URL: plan["api_url"],
        PREFECT_HOME: home,
        PREFECT_LOCAL_STORAGE_PATH: home / "storage",
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_API_TLS_INSECURE_SKIP_VERIFY: True,
        PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,
    }
)
# For this process and every run that is forked from it.
settings.__enter__()

# Nothing here speaks TLS, and each client would load every authority of the machine.
os.environ["SSL_CERT_FILE"] = str(one_authority(home))

# No test looks at events, and sending them costs as much as the flow.
events.should_emit_events = lambda: False

# The pace that spares a real shop would be more than half of a run's time; it has tests of its own.
connect._pace = cache(lambda base_url, calls_per_second: Pacer(CALLS_PER_SECOND))

# A task that is worth trying again is tried again as often as in production, only sooner.
for each in gc.get_objects():
    if isinstance(each, Task) and each.retries:
        each.retry_delay_seconds = RETRY_SECONDS

before = dict(os.environ)
os.environ.update(plan["environment"])
warm_up(Path(plan["folder"]))
os.environ.clear()
os.environ.update(before)
end_threads()

# What is here stays: the collector need not look at it in every run, which would copy each page it touches.
gc.collect()
gc.freeze()
