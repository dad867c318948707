"""`magento-prima evidence`: a customer is erased from the command line, and nothing else is missing afterwards."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect.logging.handlers import APILogHandler
from prefect.settings import (
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    temporary_settings,
)
from sqlalchemy import make_url

from flows.daily_report import make_report
from flows.orders import sync_orders
from flows.reconciliation import reconcile
from flows.replay import replay_order
from sandbox.searching import Trace, people, traces
from tasks.errors import CallRefusedError
from tasks.systems.ledger import Ledger
from tests.installation import Installation
from tests.recorded import sample_order

PLACED_ON = date(2026, 11, 23)
ERASED, KEPT = "000000020", "000000019"
BECAUSE = ("--by", "ada", "--reason", "asked for on 24 November")
# Of nobody else in any test: the database of the Prefect server is everybody's.
PERSON = {
    "firstname": "Xanthippé", "lastname": "Quillfeather", "company": "Quillfeather & Daughters", "city": "Owlminster",
    "street": ["17 Featherbed Wynd", "Attic 9"], "postcode": "ZX9 8QF", "telephone": "01632 960887",
    "email": "Xan.Quillfeather@owl.example.test",
}  # fmt: skip
# Words in which PRIMA refuses an order for once, with the customer of that order in them.
REFUSAL = "{CustomerForename} {CustomerSurname}, {AddrLine1}, {PostCode}, {CustomerEmail} is with the picker"


def others(path: Path) -> bool:
    """What the stand-ins keep is Magento's and PRIMA's own."""
    return path.name.startswith(("magento.db", "prima.db"))


def of_somebody(order: dict[str, Any]) -> dict[str, Any]:
    """Return the order as that person placed it."""
    own = {f"customer_{name}": PERSON[name] for name in ("firstname", "lastname", "email")}
    shipping = order["extension_attributes"]["shipping_assignments"][0]["shipping"]
    for address in (order["billing_address"], shipping["address"]):
        address.update(PERSON)
    return order | own | {"remote_ip": "198.51.100.77"}


@pytest.fixture
def carried(installation: Installation) -> Iterator[Installation]:
    """An installation whose two orders are in PRIMA and dispatched, after a night of reconciliation.

    PRIMA refused both of them at first, with their customers in its words. Prefect keeps logs.
    """
    installation.configure(concurrency="2\nretry_minutes = [0]")
    installation.holds(sample_order(KEPT), of_somebody(sample_order(ERASED)))
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        installation.prima.faults.add("MultiNewOrder", "refuse_order", times=2, text=REFUSAL)
        sync_orders()
        sync_orders()
        with installation.ledger() as ledger:
            assert ledger.set_order_states([KEPT, ERASED], "dispatched", expected=["accepted"])
        reconcile(PLACED_ON)
        make_report(PLACED_ON, tell=False)
        yield installation


def test_a_customer_is_erased_by_e_mail_and_no_byte_is_left_anywhere_while_sums_reports_and_proofs_stay(
    carried: Installation,
) -> None:
    values = people([of_somebody(sample_order(ERASED))])
    assert {PERSON[name] for name in PERSON if name != "street"} <= set(values)
    assert traces_of(carried, values, erased=False) == [], "only the table of personal data knows the customer"
    assert {each.place for each in traces_of(carried, values, erased=True)} == {"personal_data", "bytes"}
    assert traces(prefect_home(), {"is with the picker": "words"}, leave_out=others, erased=True), "they were told"
    sums, report = control_totals(carried), report_of(carried)

    email = PERSON["email"]
    dry = carried.command("evidence", "erase", "--customer", email.upper(), *BECAUSE, "--dry-run")
    assert (dry.returncode, "'000000020'" in dry.stdout) == (0, True), dry.stderr
    assert traces_of(carried, values, erased=True), "a dry run erases nothing"
    done = carried.command("evidence", "erase", "--customer", email, *BECAUSE)
    assert done.returncode == 0, done.stderr

    assert carried.command("evidence", "verify").returncode == 0
    shown = carried.command("evidence", "show", ERASED, "--payloads", "--with-customer").stdout
    assert "asked for on 24 November" in shown
    assert not [word for word in values if word in shown]
    with pytest.raises(CallRefusedError, match="personal data of order 000000020 was erased"):
        replay_order(ERASED)
    reconcile(PLACED_ON)
    assert (control_totals(carried), report_of(carried)) == (sums, report)
    assert traces_of(carried, values, erased=True) == []
    again = carried.command("evidence", "erase", ERASED, *BECAUSE)
    assert (again.returncode, "payloads: 0" in again.stdout) == (0, True), again.stderr


def test_an_order_under_way_is_not_erased_and_the_command_says_why(carried: Installation) -> None:
    with closing(sqlite3.connect(carried.folder / "ledger.db")) as database, database:
        database.execute("update orders set state = 'accepted' where order_number = ?", (KEPT,))

    refused = carried.command("evidence", "erase", ERASED, KEPT, *BECAUSE)

    assert refused.returncode == 1
    assert "000000019: it is accepted" in refused.stderr
    with carried.ledger() as ledger:
        assert ledger.orders_of_customer(PERSON["email"]) == [ERASED]


def test_one_changed_byte_of_a_payload_is_named_by_verify_and_what_is_masked_is_shown_when_asked_for(
    carried: Installation,
) -> None:
    email = sample_order(KEPT)["customer_email"]
    masked = carried.command("evidence", "show", KEPT, "--payloads").stdout
    whole = carried.command("evidence", "show", KEPT, "--payloads", "--with-customer").stdout
    assert (email in masked, email in whole) == (False, True)
    with closing(sqlite3.connect(carried.folder / "ledger.db")) as database, database:
        number, payload = database.execute(
            "select id, payload from evidence where subject = ? limit 1", (f"order {KEPT}",)
        ).fetchone()
        changed = bytes([*payload[:40], payload[40] ^ 1, *payload[41:]])
        database.execute("update evidence set payload = ? where id = ?", (changed, number))

    found = carried.command("evidence", "verify")

    assert found.returncode == 1
    assert found.stderr.strip() == f"evidence {number} (order {KEPT}): the payload is not the one that was kept"


def test_payloads_older_than_six_years_and_the_current_one_are_dropped_when_asked_for_and_no_others(
    installation: Installation,
) -> None:
    assert installation.settings.ledger.keep_years == 6
    this_year = datetime.now(UTC).year
    first_kept = datetime(this_year - 6, 1, 1, tzinfo=UTC)
    for subject, kept_at in (("order 1", first_kept - timedelta(seconds=1)), ("order 2", first_kept)):
        with Ledger(installation.settings.ledger.url, now=lambda at=kept_at: at) as ledger:
            ledger.migrate()
            ledger.keep_evidence(
                "magento order", subject, '{"customer_email": "a@example.test"}', media="application/json"
            )

    dry = installation.command("evidence", "expire", *BECAUSE, "--dry-run")
    assert "payloads: 1" in dry.stdout, dry.stderr
    assert "kept" in installation.command("evidence", "show", "1").stdout
    done = installation.command("evidence", "expire", *BECAUSE)

    assert (done.returncode, "payloads: 1" in done.stdout) == (0, True), done.stderr
    assert installation.command("evidence", "show", "1").stdout.rstrip().endswith("expired")
    assert installation.command("evidence", "show", "2").stdout.rstrip().endswith("kept")
    assert installation.command("evidence", "verify").returncode == 0


def traces_of(installation: Installation, values: Mapping[str, str], *, erased: bool) -> list[Trace]:
    """Return where a customer's values stand in the product's files and in all that the Prefect server keeps."""
    APILogHandler().flush()
    found = [
        traces(folder, values, leave_out=others, erased=erased) for folder in (installation.folder, prefect_home())
    ]
    return [each for some in found for each in some]


def prefect_home() -> Path:
    """The folder in which the server of this session keeps its database, and runs their results."""
    return Path(str(make_url(str(PREFECT_SERVER_DATABASE_CONNECTION_URL.value())).database)).parent


def report_of(installation: Installation) -> list[str]:
    """Return every amount of the report for finance, in its order."""
    (page,) = (installation.folder / "warehouse").glob("reconciliation-*.html")
    found = re.findall(r"-?[£€]?[\d,]+\.\d\d\b", page.read_text(encoding="utf-8"))
    assert len(found) > 10
    return found


def control_totals(installation: Installation) -> list[tuple[object, ...]]:
    with duckdb.connect(str(installation.folder / "warehouse" / "reconciliation.duckdb"), read_only=True) as marts:
        return marts.execute("select * from control_totals order by all").fetchall()
