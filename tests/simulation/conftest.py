"""A trade of its own for each walk, on a ledger that was migrated once."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks import connect
from tasks.systems.ledger import Ledger
from tests.simulation.direct import without_prefect
from tests.simulation.trade import Trade, WatchedInstallation

Opened = Callable[..., Trade]


@pytest.fixture
def walks(request: pytest.FixtureRequest) -> int:
    """How many random walks are played."""
    return int(request.config.getoption("--stock-walks"))


@pytest.fixture
def world_days(request: pytest.FixtureRequest) -> int:
    """How many days the trading world lives through."""
    return int(request.config.getoption("--stock-days"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each random walk."""
    if "walk_seed" in metafunc.fixturenames:
        metafunc.parametrize("walk_seed", range(metafunc.config.getoption("--stock-walks")))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "ledger.db"
    with Ledger(f"sqlite:///{file}") as ledger:
        ledger.migrate()
    return file


@pytest.fixture
def open_trade(tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Open a trade on fresh systems; all of them end with the test. Nothing keeps calls to stand-ins apart."""
    monkeypatch.setattr(connect, "_pace", lambda *_: lambda: None)
    with ExitStack() as stack:
        stack.enter_context(without_prefect())
        count = 0

        def opened(fill: Callable[[Trade], list[str]] | None = None) -> Trade:
            nonlocal count
            count += 1
            installation = WatchedInstallation(tmp_path / f"installation {count}")
            installation.start()
            stack.callback(installation.stop)
            for name, value in installation.environment.items():
                monkeypatch.setenv(name, value)
            shutil.copyfile(migrated_file, installation.folder / "ledger.db")
            return Trade(installation, fill)

        yield opened
