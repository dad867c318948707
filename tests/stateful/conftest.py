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
from tests.flows.shopping import JEANS, TEE, a_line, buy, stock_both
from tests.installation import Installation
from tests.stateful.accepted import accept_orders
from tests.stateful.runs import start_zygote
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
        yield name_of(url)


def name_of(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, api_url: str, prefect_home: Path) -> None:
    """The process that runs are forked from; it has played each flow once, in an installation that ends here."""
    installation = Installation(tmp_path_factory.mktemp("zygote"))
    shutil.copyfile(migrated_file, installation.folder / "ledger.db")
    installation.start()
    try:
        stock_both(installation, {TEE: 10, JEANS: 10})
        buy(installation, a_line(TEE, 2), a_line(JEANS))
        start_zygote(installation.environment, installation.folder, api_url, prefect_home)
    finally:
        installation.stop()


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


@pytest.fixture(scope="session")
def accepted_on_sqlite(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, zygote: None) -> Path:
    """A folder with both systems and the ledger, where PRIMA has accepted orders."""
    folder = tmp_path_factory.mktemp("accepted")
    shutil.copyfile(migrated_file, folder / "ledger.db")
    accept_orders(folder, f"sqlite:///{folder / 'ledger.db'}")
    return folder


@pytest.fixture(scope="session")
def accepted_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, migrated_template: str, zygote: None
) -> Iterator[tuple[Path, str]]:
    """A folder with both systems, where PRIMA has accepted orders, and the name of the ledger's database."""
    folder = tmp_path_factory.mktemp("accepted")
    with postgres.fresh_database(template=migrated_template) as url:
        accept_orders(folder, url)
        yield folder, name_of(url)


@pytest.fixture
def accepted(seed: int, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, str]]:
    """The folder of an installation where PRIMA has accepted orders, and the URL of its ledger: both a copy."""
    folder = tmp_path / "installation"
    if kind_of_ledger(seed) == "sqlite":
        shutil.copytree(request.getfixturevalue("accepted_on_sqlite"), folder)
        yield folder, f"sqlite:///{folder / 'ledger.db'}"
        return
    made, template = request.getfixturevalue("accepted_on_postgresql")
    shutil.copytree(made, folder)
    with postgres.fresh_database(template=template) as url:
        yield folder, url


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
