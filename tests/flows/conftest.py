"""A Prefect server for the whole session: started once, on a temporary database, reached only on this machine."""

from collections.abc import Iterator

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from flows.orchestration import LIMITS, prepare_limits

STARTUP_SECONDS = 240


@pytest.fixture(scope="session", autouse=True)
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run every flow of this folder against a server of its own; the user's Prefect profile is not touched.

    The heartbeat is off because its thread is joined at the end of each synchronous flow, which costs a second a
    flow; no environment variable can switch it off.
    """
    home = tmp_path_factory.mktemp("prefect")
    own = {
        PREFECT_HOME: home,
        PREFECT_LOCAL_STORAGE_PATH: home / "storage",
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    }
    with temporary_settings(own), prefect_test_harness(server_startup_timeout=STARTUP_SECONDS):
        with get_client(sync_client=True) as client:
            prepare_limits(client, LIMITS)
        yield
