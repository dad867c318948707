"""The daily report: one begins where the other ended, everything foots, and nothing of a customer is in it."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.daily_facts import (
    POSTED,
    TOLD,
    DayTotal,
    LastReconciliation,
    StockState,
    StreamRuns,
    UntoldDispatches,
    report_day,
)
from schemas.daily_report import DailyReport, DayFacts, section_of
from schemas.reasons import REASONS
from tasks.decide.daily_report import daily_report, report_message
from tasks.extract.daily_report import exceptions_frame, orders_frame
from tasks.record.daily_report import html
from tasks.record.daily_workbook import sheets, workbook
from tasks.systems.ledger import ExceptionRecord
from tasks.systems.ledger.placed import PlacedOrder
from tasks.systems.reports.folder import delete_before
from tests import browser

SEVEN = time(7)
BUILT = datetime(2026, 11, 25, 7, 0, 4, tzinfo=UTC)
DAY = report_day(None, BUILT, SEVEN)
NAME = "Jane Doe, 1 Example Street"


def a_note(number: int, code: str, pence: int = 1000, *, hours: float = 2, **facts: Any) -> ExceptionRecord:
    """Return an exception that came up so many hours before the report, by default about an order and still open."""
    reason = REASONS[code]
    seen_at = DAY.until - timedelta(hours=hours)
    values: dict[str, Any] = {
        "id": number,
        "code": code,
        "subject": f"order 00000{number:04d}",
        "state": "open",
        "detail": f"for {NAME}",
        "order_number": f"00000{number:04d}",
        "sku": "",
        "value_at_risk_pence": pence,
        "currency": "GBP",
        "suggestions": (),
        "occurrences": 1,
        "batch_id": "orders-1",
        "first_seen_at": seen_at,
        "last_seen_at": seen_at,
        "closed_at": None,
        "closed_by": "",
        "reopens_id": None,
        "assigned_to": "",
    }
    return ExceptionRecord(
        **{**values, **facts},
        sentence=reason.sentence,
        owner=reason.owner,
        severity=reason.severity,
        next_step=reason.next_step,
        anchor=reason.anchor,
    )


def an_order(number: str, pence: int, **facts: Any) -> PlacedOrder:
    at = DAY.until - timedelta(hours=20)
    order = PlacedOrder(number, 1, 1, "held", at, "new", "pending", at, at, None, "", "GBP", pence, 0)
    return replace(order, **facts)


def facts_of(notes: Sequence[ExceptionRecord] = (), **facts: Any) -> DayFacts:
    values: dict[str, Any] = {
        "run_id": "daily-report-1",
        "day": DAY,
        "built_at": BUILT,
        "exceptions": exceptions_frame(notes, DAY.until),
        "orders": orders_frame([]),
        "totals": [DayTotal(POSTED, 0), DayTotal(TOLD, 0)],
        "runs": [StreamRuns("orders", 288, 288, DAY.end)],
        "stock": StockState(),
        "untold": UntoldDispatches(0, DAY.until),
        "reconciliation": None,
    }
    return DayFacts(**{**values, **facts})


NOTES = [
    a_note(1, "PRIMA_OUTCOME_UNKNOWN", 120_450, hours=1),
    a_note(2, "SKU_CASE", 5997, hours=30, sku="tee-navy-m", suggestions=("TEE-NAVY-M (other case)",)),
    a_note(3, "SKU_UNKNOWN", 2000, hours=80, sku="GONE"),
    a_note(4, "SKU_UNKNOWN", 3000, hours=200, sku="GONE", assigned_to="zbigniew"),
    a_note(5, "STOCK_PUSH_FAILED", 900, hours=3, subject="SKU TEE-NAVY-M", order_number="", sku="TEE-NAVY-M"),
    a_note(6, "CARRIER_UNKNOWN", 6392, hours=30, closed_at=DAY.until - timedelta(hours=4), state="closed"),
    a_note(7, "SHIPMENT_REFUSED", 800, hours=5, currency="EUR"),
    a_note(8, "INVOICE_FAILED", 700, hours=5, ignored_at=DAY.since),
    # Closed after the report's hour: for this report it is open.
    a_note(9, "RECON_VAT_VARIANCE", 1, hours=3, closed_at=DAY.until + timedelta(seconds=2), state="closed"),
]


@pytest.fixture(scope="module")
def full() -> DailyReport:
    return daily_report(
        facts_of(
            NOTES,
            orders=orders_frame([an_order("000000002", 5997), an_order("000000077", 9900, state="ready")]),
            totals=[
                DayTotal(POSTED, 1200, "GBP", 7_900_000, 1_580_000, 9_480_000),
                DayTotal(POSTED, 14, "EUR", 80_000, 16_000, 96_000),
                DayTotal(TOLD, 1003),
            ],
            runs=[StreamRuns("orders", 288, 287, DAY.end), StreamRuns("refunds", 0, 0, None)],
            stock=StockState(10_450, 3, DAY.until),
            reconciliation=LastReconciliation(
                "reconciliation-1",
                DAY.business_date,
                DAY.business_date,
                DAY.until - timedelta(hours=4),
                2,
                0,
                [("orders", "GBP", 9_480_000, -100, 9_479_900, -100)],
            ),
        )
    )


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_one_report_begins_where_the_one_before_ended_whatever_the_hour(day: date, at: time) -> None:
    later = datetime(2040, 1, 1, tzinfo=UTC)
    first, second = (report_day(each, later, at) for each in (day, day + timedelta(days=1)))

    assert (first.end, first.until) == (second.start, second.since)
    assert first.since < first.until


@pytest.mark.parametrize(
    ("day", "hours", "since", "until"),
    [
        (date(2026, 3, 29), 23, "2026-03-29T06:00", "2026-03-30T06:00"),
        (date(2026, 3, 28), 24, "2026-03-28T07:00", "2026-03-29T06:00"),
        (date(2026, 10, 25), 25, "2026-10-25T07:00", "2026-10-26T07:00"),
        (date(2026, 10, 24), 24, "2026-10-24T06:00", "2026-10-25T07:00"),
    ],
)
def test_a_day_is_londons_on_the_days_the_clocks_change(day: date, hours: int, since: str, until: str) -> None:
    found = report_day(None, datetime.fromisoformat(f"{until}:09+00:00"), SEVEN)

    assert (found.business_date, (found.end - found.start) / timedelta(hours=1)) == (day, hours)
    assert [at.strftime("%Y-%m-%dT%H:%M") for at in (found.since, found.until)] == [since, until]


def test_a_report_of_today_ends_now_and_one_of_tomorrow_is_refused() -> None:
    assert report_day(date(2026, 11, 25), BUILT, SEVEN).until == BUILT
    with pytest.raises(ValueError, match="2026-11-26 has not begun yet"):
        report_day(date(2026, 11, 26), BUILT, SEVEN)


def test_the_headline_says_what_came_went_and_is_open_and_what_ran_not_at_all(full: DailyReport) -> None:
    assert full.headline == (
        "Tue 24 November 2026: 5 new exceptions, 1 closed, 8 open (1 critical, 1 put aside): €8.00 and £1,330.48 at "
        "risk, the oldest 8 days. 1,214 orders posted to PRIMA for €960.00 and £94,800.00, 2 not posted yet; 1,003 "
        "dispatches told. No run ended well that day of: refunds."
    )
    assert full.of_team("ecommerce") == ("ecommerce: 4 open, £118.97 at risk, the oldest 8 days; 1 new, 0 closed.")
    assert not full.is_calm


def test_a_day_without_anything_says_that_too() -> None:
    calm = daily_report(facts_of())

    assert calm.is_calm
    assert calm.headline == (
        "Tue 24 November 2026: nothing came up and nothing is open. No order was placed or posted that day, and no "
        "dispatch told."
    )
    page = html(calm)
    for said in (
        "Nothing came and nothing went",
        "PRIMA has every order",
        "Every dispatch that was read was told",
        calm.headline,
    ):
        assert said in page
    assert openpyxl.load_workbook(io.BytesIO(workbook(calm)))["Open"]["A6"].value == "none"


def test_dispatches_that_wait_for_the_next_run_are_told_as_such_although_nobody_has_to_act() -> None:
    waiting = daily_report(facts_of(untold=UntoldDispatches(3, DAY.until - timedelta(minutes=9))))

    assert not waiting.is_calm
    assert waiting.headline.endswith("and no dispatch told. 3 dispatches wait for the next run to be told.")
    page = html(waiting)
    assert "3 that PRIMA shows wait for the next run" in page
    assert "<strong>3</strong><span>dispatches not told</span>" in page
    assert "was told to its customer" not in page


def test_each_list_holds_what_belongs_on_it_the_dearest_first(full: DailyReport) -> None:
    assert [row["number"] for row in full.open] == [1, 2, 4, 3, 5, 7, 8, 9]
    assert [row["number"] for row in full.closed] == [6]
    assert [(row["sku"], row["order_count"], row["value_pence"]) for row in full.skus] == [
        ("tee-navy-m", 1, 5997),
        ("GONE", 2, 5000),
    ]
    assert full.skus[0]["fix"] == "tee-navy-m stands for TEE-NAVY-M: other case"
    assert [row["number"] for row in full.stock] == [5]
    assert [row["number"] for row in full.dispatches] == [7]
    assert [(row["order_number"], row["codes"]) for row in full.orders] == [
        ("000000077", ""),
        ("000000002", "SKU_CASE"),
    ]


def test_every_code_of_stock_and_dispatches_is_on_a_list() -> None:
    retried = {code: reason.retry for code, reason in REASONS.items()}

    assert {section_of(code) for code, retry in retried.items() if retry in ("stock", "stock check")} == {
        "sku",
        "stock",
    }
    assert section_of("NOT_SHIPPED_IN_MAGENTO") == section_of("CARRIER_UNKNOWN") == "dispatch"
    assert section_of("A_CODE_OF_ANOTHER_VERSION") == ""


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(REASONS)),
            st.integers(-10_000, 10_000_000),
            st.sampled_from(["GBP", "EUR"]),
            st.integers(0, 400),
            st.none() | st.integers(0, 30),
        ),
        max_size=30,
    )
)
def test_whatever_happened_it_foots(drawn: list[tuple[str, int, str, int, int | None]]) -> None:
    notes = []
    for number, (code, pence, currency, hours, closed) in enumerate(drawn, start=1):
        closed_at = None if closed is None else max(DAY.since, DAY.until - timedelta(hours=min(closed, hours)))
        notes.append(a_note(number, code, pence, hours=hours, currency=currency, closed_at=closed_at))
    notes = [note for note in notes if note.first_seen_at < DAY.until]
    report = daily_report(facts_of(notes))

    assert len(report.open) + len(report.closed) == len(notes)
    for unit in ("count", "pence"):
        for row in report.changes:
            assert row[f"before_{unit}"] + row[f"new_{unit}"] - row[f"closed_{unit}"] == row[f"open_{unit}"]
    for name in ("open", "new", "closed"):
        rows = getattr(report, name)
        assert sum(row[f"{name}_count"] for row in report.changes) == len(rows)
        assert sum(row[f"{name}_pence"] for row in report.changes) == sum(row["value_pence"] for row in rows)
        assert sum(row[f"{name}_count"] for row in report.teams) == len(rows)
    assert sum(row["open_count"] for row in report.ages) == len(report.open)
    assert sum(row["value_pence"] for row in report.ages) == sum(row["value_pence"] for row in report.open)


def test_the_workbook_foots_and_names_its_run_on_every_sheet(full: DailyReport) -> None:
    content = workbook(full)
    computed = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(content))

    assert content == workbook(full)
    assert computed.sheetnames == [sheet.name for sheet in sheets(full)]
    for sheet in computed.worksheets:
        assert sheet["A1"].value.endswith("?")
        assert sheet["A2"].value == full.headline
        assert "run daily-report-1" in sheet["A3"].value
        assert sheet.freeze_panes == "C6"
    changes = computed["Changes"]
    titles = {cell.value: cell.column for cell in changes[5]}
    feet = range(7 + len(full.changes), changes.max_row + 1)
    sums = {
        changes.cell(row, titles["Currency"]).value: [
            changes.cell(row, titles[title]).value for title in ("Before", "New", "Closed", "Open", "Open, worth")
        ]
        for row in feet
    }
    assert sums == {"EUR": [0, 1, 0, 1, 8], "GBP": [4, 4, 1, 7, 1330.48]}
    for title in ("Check", "Check, worth"):
        column = titles[title]
        assert {changes.cell(row, column).value for row in range(6, changes.max_row + 1)} <= {0, None}
        assert str(formulas["Changes"].cell(6, column).value).startswith("=")
    assert computed["Open"].cell(6, 8).value == "GBP"
    assert computed["Open"].cell(6, 10).value.isoformat() == "2026-11-25T06:00:00"
    assert computed["Orders"].cell(6, 7).number_format.startswith("#,##0.00")


def test_what_an_exception_says_in_its_own_words_is_nowhere_in_the_report(full: DailyReport) -> None:
    message = report_message(full, "operations", ["operations", "finance"], "https://reports.example/daily")

    assert NOTES[0].detail.endswith(NAME)
    book = openpyxl.load_workbook(io.BytesIO(workbook(full)))
    cells = [str(cell.value) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    for text in (html(full), str(full.as_json()), str(message.as_json()), "\n".join(cells)):
        assert "Jane" not in text
        assert "zbigniew" not in text
    assert message.title == "Daily report of 2026-11-24: 8 open, 5 new"
    for said in ("8 open", "£1,330.48", "the oldest 8 days", "What to do: ", "https://reports.example/daily"):
        assert said in message.text
    assert message.as_json()["value_pence"] == {"GBP": 133_048, "EUR": 800}


@pytest.mark.skipif(not browser.CHROMIUM, reason=browser.WITHOUT)
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits_its_window_and_needs_nothing_from_elsewhere(
    full: DailyReport, tmp_path: Path, width: int
) -> None:
    rows = [{**full.open[0], "subject": "<script>nope()</script>"}, *full.open[1:]]
    page = tmp_path / "daily-report.html"
    page.write_text(html(replace(full, new=rows)), encoding="utf-8")

    found = browser.opened(page, "", tmp_path / "browser", width=width)

    assert (found.console, found.dead_links) == ([], set())
    assert (found.window_width, found.page_width <= width, found.out_of_sight) == (width, True, 0)
    text = page.read_text(encoding="utf-8")
    assert "&lt;script&gt;nope()" in text
    assert " src=" not in text
    assert text.count("<link ") == text.count('href="data:,"') == 1


def test_only_files_of_the_report_are_deleted_and_only_old_ones(tmp_path: Path) -> None:
    kept = ["daily-report-2026-11-24.html", "daily-report.html", "reconciliation-2020-01-01.html", "notes.txt"]
    gone = ["daily-report-2025-10-20.html", "daily-report-2025-10-20.xlsx"]
    for name in [*kept, *gone, "daily-report-2025-10-20.txt"]:
        (tmp_path / name).touch()

    found = delete_before(tmp_path, "daily-report", date(2025, 10, 21), (".html", ".xlsx"))

    assert [path.name for path in found] == gone
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "daily-report-2025-10-20.txt"])
