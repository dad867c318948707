"""What is published: a file that readers keep open, a page, a true dictionary; and periods of London days."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pandera.errors import SchemaErrors

from schemas.money import show
from schemas.reasons import REASONS
from schemas.reconciliation import MARTS, STAGED
from tasks.reconcile import dictionary, report
from tasks.reconcile.charts import causes_chart
from tasks.reconcile.files import stage
from tasks.reconcile.findings import CODES, REJECTED_CODE, notes_of, settled
from tasks.reconcile.inputs import LedgerOrder
from tasks.reconcile.payment_inputs import MoneySide
from tasks.reconcile.period import Period, period_of
from tasks.reconcile.run import ReconciliationError, check, load, publish, sql_files
from tasks.settings.payments import ProviderSettings
from tasks.systems.ledger import ExceptionRecord
from tasks.systems.warehouse import Build
from tests import browser
from tests.unit.reconcile_cases import DAY, NOON, Case

DOCS = Path(__file__).parent.parent.parent / "docs" / "reconciliation.md"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = Case(tmp_path / "warehouse")
    case.magento(101, ("20", 5997, 999))
    case.prima(101, ("20", 5997, 1000))
    case.magento(102, postcode_area="BT")
    held = case.magento(103)
    case.ledger.append(LedgerOrder(held, state="held", exception_code="SKU_UNKNOWN"))
    case.magento_invoice("000000001", 101)
    case.prima_invoice("INV1", 101)
    case.magento_refund("000000004", 101, ("20", 1999, 333))
    return case


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Every table of a small night, before it is published."""
    case = Case(tmp_path_factory.mktemp("built") / "warehouse")
    for number in (101, 102, 103):
        case.magento(number, ("20", 5997, 999))
        case.prima(number, ("20", 5997, 1000))
    with case.warehouse.staging(DAY) as folder, case.warehouse.build() as build:
        load(stage(case.staged(), folder), build)
        for _, sql in sql_files():
            build.run(sql)
        yield build


def test_an_open_reader_keeps_the_old_figures_while_a_run_publishes_new_ones(case: Case) -> None:
    case.result()
    count = "select count(*) from breaks"
    with duckdb.connect(str(case.warehouse.path), read_only=True) as reader:
        before = reader.execute(count).fetchall()
        case.prima(102)
        case.result()
        assert reader.execute(count).fetchall() == before
    with duckdb.connect(str(case.warehouse.path), read_only=True) as reader:
        assert reader.execute(count).fetchall() != before


def test_the_parquet_files_hold_the_rows_of_the_published_tables(case: Case) -> None:
    case.result()
    streams = case.warehouse.folder / "staged" / DAY.isoformat()
    assert {path.name for path in streams.iterdir()} == set(STAGED)
    assert [path.name for path in (streams / "magento_lines").iterdir()] == [f"{DAY.isoformat()}.parquet"]
    folder = case.warehouse.folder / "parquet" / DAY.isoformat()
    assert {path.name for path in folder.iterdir()} == {f"{name}.parquet" for name in MARTS}
    with duckdb.connect() as connection:
        for name in MARTS:
            rows = connection.execute(f"from '{folder}/{name}.parquet'").fetchall()
            assert rows == [tuple(row.values()) for row in case.rows(f'from "{name}"')]


def test_the_published_tables_are_the_ones_of_the_dictionary_and_no_others(case: Case) -> None:
    case.result()
    found = case.rows("select schema_name, table_name from duckdb_tables() order by all")
    names = {(row["schema_name"], row["table_name"]) for row in found}
    assert names == {*(("main", name) for name in MARTS), *(("staged", name) for name in STAGED)}


def test_every_sql_file_makes_the_one_table_it_is_named_after_and_says_its_grain_first() -> None:
    for name, sql in sql_files():
        table = name.split("_", 1)[1].removesuffix(".sql")
        assert re.match(rf"-- {table}( \(working (table|view)\))?\. Grain: \S", sql), name
        assert re.findall(r"create (?:temp )?(?:table|view) (\w+)", sql) == [table]


def test_a_staged_document_twice_stops_the_run(case: Case) -> None:
    staged = case.staged()
    doubled = staged["prima_documents"]
    staged["prima_documents"] = doubled.loc[[0, *range(len(doubled))]].reset_index(drop=True)
    with pytest.raises(SchemaErrors):
        publish(staged, case.warehouse, DAY)
    assert not case.warehouse.path.exists()


@pytest.mark.parametrize(
    ("table", "spoil", "named"),
    [
        ("breaks", "update breaks set cause = 'MOON'", "cause is not one of its values in 3 rows"),
        ("order_variances", "update order_variances set status = null", "status is empty in 3 rows"),
        ("prima_documents", "update prima_documents set vat_pence = 1", "net and vat do not make gross in 3 rows"),
        ("breaks", "insert into breaks from breaks", 'a key ("rank") stands more than once'),
        ("breaks", "alter table breaks alter value_pence type double", "value_pence is DOUBLE, not BIGINT"),
        ("breaks", "alter table breaks drop cause_detail", "cause_detail is missing, not VARCHAR"),
    ],
)
def test_a_table_that_is_not_as_the_dictionary_says_stops_the_run_and_is_named(
    built: Build, table: str, spoil: str, named: str
) -> None:
    built.run(f"create table sound as from {table}")
    built.run(spoil)
    with pytest.raises(ReconciliationError, match=re.escape(f"{table} is not what the dictionary says: {named}.")):
        check(built)
    built.run(f"drop table {table}; alter table sound rename to {table}")
    check(built)


def test_the_page_shows_headline_both_times_and_every_break_and_needs_nothing_from_outside(case: Case) -> None:
    found = case.result()
    page = report.page(found)
    assert report.headline(found) in page.replace("\N{WORD JOINER}", "")
    assert "25 Nov 2026 02:00:00 GMT" in page
    for row in found.breaks:
        assert row["order_number"] in page
    for outside in ("http:", "https:", "<script", "<img", "@import", "url("):
        assert outside not in page
    assert "VAT by rate and destination" in page
    assert ">NI<" in page


def test_the_page_leads_from_a_break_to_its_lines_and_the_hashes_of_both_payloads(case: Case) -> None:
    case.ledger.append(LedgerOrder("000000101", state="accepted", magento_sha256="a1" * 32, prima_sha256="b2" * 32))
    page = report.page(case.result())
    targets = re.findall(r'href="#([^"]+)"', page)
    assert len(targets) == 3
    assert {*targets} <= {*re.findall(r'<section class="break" id="([^"]+)"', page)}
    assert "SKU-1" in page.split("<h2>Down to the line</h2>")[1]
    assert f"Magento's record: {'a1' * 32}<br>" in page
    assert f"Sent to PRIMA: {'b2' * 32}" in page


def test_the_chart_of_causes_begins_with_what_nobody_can_explain_in_whatever_currency() -> None:
    breaks = [
        {"cause": "CURRENCY", "currency": "EUR", "value_pence": 900},
        {"cause": "UNEXPLAINED", "currency": "GBP", "value_pence": 1},
    ]
    chart = causes_chart(breaks)
    assert 0 < chart.index("Unexplained, GBP") < chart.index("Currency, EUR")


def test_the_page_shows_boxes_1_and_6_with_the_net_error_and_the_money_that_somebody_must_act_on(case: Case) -> None:
    case.money = MoneySide((), (), [ProviderSettings(preset="adyen", methods=["stripe_payments"]).form("adyen")], 0)
    found = case.result()
    (boxes,) = found.vat_boxes
    page = report.page(found)
    assert "<h2>VAT return</h2>" in page
    assert "net error within the limit" in page
    for name in ("magento_box_1", "prima_box_1", "magento_box_6", "prima_box_6", "understated", "error_limit"):
        assert show(boxes[f"{name}_pence"], "GBP") in page.split("<h2>VAT return</h2>")[1]
    assert "NOT_SETTLED" in page.split("<h2>Money")[1]


def test_the_page_prints_as_tables_whatever_the_width_of_the_paper(case: Case) -> None:
    # paper is narrower than a screen: the cards for telephones must not apply to it
    assert "@media screen and (max-width" in report.page(case.result())


@pytest.mark.skipif(not browser.CHROMIUM, reason=browser.WITHOUT)
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits_its_window_in_a_browser_and_needs_nothing_from_elsewhere(
    case: Case, tmp_path: Path, width: int
) -> None:
    case.money = MoneySide((), (), [ProviderSettings(preset="adyen", methods=["stripe_payments"]).form("adyen")], 0)
    case.magento(104, currency="EUR")
    case.prima(105)
    page = tmp_path / "reconciliation.html"
    page.write_text(report.page(case.result()), encoding="utf-8")

    found = browser.opened(page, "", tmp_path / "browser", width=width)

    assert (found.console, found.dead_links) == ([], set())
    assert (found.window_width, found.page_width <= width, found.out_of_sight) == (width, True, 0)
    for heading in ("Control totals", "Why they differ", "Breaks (", "VAT return", "Money", "Down to the line"):
        assert f"<h2>{heading}" in found.dom
    text = page.read_text(encoding="utf-8")
    assert " src=" not in text
    assert text.count("<link ") == text.count('href="data:,"') == 1


def test_the_headline_says_by_how_much_and_how_much_is_unexplained(case: Case) -> None:
    headline = report.headline(case.result())
    assert headline.startswith("Magento and PRIMA do not agree for 22 November 2026: 3 breaks, 1 unexplained.")
    assert "orders -£127.84 (VAT -£21.29)" in headline


def test_the_artifact_links_the_files_where_their_folder_is_served_and_names_their_paths_elsewhere(case: Case) -> None:
    found = case.result()
    files = report.ReportFiles(Path("/w/reconciliation-1 to 2.html"), Path("/w/reconciliation-1 to 2.xlsx"))
    linked = report.markdown(found, files, "https://shop.example/finance/")
    assert "[reconciliation-1 to 2.html](https://shop.example/finance/reconciliation-1%20to%202.html)" in linked
    assert "[reconciliation.duckdb](https://shop.example/finance/reconciliation.duckdb)" in linked
    assert "- Workbook: `/w/reconciliation-1 to 2.xlsx`" in report.markdown(found, files)


def test_a_day_without_documents_is_said_to_be_empty(tmp_path: Path) -> None:
    found = Case(tmp_path).result()
    assert report.headline(found) == "Neither Magento nor PRIMA has a document for 22 November 2026."
    assert "There is no document in this period." in report.page(found)


def test_text_from_a_system_cannot_become_markup(tmp_path: Path) -> None:
    case = Case(tmp_path)
    number = case.magento(101, currency="<b>")
    case.ledger.append(LedgerOrder(number, state="accepted", exception_code="<i>"))
    page = report.page(case.result())
    assert "<b>" not in page
    assert "<i>" not in page


def test_a_break_is_one_exception_and_a_held_order_is_none(case: Case) -> None:
    notes = {note.subject: note for note in notes_of(case.result().breaks)}
    assert {subject: note.code for subject, note in notes.items()} == {
        "order 000000101": "RECON_VAT_VARIANCE",
        "order 000000102": "RECON_MISSING_IN_PRIMA",
        "refunds of order 000000101": "RECON_MISSING_IN_PRIMA",
    }
    assert notes["order 000000101"].detail == (
        "VAT_RECALCULATED_ON_ORDER_TOTAL: Magento £63.92 with VAT £10.65, PRIMA £63.92 with VAT £10.66"
    )
    assert notes["order 000000102"].value_at_risk_pence == 6392


def test_every_code_of_a_break_is_in_the_table_of_reasons() -> None:
    assert {*CODES, REJECTED_CODE} <= set(REASONS)


def test_only_what_the_run_looked_at_and_did_not_find_is_settled(case: Case) -> None:
    notes = notes_of(case.result().breaks)
    before = [
        an_exception("RECON_VAT_VARIANCE", "order 000000101"),
        an_exception("RECON_TOTAL_VARIANCE", "order 000000101"),
        an_exception("RECON_TOTAL_VARIANCE", "order 000000999"),
        an_exception("SKU_UNKNOWN", "order 000000102"),
    ]
    subjects = ["order 000000101", "order 000000102"]
    assert settled(before, notes, subjects) == [("RECON_TOTAL_VARIANCE", "order 000000101")]


def an_exception(code: str, subject: str) -> ExceptionRecord:
    values: dict[str, Any] = dict.fromkeys(ExceptionRecord.__dataclass_fields__, "")
    return ExceptionRecord(**{**values, "code": code, "subject": subject})


def test_the_page_of_the_dictionary_is_up_to_date() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert dictionary.updated(page) == page, "run: python -m tasks.reconcile.dictionary"


def test_every_worked_query_of_the_page_runs_and_finds_something(case: Case) -> None:
    case.result()
    pages = DOCS.read_text(encoding="utf-8") + (DOCS.parent / "teams" / "analyst.md").read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", pages, re.DOTALL)
    assert len(queries) >= 12
    for query in queries:
        assert case.rows(query), query


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (date(2026, 6, 30), date(2026, 6, 30))),
        ({"business_date": date(2026, 3, 1)}, (date(2026, 3, 1), date(2026, 3, 1))),
        ({"from_date": date(2026, 6, 1)}, (date(2026, 6, 1), date(2026, 6, 30))),
        (
            {"from_date": date(2026, 6, 1), "to_date": date(2026, 6, 3)},
            (date(2026, 6, 1), date(2026, 6, 3)),
        ),
    ],
)
def test_a_run_without_dates_is_about_londons_yesterday(given: dict[str, date], expected: tuple[date, date]) -> None:
    # Half past eleven at night in UTC is the next day in London's summer.
    now = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    period = period_of(now, **given)
    assert (period.from_date, period.to_date) == expected


def test_a_london_day_of_the_clock_change_has_25_hours() -> None:
    period = Period(date(2026, 10, 25), date(2026, 10, 25))
    assert (period.end - period.start).total_seconds() == 25 * 3600
    assert period.start == datetime(2026, 10, 24, 23, tzinfo=UTC)


def test_a_date_and_a_range_together_are_refused() -> None:
    with pytest.raises(ValueError, match="not both"):
        period_of(NOON, DAY, from_date=DAY)
    with pytest.raises(ValueError, match="lies after"):
        period_of(NOON, from_date=date(2026, 6, 2), to_date=date(2026, 6, 1))
