"""What the benchmarks share: stand-ins and measured programs, each in a process of its own, and one Prefect server."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CONTEXT = multiprocessing.get_context("spawn")
SECONDS_TO_START = 240


@contextmanager
def served(serve: Callable[..., None], *arguments: Any) -> Iterator[tuple[Any, Any]]:
    """Run a stand-in in another process: yields what it sends first, and the pipe to it.

    `serve(*arguments, pipe)` sends its address and returns when it receives "stop".
    """
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=serve, args=(*arguments, theirs))
    process.start()
    try:
        yield ours.recv(), ours
        ours.send("stop")
    finally:
        process.join(20)
        process.terminate()


def in_a_process(target: Callable[..., None], *arguments: Any) -> Any:
    """Run a function in a new process and return what it sends down the pipe that it gets as its last argument."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        process.join()


def peak_memory() -> int:
    """Return the most bytes that this process ever held; `ru_maxrss` would be its parent's where that held more."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


@contextmanager
def prefect_server() -> Iterator[str]:
    """Serve Prefect with the settings of docs/scaling.md for the block; yields the address of its API."""
    from prefect.client.orchestration import get_client
    from prefect.settings import (
        PREFECT_LOGGING_LEVEL,
        PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE,
        PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE,
        get_current_settings,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness

    from flows.orchestration import LIMITS, prepare_limits

    own = {
        PREFECT_LOGGING_LEVEL: "WARNING",
        PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE: 200,
        PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE: 100,
    }
    os.environ["PREFECT_LOGGING_LEVEL"] = "WARNING"
    with temporary_settings(own), prefect_test_harness(server_startup_timeout=SECONDS_TO_START):
        with get_client(sync_client=True) as client:
            prepare_limits(client, LIMITS)
        yield str(get_current_settings().api.url)


def middle(values: Sequence[float]) -> float:
    """Return the middle one of an odd number of measurements."""
    return sorted(values)[len(values) // 2]
