"""One round of order-to-cash against the sandbox, run by a real Prefect server and worker, in one command.

`python -m sandbox.demo` runs orders, warehouse, fulfilment, inventory and reconciliation once, shows what came of it
and stops; `python -m sandbox.demo up` goes on trading with the schedules active until Ctrl-C. Everything they write is
in `var/demo` and `var/up`, made afresh each time. With PREFECT_API_URL set, that server is used.
"""

import fcntl
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console

from sandbox import certificates, outcome, searching
from sandbox.magento import MagentoStandIn
from sandbox.prima.control import work_in_warehouse
from sandbox.processes import Child, Children, DemoError, answers, free_port, interrupt_on_signals
from tasks.errors import IntegrationError
from tasks.settings import CONFIG_VARIABLE, SECRETS, Settings
from tasks.systems.ledger import Ledger

if TYPE_CHECKING:
    from sandbox.embedded import Deployments

ROOT = Path(__file__).resolve().parents[1]
ORDERS = ROOT / "tests" / "recordings" / "orders" / "sample-orders.json"
CUSTOMERS = 12
LONDON = ZoneInfo("Europe/London")
READY_SECONDS = 120.0
RUN_SECONDS = 180.0
WATCH_SECONDS = 1.0
FAILED, INTERRUPTED = 1, 130
# What the stand-ins keep is Magento's and PRIMA's own, and two files are where the secrets come from.
OTHERS = ("magento.db", "prima.db", "env", "sandbox.json")

# The batch sizes cut the server's work for each task run to a quarter; the UI asks its own address for the API.
SERVER_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_API_URL": "/api",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
}


@dataclass
class Demo:
    """One demo: its folder, its child processes and what it says meanwhile."""

    state: Path
    children: Children
    console: Console
    trades: bool
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    has_own_server: bool = field(default_factory=lambda: not os.environ.get("PREFECT_API_URL"))
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Print one line with the seconds since the start."""
        self.console.print(
            f"[{time.monotonic() - self.started:5.1f} s] {text}", markup=False, highlight=False, soft_wrap=True
        )

    def start_sandbox(self) -> Child:
        """Start both stand-ins with the recorded orders and a few invented customers."""
        command = [sys.executable, "-m", "sandbox", "up", "--state", str(self.state), "--orders", str(ORDERS)]
        command += ["--customers", str(CUSTOMERS), *(["--trade"] if self.trades else [])]
        return self.children.start("sandbox", command, self.env)

    def start_server(self) -> Child:
        """Start a Prefect server of the demo's own, untouched by the user's Prefect settings and profile."""
        port = free_port()
        for name in [name for name in self.env if name.startswith("PREFECT_")]:
            del self.env[name]
        self.env |= SERVER_SETTINGS | {
            "PREFECT_HOME": str(self.state / "prefect"),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_API_SSL_CERT_FILE": str(certificates.write_one(self.state / "prefect")),
        }
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        return self.children.start("prefect server", command, self.env)

    def know_sandbox(self) -> Settings:
        """Take over the addresses and keys that the sandbox wrote, and make the tables of the ledger."""
        for name in SECRETS:
            self.env.pop(name, None)
        for line in (self.state / "env").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            self.env[name] = "".join(shlex.split(value))
        # A run starts in a process of its own far from this folder, and must find the modules all the same.
        path = os.pathsep.join(filter(None, (str(ROOT), self.env.get("PYTHONPATH"))))
        self.env |= {"MAGENTO_PRIMA_HOME": str(self.state), "PYTHONPATH": path, "PREFECT_WORKER_QUERY_SECONDS": "1"}
        settings = Settings.from_file(Path(self.env[CONFIG_VARIABLE]))
        with Ledger(settings.ledger.url) as ledger:
            ledger.migrate()
        return settings

    def run_flows(self, deployments: "Deployments", settings: Settings) -> None:
        """Run every deployment once, in the order in which an order travels; the last two need nothing of another."""
        today = datetime.now(LONDON).date().isoformat()
        self.run(deployments, orders={})
        self.say(f"PRIMA's warehouse made {work_in_warehouse(settings.prima.wsdl_url)} dispatches")
        self.run(deployments, fulfilment={})
        self.run(deployments, inventory={}, reconciliation={"business_date": today})

    def run(self, deployments: "Deployments", **wanted: dict[str, str]) -> None:
        """Run deployments with these parameters side by side to their end, and say how each ended."""
        began = time.monotonic()
        runs = {name: deployments.start(name, **parameters) for name, parameters in wanted.items()}
        for name, run in runs.items():
            with self.console.status(f"{name} runs"):
                ended = deployments.wait(name, run, self.children, RUN_SECONDS)
            waited = time.monotonic() - began
            took = ended.run_time.total_seconds()
            self.say(f"{name}: {ended.state}, ran {took:.1f} s, {waited:.1f} s with its start")

    def show_outcome(self, settings: Settings) -> None:
        """Print control totals, comparison and exceptions from the ledger."""
        with Ledger(settings.ledger.url) as ledger:
            for table in (
                outcome.control_totals(ledger),
                outcome.comparisons(ledger),
                outcome.exceptions_by_code(ledger),
            ):
                self.console.print()
                self.console.print(table)
        self.console.print()

    def require_privacy(self) -> None:
        """Raise DemoError when a customer's value or a secret stands in a file that is not meant to hold it."""
        people = searching.people(MagentoStandIn(self.state).orders())
        wanted = people | searching.secrets({name: self.env[name] for name in SECRETS if name in self.env})
        found = searching.traces(self.state, wanted, leave_out=lambda path: path.name.startswith(OTHERS), erased=False)
        if found:
            listed = "\n".join(map(str, found[:20]))
            raise DemoError(f"{len(found)} personal values or secrets stand where they must not:\n{listed}")
        self.say(f"none of {len(people)} personal values, and no secret, stands outside the table of personal data")

    def show_places(self, settings: Settings) -> None:
        """Print where to look."""
        folder = Path(settings.warehouse.folder)
        pages = [str(path) for path in sorted(folder.glob("reconciliation-*.html"))]
        config = self.env[CONFIG_VARIABLE]
        places = {
            "Exceptions desk": str(Path(settings.desk.folder) / "exceptions.html"),
            "Report for finance": ", ".join(pages),
            "DuckDB, read-only for analysts": str(folder / "reconciliation.duckdb"),
            "Settings": config,
            "Command line": f"set -a; . {shlex.quote(str(self.state / 'env'))}; set +a; "
            ".venv/bin/magento-prima exceptions list",
            "Logs": str(self.state / "logs"),
        }
        if self.trades or not self.has_own_server:
            places = {"Prefect UI": self.env["PREFECT_API_URL"].removesuffix("/api"), **places}
        for name, place in places.items():
            self.console.print(f"{name}: {place}", markup=False, highlight=False, soft_wrap=True)

    def play(self) -> None:
        """Start everything, run every deployment once, show what came of it; with trade, go on until Ctrl-C."""
        sandbox = self.start_sandbox()
        server = self.start_server() if self.has_own_server else None
        health = self.env["PREFECT_API_URL"] + "/health"
        # From here on Prefect may be imported: it reads its settings from the environment as it is imported.
        os.environ.clear()
        os.environ.update(self.env)
        from sandbox import embedded

        with ExitStack() as stack:
            deployments = embedded.Deployments(stack.enter_context(embedded.open_client()))
            if server is None:
                deployments.require_unused()
            deployer = embedded.start_deployer(self.children, self.env)
            with self.console.status("Magento and PRIMA stand-ins start"):
                sandbox.wait_until(lambda: "sandbox ready" in sandbox.output(), READY_SECONDS)
                settings = self.know_sandbox()
            self.say("Magento and PRIMA stand-ins are ready, the ledger has its tables")
            if server is not None:
                with self.console.status("Prefect server starts, on a new database"):
                    server.wait_until(lambda: answers(health), READY_SECONDS)
                self.say(f"Prefect server answers at {self.env['PREFECT_API_URL'].removesuffix('/api')}")
            else:
                stack.callback(deployments.remove)
            with self.console.status("work pool, limits and deployments of prefect.yaml"):
                embedded.prepare()
                embedded.start_worker(self.children, self.env)
                names = deployments.deploy(deployer, self.children)
            self.say(f"deployed: {', '.join(names)}")
            self.run_flows(deployments, settings)
            self.show_outcome(settings)
            self.show_places(settings)
            if self.trades:
                with self.console.status("schedules begin"):
                    planned = deployments.resume(self.children, READY_SECONDS)
                name, at = min(planned.items(), key=lambda entry: entry[1])
                self.say(f"schedules are active, {name} at {at.astimezone(LONDON):%H:%M}; Ctrl-C stops everything")
                while True:
                    self.children.require_running()
                    time.sleep(WATCH_SECONDS)


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Empty a folder and hold it; raises DemoError when another demo runs in it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another demo runs in {folder}; stop it first.") from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder


def main(arguments: list[str]) -> int:
    """Run the demo (`[]`) or leave it running (`["up"]`); return the exit code."""
    if arguments not in ([], ["up"]):
        print("usage: python -m sandbox.demo [up]", file=sys.stderr)
        return 2
    trades = arguments == ["up"]
    console = Console()
    interrupt_on_signals()
    try:
        with fresh_folder(ROOT / "var" / ("up" if trades else "demo")) as state:
            with Children(state / "logs", ROOT) as children:
                demo = Demo(state, children, console, trades)
                demo.play()
            demo.say("all processes are stopped")
            demo.require_privacy()
            return 0
    except KeyboardInterrupt:
        console.print("stopped" if trades else "interrupted: all processes are stopped", highlight=False)
        return 0 if trades else INTERRUPTED
    except (DemoError, IntegrationError, httpx.HTTPError) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
