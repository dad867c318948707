"""The deployments of the demo: `prefect deploy --all`, with the flows imported before the server is there to take them.

`python -m sandbox.deploying` imports every flow of `prefect.yaml`, which takes seconds, waits until the work pool
exists, and then does what the command does. What the server holds afterwards is the same, but paused: no schedule may
start a run before the demo says so.
"""

import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from prefect.cli import app
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from flows import orchestration
from sandbox.processes import DemoError, answers

ROOT = Path(__file__).resolve().parents[1]
POOL_SECONDS = 120.0
POLL_SECONDS = 0.1


def import_flows(deployments: list[dict[str, Any]]) -> None:
    """Import the module of every deployment."""
    for module in {deployment["entrypoint"].rpartition(".")[0] for deployment in deployments}:
        import_module(module)


def wait_for_pool() -> None:
    """Wait until the server answers and has the work pool; raises DemoError when that takes too long."""
    health = f"{get_current_settings().api.url}/health"
    deadline = time.monotonic() + POOL_SECONDS
    with get_client(sync_client=True) as client:
        while not (answers(health) and orchestration.has_work_pool(client)):
            if time.monotonic() > deadline:
                raise DemoError(f"There was no work pool {orchestration.WORK_POOL} after {POOL_SECONDS:.0f} s.")
            time.sleep(POLL_SECONDS)


def main() -> None:
    """Deploy everything, paused; ends the process with the exit code of `prefect deploy`."""
    described = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    import_flows(described["deployments"])
    for deployment in described["deployments"]:
        deployment["paused"] = True
    with tempfile.TemporaryDirectory(prefix="deploying-") as folder:
        paused = Path(folder, "prefect.yaml")
        paused.write_text(yaml.safe_dump(described), encoding="utf-8")
        wait_for_pool()
        sys.argv = ["prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(paused)]
        app()


if __name__ == "__main__":
    main()
