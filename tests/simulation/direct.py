"""Flows and tasks as the plain functions that they are: thousands of runs in a minute, without Prefect around them.

Every step of ours runs as it is written; what is left out is Prefect's bookkeeping of runs, its retries and its
artifacts. `tests/flows` runs the same flows with all of it.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from prefect import Flow, Task
from prefect.artifacts import Artifact
from prefect.logging import disable_run_logger
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.annotations import BaseAnnotation

THREADS = 8
RUN_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")


class Begun:
    """A task that was submitted: runs beside its flow."""

    def __init__(self, future: "Future[Any]") -> None:
        self._future = future

    def result(self, *_: object, **__: object) -> Any:
        """Return what the task returned, or raise what it raised."""
        return self._future.result()

    def wait(self, *_: object, **__: object) -> None:
        """Return when the task has ended."""
        wait_for([self._future])


def _plain(value: Any) -> Any:
    return value.unwrap() if isinstance(value, BaseAnnotation) else value


def _called(self: Any, *args: Any, **values: Any) -> Any:
    for name in RUN_LOGGERS:  # Prefect takes both together as "no run, and nobody to tell"; its own set-up undoes it
        logging.getLogger(name).disabled = True
    return self.fn(*map(_plain, args), **{name: _plain(value) for name, value in values.items()})


@contextmanager
def without_prefect() -> Iterator[None]:
    """Let flows and tasks run as plain functions until the block ends."""
    with ThreadPoolExecutor(THREADS) as pool:

        def submitted(task: Any, *args: Any, wait_for: Any = (), return_state: Any = None, **values: Any) -> Begun:
            for earlier in wait_for or ():
                earlier.wait()
            return Begun(pool.submit(_called, task, *args, **values))

        with (
            temporary_settings(restore_defaults={PREFECT_API_URL}),
            disable_run_logger(),
            _replaced(Task, "__call__", _called),
            _replaced(Task, "submit", submitted),
            _replaced(Flow, "__call__", _called),
            _replaced(Artifact, "create", lambda self, *_, **__: self.model_copy(update={"id": None})),
            patch("prefect.artifacts.cast", lambda _, value: _WithoutId()),
        ):
            yield


class _WithoutId:
    id = None


def _replaced(owner: type, name: str, value: Callable[..., Any]) -> Any:
    return patch.object(owner, name, value)
