"""A Prefect server with all its services, and a worker: real processes that can be killed and started again."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import ConcurrencyOptions, FlowRun
from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows import automations, orchestration
from sandbox import certificates
from sandbox.demo import SERVER_SETTINGS
from sandbox.processes import Child, Children, answers, free_port

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 240
POLL_SECONDS = 0.5
DEAD, SHORTEST_SILENCE = "dead", timedelta(seconds=10)  # Prefect takes no shorter one


class Machinery:
    """The server at `url`, a worker of the product's pool, and a client of the server."""

    def __init__(self, folder: Path, children: Children, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/api"
        self.certificate = str(certificates.write_one(folder))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MAGENTO_"))}
        self._env = {
            **kept,
            **SERVER_SETTINGS,
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_API_SSL_CERT_FILE": self.certificate,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
            "PYTHONPATH": str(ROOT),
            "MAGENTO_PRIMA_HOME": str(folder),
            **environment,
        }
        self._children = children
        self.server = self.start_server()
        self.worker: Child | None = None
        self._workers = 0
        self.deployed: dict[str, UUID] = {}

    def start_server(self) -> Child:
        """Start the server, at the same address and on the same database every time."""
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self._port)]
        self.server = self._children.start("server", command, self._env)
        self.server.wait_until(lambda: answers(f"{self.url}/health"), LONGEST_SECONDS)
        return self.server

    def start_worker(self) -> None:
        """Start a worker, and wait until it knows the server: only from then on it waits for one that is away."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", orchestration.WORK_POOL]
        self._workers += 1
        worker = self._children.start(f"worker {self._workers}", command, self._env)
        worker.wait_until(lambda: "started!" in worker.output(), LONGEST_SECONDS)
        self.worker = worker

    def kill_worker(self) -> None:
        """Kill the worker alone; what it started lives on."""
        assert self.worker is not None
        os.kill(self.worker.pid, signal.SIGKILL)

    def deploy(self, client: SyncPrefectClient, *names: str) -> None:
        """Deploy what `prefect.yaml` says of these, without their schedules."""
        described = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
        for entry in described["deployments"]:
            if entry["name"] not in names:
                continue
            limit = entry["concurrency_limit"]
            self.deployed[entry["name"]] = client.create_deployment(
                client.create_flow_from_name(entry["name"]),
                entry["name"],
                entrypoint=entry["entrypoint"],
                concurrency_limit=limit["limit"],
                concurrency_options=ConcurrencyOptions(collision_strategy=limit["collision_strategy"]),
                work_pool_name=orchestration.WORK_POOL,
                job_variables=entry["work_pool"].get("job_variables"),
                tags=entry["tags"],
                pull_steps=described["pull"],
            )

    def kill_run(self, run_id: UUID) -> None:
        """Kill the process of a run, which must be there."""
        mark = f"PREFECT__FLOW_RUN_ID={run_id}".encode()
        found = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _content(path)]
        assert found, "the run has no process"
        for number in found:
            os.kill(number, signal.SIGKILL)


@contextmanager
def machinery(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[Machinery, SyncPrefectClient]]:
    """Run server and worker for the block, with pool, limits, orders, health and the automations in place."""
    with Children(folder / "logs", ROOT) as children:
        found = Machinery(folder, children, environment)
        settings: dict[Any, Any] = {
            PREFECT_API_URL: found.url,
            PREFECT_HOME: folder / "prefect",
            PREFECT_API_SSL_CERT_FILE: found.certificate,
        }
        with temporary_settings(settings):
            orchestration.prepare()
            found.start_worker()
            with get_client(sync_client=True) as client:
                found.deploy(client, "orders", "health")
                automations.prepare_automations()
                client.create_automation(automations.zombies(SHORTEST_SILENCE, DEAD))
                yield found, client


def runs_of(client: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    """Return the runs of a deployment, the oldest first."""
    of_this = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    found = client.read_flow_runs(deployment_filter=of_this)
    return sorted(found, key=lambda run: (str(run.created), str(run.id)))


def states_of(client: SyncPrefectClient, deployment: UUID) -> list[str]:
    """Return the types of their states."""
    return [run.state.type.value if run.state is not None else "" for run in runs_of(client, deployment)]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"it did not come about: {what}"
        time.sleep(POLL_SECONDS)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
