"""Opening, migrating and being refused."""

import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import IntegrityError, ProgrammingError, StatementError

from schemas.documents import Watermark
from tasks.errors import ConfigurationError, IntegrationError, SystemUnavailableError
from tasks.systems.ledger import Ledger, migration
from tasks.systems.ledger.database import open_engine, parse_url
from tasks.systems.ledger.models import order_lines
from tasks.systems.ledger.order_rows import line_row
from tests import postgres
from tests.handbook import DOCS
from tests.systems.ledger.builders import PLACED, a_line, an_order
from tests.systems.ledger.conftest import TestClock


def test_a_ledger_without_tables_says_to_run_the_migration(empty_url: str) -> None:
    with Ledger(empty_url) as ledger, pytest.raises(ConfigurationError, match=r"no ledger tables.*migrate"):
        ledger.watermark("orders")


def test_asking_a_missing_sqlite_ledger_does_not_create_it(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path}/var/ledger.db") as ledger, pytest.raises(ConfigurationError):
        ledger.check()
    assert list(tmp_path.iterdir()) == []


def test_the_migration_creates_the_folder_of_an_sqlite_ledger(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path}/var/deeper/ledger.db") as ledger:
        ledger.migrate()
        assert ledger.watermark("orders") is None


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    with Ledger(empty_url) as ledger:
        first = ledger.migrate()
        ledger.see_orders([an_order()])
        assert ledger.migrate() == first
        assert ledger.order_numbers_known(["000000101"]) == {"000000101"}


def test_the_grants_of_the_handbook_let_a_role_read_everything_but_what_is_about_people(migrated_postgres: str) -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", (DOCS / "privacy.md").read_text(encoding="utf-8"), re.DOTALL)
    role = f"analysts_{uuid4().hex[:8]}"
    denied = set()
    with postgres.fresh_database(template=migrated_postgres) as url:
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"create role {role}")
            connection.exec_driver_sql(block.replace("analysts", role))
            connection.exec_driver_sql(f"set role {role}")
            for table in inspect(connection).get_table_names():
                try:
                    connection.exec_driver_sql(f'select * from "{table}" limit 1')
                except ProgrammingError:
                    denied.add(table)
            connection.exec_driver_sql("reset role")
            connection.exec_driver_sql(f"drop owned by {role}")
            connection.exec_driver_sql(f"drop role {role}")
        engine.dispose()

    assert denied == {"personal_data", "customers"}


def test_the_migrations_make_exactly_the_tables_of_the_models(ledger_url: str) -> None:
    with create_engine(ledger_url).begin() as connection:
        command.check(migration.configuration(connection))


def test_the_partial_indexes_have_their_conditions(ledger_url: str) -> None:
    expected = {
        ("breaks", "uq_breaks_open"),
        ("postings", "uq_postings_live_key"),
        ("alerts", "uq_alerts_pending"),
        ("exceptions", "uq_exceptions_open"),
        ("orders", "uq_orders_order_number_prima"),
        ("mappings", "uq_mappings_current"),
    }
    inspector = inspect(create_engine(ledger_url))
    found = {
        (table, index["name"])
        for table in inspector.get_table_names()
        for index in inspector.get_indexes(table)
        if index["unique"] and any(name.endswith("_where") for name in index["dialect_options"])
    }
    assert found == expected


def test_several_processes_may_migrate_at_once(empty_url: str) -> None:
    program = f"from tasks.systems.ledger import Ledger; print(Ledger({empty_url!r}).migrate())"
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs
    with Ledger(empty_url) as ledger:
        ledger.check()


def test_a_ledger_of_a_newer_program_is_refused(ledger_url: str) -> None:
    with create_engine(ledger_url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with Ledger(ledger_url) as ledger:
        with pytest.raises(ConfigurationError, match=r"9999.*newer version"):
            ledger.watermark("orders")
        with pytest.raises(ConfigurationError, match="newer version"):
            ledger.migrate()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "mysql://user:s3cret@host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+psycopg://a:s3cret@h:x/",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Ledger(url)
    assert "s3cret" not in str(refused.value)
    assert "ledger.url" in str(refused.value)


def test_an_unreachable_postgresql_is_unavailable_and_the_password_stays_secret() -> None:
    with Ledger("postgresql+psycopg://ledger:s3cret@127.0.0.1:1/ledger") as ledger:
        for call in (ledger.check, ledger.migrate, lambda: ledger.watermark("orders")):
            with pytest.raises(SystemUnavailableError) as refused:
                call()
            assert "127.0.0.1:1" in str(refused.value)
            assert "s3cret" not in str(refused.value) + repr(ledger)


def test_a_database_that_does_not_exist_is_a_wrong_setting() -> None:
    wrong = postgres.server().set(database="no_such_database").render_as_string(hide_password=False)
    with Ledger(wrong) as ledger, pytest.raises(ConfigurationError, match="does not exist"):
        ledger.check()


def test_a_file_that_is_no_database_is_a_wrong_setting(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, whatever the address says; long enough to be read as a header" * 20)
    with Ledger(f"sqlite:///{path}") as ledger:
        for call in (ledger.check, ledger.migrate):
            with pytest.raises(ConfigurationError, match="not an SQLite database"):
                call()


def test_a_folder_in_place_of_the_file_is_a_wrong_setting(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path}") as ledger, pytest.raises(IntegrationError, match=str(tmp_path)):
        ledger.migrate()


def test_times_come_back_in_utc(ledger: Ledger, clock: TestClock) -> None:
    ledger.set_watermark(Watermark("orders", PLACED, 7), "b1")
    assert ledger.watermark("orders") == Watermark("orders", PLACED, 7)


def test_a_time_without_a_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(StatementError, match="no time zone"):
        ledger.set_watermark(Watermark("orders", PLACED.replace(tzinfo=None)), "b1")


def test_a_line_cannot_stand_without_its_order_and_the_error_shows_no_row(ledger_url: str) -> None:
    engine = open_engine(parse_url(ledger_url))
    row = line_row("000000999", a_line())
    with pytest.raises(IntegrityError) as refused, engine.begin() as connection:
        connection.execute(order_lines.insert().values(row))
    assert "DRESS-RED-10" not in str(refused.value)
    engine.dispose()
