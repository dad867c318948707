"""A Prefect server for a session of tests: on a temporary database, reached only on this machine.

It keeps flow runs, deployments, limits and artifacts. What it would do besides is left out: no test looks at task runs
or events on the server, and writing them down costs as much as the flows.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED,
    PREFECT_SERVER_SERVICES_EVENT_LOGGER_ENABLED,
    PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED,
    PREFECT_SERVER_SERVICES_FOREMAN_ENABLED,
    PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED,
    PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED,
    PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED,
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED,
    PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED,
    temporary_settings,
)
from prefect.settings.legacy import Setting
from prefect.testing.utilities import prefect_test_harness

from flows.orchestration import prepare_limits
from sandbox import certificates

STARTUP_SECONDS = 240
IDLE_SERVICES = (
    PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED,
    PREFECT_SERVER_SERVICES_EVENT_LOGGER_ENABLED,
    PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED,
    PREFECT_SERVER_SERVICES_FOREMAN_ENABLED,
    PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED,
    PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED,
    PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED,
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED,
    PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED,
)


@contextmanager
def serving(home: Path, limits: Mapping[str, int], settings: Mapping[Setting, Any]) -> Iterator[None]:
    """Serve for the block, with these slots of the global limits; the user's Prefect profile is not touched."""
    own: dict[Setting, Any] = {
        PREFECT_HOME: home,
        PREFECT_API_SSL_CERT_FILE: str(certificates.write_one(home)),
        PREFECT_LOCAL_STORAGE_PATH: home / "storage",
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        **dict.fromkeys(IDLE_SERVICES, False),
        **settings,
    }
    with temporary_settings(own), prefect_test_harness(server_startup_timeout=STARTUP_SECONDS):
        with get_client(sync_client=True) as client:
            prepare_limits(client, limits)
        yield
