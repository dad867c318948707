"""What the process that runs are forked from does before the first of them: everything that every run would do again.

Only that process imports this module. It holds no thread, no connection and no file that a run could share.
"""

import gc
import importlib

from prefect.tasks import Task

from flows import fulfilment, orders
from tasks.normalise import orders as normalise
from tasks.validate import check_orders

FLOWS = (orders.sync_orders, fulfilment.sync_fulfilment)

# Imported by a run only when it is under way.
LATE_IMPORTS = (
    "anyascii._data",
    "anyio._backends._asyncio",
    "graphviz",
    "pandas.core.methods.to_dict",
    "prefect._internal.attempt_control",
    "prefect._internal.control_listener",
    "prefect._internal.metrics",
    "prefect._internal.states",
    "prefect.concurrency.v1.context",
    "prefect.engine",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.telemetry.run_telemetry",
    "prefect.utilities.visualization",
    "rich._emoji_codes",
)
RETRY_SECONDS = 0.1

for name in LATE_IMPORTS:
    importlib.import_module(name)

# The schemas are built at their first use, which takes seconds.
check_orders.fn(normalise.orders([]))

# A task that is worth trying again is tried again as often as in production, only sooner.
for each in gc.get_objects():
    if isinstance(each, Task) and each.retries:
        each.retry_delay_seconds = RETRY_SECONDS

# What is here stays: the collector need not look at it in every run, which would copy each page it touches.
gc.collect()
gc.freeze()
