"""`magento-prima evidence`: a customer is erased from the command line, and nothing else is missing afterwards."""

import sqlite3
from contextlib import closing
from datetime import date

import duckdb
import pytest

from flows.orders import sync_orders
from flows.reconciliation import reconcile
from flows.replay import replay_order
from tasks.errors import CallRefusedError
from tests.installation import Installation
from tests.recorded import sample_order

PLACED_ON = date(2026, 11, 23)
ERASED, KEPT = "000000020", "000000019"
BECAUSE = ("--by", "ada", "--reason", "asked for on 24 November")
# What the stand-ins keep is Magento's and PRIMA's own.
OTHERS = ("magento.db", "prima.db")


@pytest.fixture
def carried(installation: Installation) -> Installation:
    """An installation whose two orders are in PRIMA and dispatched, after a night of reconciliation."""
    installation.holds(sample_order(KEPT), sample_order(ERASED))
    sync_orders()
    with installation.ledger() as ledger:
        assert ledger.set_order_states([KEPT, ERASED], "dispatched", expected=["accepted"])
    reconcile(PLACED_ON)
    return installation


def test_a_customer_is_erased_by_e_mail_and_sums_reports_and_proofs_stay(carried: Installation) -> None:
    email, words = sample_order(ERASED)["customer_email"], personal_words(ERASED)
    assert files_that_hold(carried, words), "the search would find nothing anyway"
    sums = control_totals(carried)

    dry = carried.command("evidence", "erase", "--customer", email.upper(), *BECAUSE, "--dry-run")
    assert (dry.returncode, "'000000020'" in dry.stdout) == (0, True), dry.stderr
    assert files_that_hold(carried, words), "a dry run erases nothing"
    done = carried.command("evidence", "erase", "--customer", email, *BECAUSE)
    assert done.returncode == 0, done.stderr

    assert files_that_hold(carried, words) == []
    assert carried.command("evidence", "verify").returncode == 0
    shown = carried.command("evidence", "show", ERASED, "--payloads", "--with-customer").stdout
    assert "asked for on 24 November" in shown
    assert not [word for word in words if word in shown]
    with pytest.raises(CallRefusedError, match="personal data of order 000000020 was erased"):
        replay_order(ERASED)
    reconcile(PLACED_ON)
    assert control_totals(carried) == sums
    assert files_that_hold(carried, words) == []
    again = carried.command("evidence", "erase", ERASED, *BECAUSE)
    assert (again.returncode, "payloads: 0" in again.stdout) == (0, True), again.stderr


def test_an_order_under_way_is_not_erased_and_the_command_says_why(carried: Installation) -> None:
    with closing(sqlite3.connect(carried.folder / "ledger.db")) as database, database:
        database.execute("update orders set state = 'accepted' where order_number = ?", (KEPT,))

    refused = carried.command("evidence", "erase", ERASED, KEPT, *BECAUSE)

    assert refused.returncode == 1
    assert "000000019: it is accepted" in refused.stderr
    assert files_that_hold(carried, personal_words(ERASED))


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


def personal_words(order_number: str) -> list[str]:
    order = sample_order(order_number)
    address = order["billing_address"]
    return [order["customer_email"], address["firstname"], address["lastname"], *address["street"], address["city"]]


def files_that_hold(installation: Installation, words: list[str]) -> list[str]:
    """The product's files in which one of the words stands, as it is or in capitals; byte by byte."""
    wanted = [form.encode() for word in words for form in (word, word.upper(), word.lower())]
    return sorted(
        path.name
        for path in installation.folder.rglob("*")
        if path.is_file() and not path.name.startswith(OTHERS) and any(each in path.read_bytes() for each in wanted)
    )


def control_totals(installation: Installation) -> list[tuple[object, ...]]:
    with duckdb.connect(str(installation.folder / "warehouse" / "reconciliation.duckdb"), read_only=True) as marts:
        return marts.execute("select * from control_totals order by all").fetchall()
