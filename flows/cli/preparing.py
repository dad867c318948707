"""What a command does before it starts a flow in this process."""

import logging

from flows import checks
from tasks.errors import IntegrationError
from tasks.settings import Settings


def prepare() -> None:
    """Stop before the flow starts when something that it needs is not there."""
    checks.require(Settings.from_env())
    quieten()


def quieten() -> None:
    """Keep tracebacks of our own errors out of the log: their sentence says what to do.

    The filter stands on the loggers, because Prefect makes their handlers anew when a flow begins.
    """
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], IntegrationError):
        record.exc_info = None
    return True
