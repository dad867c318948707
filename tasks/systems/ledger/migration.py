"""Upgrading the ledger's tables with Alembic inside this process; no alembic.ini, no command line.

The migrations stand in `migrations/versions`. To write one: change `models.py`, then call
`write_revision("sqlite:///scratch.db", "0002", "what changes")` on a migrated scratch ledger, and read what it wrote.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from tasks.errors import ConfigurationError

SCRIPTS = Path(__file__).parent / "migrations"


def missing(where: str) -> ConfigurationError:
    """The error for a ledger without tables."""
    return ConfigurationError(
        f"{where} has no ledger tables.", system="ledger", next_step="Run `magento-prima migrate` (Ledger.migrate())."
    )


def check(connection: Connection, where: str) -> None:
    """Raise ConfigurationError unless the tables are of exactly the revision that this program writes."""
    head = _revisions()[1]
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        raise missing(where)
    _refuse_newer(found)
    if found != head:
        raise ConfigurationError(
            f"{where} has tables of revision {found}, this program needs {head}.",
            system="ledger",
            next_step="Run `magento-prima migrate` (Ledger.migrate()).",
        )


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection) -> str:
    """Bring the tables to the newest revision inside the caller's transaction; return that revision."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ledger migration'))")
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None:
        _refuse_newer(found)
    command.upgrade(configuration(connection), "head")
    return _revisions()[1]


def configuration(connection: Connection) -> Config:
    """Return the Alembic configuration that works on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def write_revision(url: str, revision: str, message: str) -> None:
    """Write the migration from a migrated ledger at `url` to `models.py`: for developers."""
    with create_engine(url).begin() as connection:
        command.revision(configuration(connection), message=message, rev_id=revision, autogenerate=True)


@cache
def _revisions() -> tuple[frozenset[str], str]:
    """Return every revision that this program knows, and the newest: read once, for each is a file to be compiled."""
    scripts = ScriptDirectory(str(SCRIPTS))
    return frozenset(script.revision for script in scripts.walk_revisions()), str(scripts.get_current_head())


def _refuse_newer(found: str) -> None:
    known, head = _revisions()
    if found not in known:
        raise ConfigurationError(
            f"its tables are of revision {found}, which this program does not know: they were written by a newer "
            f"version of it (this one ends at {head}).",
            system="ledger",
            next_step="Install that version or a later one; a ledger cannot be taken back.",
        )
