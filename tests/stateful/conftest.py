"""A Prefect server for the session and a fresh ledger for each schedule, on SQLite or PostgreSQL."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from flows.orchestration import LIMITS, prepare_limits
from tasks.systems.ledger import Ledger
from tests import postgres, prefect_server
from tests.stateful.schedules import kind_of_ledger

TALLY = "tally"
WHOLE: "Counter[str]" = Counter()
# A killed run keeps its slot until its lease ends; schedules kill more runs in that time than there are slots.
SLOTS = 10_000


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def api_url(prefect_home: Path) -> Iterator[str]:
    """The address of a Prefect server: the one that the session has already, else one of its own."""
    slots = dict.fromkeys(LIMITS, SLOTS)
    with ExitStack() as stack:
        if get_current_settings().api.url:
            with get_client(sync_client=True) as client:
                prepare_limits(client, slots)
        else:
            stack.enter_context(prefect_server.serving(prefect_home, slots, {}))
        yield str(get_current_settings().api.url)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file whose tables are up to date."""
    file = tmp_path_factory.mktemp("template") / "ledger.db"
    with Ledger(f"sqlite:///{file}") as ledger:
        ledger.migrate()
    return file


@pytest.fixture(scope="session")
def migrated_template() -> Iterator[str]:
    """The name of a PostgreSQL database whose tables are up to date."""
    with postgres.fresh_database() as url:
        with Ledger(url) as ledger:
            ledger.migrate()
        yield url.rpartition("/")[2].partition("?")[0]


@pytest.fixture
def ledger_url(seed: int, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated ledger of the kind that the schedule names: a copy of one that was migrated once."""
    if kind_of_ledger(seed) == "sqlite":
        file = tmp_path / "ledger.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), file)
        yield f"sqlite:///{file}"
        return
    with postgres.fresh_database(template=request.getfixturevalue("migrated_template")) as url:
        yield url


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> "Iterator[Counter[str]]":
    """What a schedule did, for the summary at the end; it travels with the test's report, whichever process ran it."""
    done: Counter[str] = Counter()
    yield done
    request.node.user_properties.append((TALLY, dict(done)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what the schedules did."""
    if report.when == "teardown":
        for name, value in report.user_properties:
            if name == TALLY:
                WHOLE.update(value)  # type: ignore[arg-type]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many runs there were, and at which boundaries they were killed."""
    if WHOLE:
        terminalreporter.section("exactly once")
        for what, count in sorted(WHOLE.items()):
            terminalreporter.write_line(f"{count:>6} {what}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each seed: `--schedules` of them, or the one of `--schedule`."""
    if "seed" in metafunc.fixturenames:
        only = metafunc.config.getoption("--schedule")
        seeds = range(metafunc.config.getoption("--schedules")) if only is None else [only]
        metafunc.parametrize("seed", seeds, ids=[f"seed-{seed}" for seed in seeds])
