"""A Prefect server for the whole session: started once, on a temporary database, reached only on this machine."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_LOGGING_TO_API_ENABLED

from flows.orchestration import LIMITS
from tests import prefect_server as server


@pytest.fixture(scope="session", autouse=True)
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run every flow of this folder against a server of its own.

    The heartbeat is off because its thread is joined at the end of each synchronous flow, which costs a second a
    flow; no environment variable can switch it off.
    """
    quiet = {PREFECT_LOGGING_TO_API_ENABLED: False, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with server.serving(tmp_path_factory.mktemp("prefect"), LIMITS, quiet):
        yield
