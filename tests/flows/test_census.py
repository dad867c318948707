"""The nightly census, gaps, silence and the backfill, through both stand-ins."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flows.backfill import backfill
from flows.census import take_census
from flows.orders import sync_orders
from flows.verification import verify_orders
from tasks import connect
from tests.builders import an_order
from tests.flows.test_reading import ANYWHERE, ago, changed, posted
from tests.installation import Installation
from tests.systems.ledger import builders as ledger_builders

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def quick(installation: Installation) -> Installation:
    """An installation that reads as fast as the settings allow, seven orders a page."""
    installation.configure(calls_per_second="15\npage_size = 7")
    return installation


def days_ago(days: int) -> date:
    """Return the London date so many days before today, asked for anew: a run of the tests may cross midnight."""
    return datetime.now(LONDON).date() - timedelta(days=days)


def counted(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts that are not 0."""
    return {status: count for status, count in counts.items() if count}


def numbered(*numbers: int, **time: float) -> list[dict[str, Any]]:
    """Return orders with these numbers, placed this long before now."""
    return [changed(f"{number:09d}", ago(**time)) for number in numbers]


def everything_in(ledger: Path) -> list[str]:
    """Return every row of every table of the ledger as text."""
    with sqlite3.connect(ledger) as database:
        return sorted(database.iterdump())


def in_prima(quick: Installation, sql: str) -> None:
    """Change PRIMA's own tables, as somebody at its database would."""
    with sqlite3.connect(quick.folder / "prima.db") as database:
        database.execute(sql)


def test_every_order_of_the_last_days_is_counted_once_with_its_pence(quick: Installation) -> None:
    quick.holds(*numbered(1, 2, 3, hours=30), changed("000000004", ago(hours=3), state="canceled", status="canceled"))
    quick.magento.load_orders(plain([changed("000000005", ago(hours=2), items=unknown_item())]))
    sync_orders()
    quick.holds(*numbered(6, minutes=10), *numbered(7, days=8))

    summary = take_census()

    assert counted(summary.counts) == {
        "in Magento": 6,
        "in PRIMA": 3,
        "held": 1,
        "cancelled before PRIMA": 1,
        "just placed": 1,
    }
    assert summary.gross_pence["in PRIMA"] == {"GBP": 3 * 6392}
    with quick.ledger() as ledger:
        totals = ledger.batches("census")[0].control_totals
    assert totals["in Magento"]["gross_pence"] == 6 * 6392
    assert summary.carried == 0


def test_an_order_committed_later_than_the_overlap_is_found_and_carried(quick: Installation) -> None:
    quick.holds(*numbered(1, 3, hours=5))
    sync_orders()
    quick.holds(*numbered(2, hours=6))
    sync_orders()
    assert posted(quick) == ["000000001", "000000003"], "the stream had passed it"

    summary = take_census()

    assert posted(quick) == ["000000001", "000000002", "000000003"]
    assert counted(summary.counts) == {"in Magento": 3, "in PRIMA": 3}
    assert summary.carried == 1
    assert quick.open_codes() == {"order 000000002": "ORDER_FOUND_LATE"}
    take_census()
    assert quick.open_codes() == {}


def test_an_order_that_changed_while_its_time_stood_still_is_read_again(quick: Installation) -> None:
    quick.magento.clock.set(datetime.now(UTC) - timedelta(hours=5))
    quick.holds(*numbered(1, hours=6))
    sync_orders()
    quick.magento.clock.set(None)
    quick.holds(*numbered(2, hours=3))
    sync_orders()
    quick.magento.faults.add("POST /V1/orders/*/cancel", "frozen_updated_at")
    with connect.open_magento(quick.settings) as magento:
        magento.cancel(1001)
    sync_orders()
    assert quick.open_codes() == {}, "the stream cannot see it"

    take_census()

    assert quick.open_codes(["CANCELLED_AFTER_POSTING"]) == {"order 000000001": "CANCELLED_AFTER_POSTING"}


def test_an_accepted_order_that_prima_does_not_show_is_an_exception_until_it_does(quick: Installation) -> None:
    quick.holds(*numbered(1, 2, hours=30))
    sync_orders()
    with sqlite3.connect(quick.folder / "ledger.db") as database:
        long_ago = f"{datetime.now(UTC) - timedelta(hours=26):%Y-%m-%d %H:%M:%S.%f}"
        database.execute("update orders set accepted_at = ?", [long_ago])
    take_census()
    assert quick.open_codes() == {}
    in_prima(quick, "update stand_in_orders set order_number = 'gone' where order_number = '30001002'")

    take_census()

    with quick.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.code, note.subject, note.value_at_risk_pence) == ("NOT_IN_PRIMA", "order 000000002", 6392)
    verify_orders()
    take_census()
    with quick.ledger() as ledger:
        assert [note.code for note in ledger.exceptions()] == ["NOT_VISIBLE_IN_PRIMA"], "one thing is told once"
    in_prima(quick, "update stand_in_orders set order_number = '30001002' where order_number = 'gone'")
    verify_orders()
    take_census()
    assert quick.open_codes() == {}


def test_without_a_reporting_source_the_census_says_that_it_cannot_check(quick: Installation) -> None:
    quick.holds(*numbered(1, hours=3))
    sync_orders()
    config = quick.folder / "config.toml"
    config.write_text(config.read_text().replace(f'"{quick.prima.reporting_url}"', '""'))
    quick.configure(source='"pattern"\npattern = "(?P<product>.*)"')

    summary = take_census()

    assert counted(summary.counts) == {"in Magento": 1, "accepted, nothing to check with": 1}


def test_numbers_that_magento_lacks_too_are_noted_as_a_range(quick: Installation) -> None:
    quick.holds(*numbered(1, 2, 6, hours=3), *numbered(8, minutes=20))
    sync_orders()

    summary = take_census()

    assert quick.open_codes() == {"order numbers 000000003 to 000000005": "ORDER_NUMBER_GAP"}
    assert summary.noted["ORDER_NUMBER_GAP"] == 1
    assert summary.carried == 0


def test_a_missing_number_that_magento_has_is_fetched_and_carried(quick: Installation) -> None:
    quick.holds(*numbered(1, 4, hours=3))
    sync_orders()
    # Placed, so it says, before the days that the census lists: only its number shows that it is missing.
    quick.holds(changed("000000003", ago(days=30)))

    take_census()

    assert posted(quick) == ["000000001", "000000003", "000000004"]
    assert quick.open_codes() == {"order numbers 000000002": "ORDER_NUMBER_GAP"}


def test_a_missing_number_that_is_found_later_closes_its_gap(quick: Installation) -> None:
    quick.holds(*numbered(1, 4, hours=3))
    sync_orders()
    take_census()
    assert quick.open_codes() == {"order numbers 000000002 to 000000003": "ORDER_NUMBER_GAP"}
    quick.holds(*numbered(2, hours=3))

    take_census()

    assert quick.open_codes(["ORDER_NUMBER_GAP"]) == {"order numbers 000000003": "ORDER_NUMBER_GAP"}
    assert posted(quick) == ["000000001", "000000002", "000000004"]


def test_an_unreadable_order_is_no_gap_and_holds_up_no_census(quick: Installation) -> None:
    quick.holds(*numbered(1, 2, 3, hours=3))
    quick.magento.faults.add(ANYWHERE, "unreadable_order", times=None, increment_id="000000002")
    sync_orders()

    summary = take_census()

    assert quick.open_codes() == {"order entity 1002": "RECORD_UNREADABLE"}
    assert counted(summary.counts) == {"in Magento": 2, "in PRIMA": 2}
    assert summary.unreadable == 1
    with quick.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert note.order_number == "000000002", "the gap in the numbers told which one it is"


def test_a_silent_stream_is_an_exception_that_closes_itself(quick: Installation) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    past = [now - timedelta(hours=3) - timedelta(minutes=10 * n) for n in range(5 * 7 * 24 * 6)]
    with quick.ledger() as ledger:
        ledger.see_orders(
            [
                ledger_builders.an_order(f"{n + 5000:09d}", placed_at=at, updated_at=at, lines=())
                for n, at in enumerate(past)
            ]
        )
        ledger.set_order_states([f"{n + 5000:09d}" for n in range(len(past))], "excluded")
    sync_orders()
    with quick.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.code, note.subject) == ("ORDERS_SILENT", "stream orders")

    quick.holds(*numbered(1, minutes=1))
    sync_orders()

    assert quick.open_codes() == {}


def test_a_dry_run_lists_what_a_backfill_would_do_and_writes_nothing(quick: Installation) -> None:
    quick.holds(*numbered(1, days=3), *numbered(2, days=2), *numbered(3, 4, days=1))
    quick.holds(changed("000000005", ago(days=2), state="holded", status="holded"))
    quick.holds(changed("000000006", ago(days=2), grand_total=63.93))
    with quick.ledger() as ledger:
        ledger.migrate()
    before = everything_in(quick.folder / "ledger.db")

    summary = backfill(days_ago(2), days_ago(1), dry_run=True)

    assert {each.name: (each.count, each.gross_pence, each.order_numbers) for each in summary.outcomes} == {
        "to post": (3, 3 * 6392, ("000000002", "000000003", "000000004")),
        "held: ORDER_ON_HOLD": (1, 6392, ("000000005",)),
        "rejected: TOTALS_DISAGREE": (1, 6393, ("000000006",)),
    }
    assert everything_in(quick.folder / "ledger.db") == before
    assert quick.prima.requests() == []
    assert {call["method"] for call in quick.magento.calls()} == {"GET"}


def test_a_backfill_does_what_its_dry_run_listed(quick: Installation) -> None:
    quick.holds(*numbered(1, days=3), *numbered(2, days=2), *numbered(*range(3, 14), days=1))
    foreseen = backfill(days_ago(2), days_ago(1))

    done = backfill(days_ago(2), days_ago(1), dry_run=False)

    (to_post,) = foreseen.outcomes
    assert done.outcomes == foreseen.outcomes
    assert posted(quick) == list(to_post.order_numbers) == [f"{n:09d}" for n in range(2, 14)]
    (again,) = backfill(days_ago(2), days_ago(1)).outcomes
    assert (again.name, again.gross_pence) == ("already posted", 12 * 6392)
    with quick.ledger() as ledger:
        assert ledger.watermark("orders") is None, "the stream of orders still begins where it stood"


def test_a_backfill_takes_its_dates_as_londons(quick: Installation) -> None:
    quick.holds(
        an_order("000000001", created_at="2026-06-30 22:59:59", updated_at="2026-06-30 22:59:59"),
        an_order("000000002", created_at="2026-06-30 23:00:00", updated_at="2026-06-30 23:00:00"),
        an_order("000000003", created_at="2026-07-01 22:59:59", updated_at="2026-07-01 22:59:59"),
        an_order("000000004", created_at="2026-07-01 23:00:00", updated_at="2026-07-01 23:00:00"),
    )
    (outcome,) = backfill(date(2026, 7, 1), date(2026, 7, 1)).outcomes
    assert outcome.order_numbers == ("000000002", "000000003")


def test_the_command_line_counts_and_backfills(quick: Installation) -> None:
    quick.holds(*numbered(1, days=1))
    yesterday = str(days_ago(1))
    listed = quick.command("backfill", "--from", yesterday, "--to", yesterday, "--dry-run", "--json")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["outcomes"][0]["order_numbers"] == ["000000001"]
    assert quick.prima.order_numbers() == []

    assert quick.command("backfill", "--from", yesterday, "--to", yesterday).returncode == 0
    taken = quick.command("run", "census", "--json")

    assert taken.returncode == 0, taken.stderr
    assert counted(json.loads(taken.stdout)["counts"]) == {"in Magento": 1, "in PRIMA": 1}
    wrong = quick.command("backfill", "--from", yesterday, "--to", "2020-01-01")
    assert wrong.returncode == 2
    assert "before it begins" in wrong.stderr


def plain(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return orders with numbers as the stand-in keeps them."""
    return list(json.loads(json.dumps(orders, default=float)))


def unknown_item() -> list[dict[str, Any]]:
    """Return the lines of an order with a SKU that PRIMA does not have."""
    (line,) = an_order("000000005")["items"]
    return [{**line, "sku": "NOT-THERE"}]
