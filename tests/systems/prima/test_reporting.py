"""The reporting source: a database or a folder, the same records, checked by the column contract."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from sandbox.clock import Clock
from sandbox.prima import Item, PrimaStandIn
from schemas.extracts import EXTRACTS
from schemas.reporting import MODELS
from tasks.errors import ConfigurationError, SystemUnavailableError, UnexpectedResponseError
from tasks.normalise.reporting import extract_rows
from tasks.settings import PrimaReportingSettings, Secrets
from tasks.systems.prima import PrimaClient, ReportingSource
from tasks.systems.prima.database import default_sql
from tests.postgres import fresh_database
from tests.systems.prima.builders import an_order, prima_settings

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def opened(**settings: object) -> ReportingSource:
    source = ReportingSource.open(PrimaReportingSettings.model_validate(settings), Secrets())
    assert source is not None
    return source


@pytest.fixture(params=["sqlite", "postgresql"])
def reporting_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'reporting.db'}"
    else:
        with fresh_database() as url:
            yield url


@pytest.fixture
def trading(tmp_path: Path, reporting_url: str) -> Iterator[PrimaStandIn]:
    """PRIMA with order 30000042 of 09:00, a part of which was dispatched at 10:00 and credited at 11:00."""
    clock = Clock()
    clock.set(NINE)
    with PrimaStandIn(tmp_path / "trading", reporting_url=reporting_url, clock=clock) as stand_in:
        stand_in.add_items([Item("BOOT-F-075", "HARBRN", "F", "075", available=9, price=Decimal("19.99"))])
        with PrimaClient(prima_settings(wsdl_url=stand_in.wsdl_url), Secrets()) as client:
            client.send_order(client.prepare_order(an_order()))
        clock.advance(timedelta(hours=1))
        stand_in.dispatch("30000042", {1: 2}, tracking=["T1", "T2"])
        clock.advance(timedelta(hours=1))
        stand_in.credit("30000042", {1: 1})
        yield stand_in


def test_every_extract_is_read_and_fits_its_model(trading: PrimaStandIn) -> None:
    with opened(url=trading.reporting_url) as source:
        for name, extract in EXTRACTS.items():
            records = source.read(name)
            assert records, name
            assert all(list(record) == [column.name for column in extract.columns] for record in records)
            MODELS[name].validate(extract_rows(name, records), lazy=True)


def test_values_have_the_types_of_the_contract(trading: PrimaStandIn) -> None:
    with opened(url=trading.reporting_url) as source:
        (order,) = source.read("sales_orders")
        (invoice,) = source.read("invoices")
        (dispatch,) = source.read("dispatches")
        lines = source.read("invoice_lines")
        items = source.read("items")
    assert order["order_number_prima"] == "30000042"
    assert (order["net_amount"], order["vat_amount"], order["gross_amount"]) == (
        Decimal("53.27"),
        Decimal("10.65"),
        Decimal("63.92"),
    )
    assert order["ordered_at"] == NINE
    assert order["ordered_at"].tzinfo is UTC
    assert invoice["invoice_date"] == date(2026, 11, 23)
    assert dispatch["tracking_numbers"] == "T1;T2"
    assert {line["order_line_number"] for line in lines} >= {1}
    assert [item["is_active"] for item in items] == [True] * len(items)
    assert {item["vat_rate"] for item in items} == {Decimal(20)}


def test_a_window_is_half_open(trading: PrimaStandIn) -> None:
    with opened(url=trading.reporting_url) as source:
        ten = NINE + timedelta(hours=1)
        assert len(source.read("dispatches", since=ten)) == 1
        assert source.read("dispatches", until=ten) == []
        assert len(source.read("dispatches", since=ten, until=ten + timedelta(seconds=1))) == 1
        assert source.read("dispatches", since=ten + timedelta(seconds=1)) == []


def test_records_can_be_asked_for_by_number(trading: PrimaStandIn) -> None:
    with opened(url=trading.reporting_url) as source:
        many = [f"{number:08}" for number in range(1200)]
        assert len(source.read("sales_orders", keys={"order_number_prima": [*many, "30000042"]})) == 1
        assert source.read("sales_orders", keys={"order_number_prima": many}) == []
        assert source.read("sales_orders", keys={"order_number_prima": []}) == []


def test_a_configured_query_replaces_the_default(trading: PrimaStandIn) -> None:
    columns = ", ".join(column.name for column in EXTRACTS["dispatches"].columns if column.name != "carrier")
    query = f"select {columns}, 'X' as CARRIER from dispatches where updated_at >= :since"
    with opened(url=trading.reporting_url, queries={"dispatches": query}) as source:
        assert [record["carrier"] for record in source.read("dispatches")] == ["X"]
        assert source.read("dispatches", since=NINE + timedelta(hours=2)) == []
        assert source.read("dispatches", until=NINE) == []


def test_a_database_that_lives_in_another_time_zone_is_read_in_utc() -> None:
    rows = (
        "select 'AB-1' as sku, 'GBP' as currency, 39.99 as gross_price, timestamptz '2026-11-23 09:15:00+00' as "
        "updated_at"
    )
    query = f"select * from ({rows}) prices where updated_at >= :since"
    with fresh_database() as url:
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"alter database \"{engine.url.database}\" set timezone to 'Asia/Tokyo'"))
        engine.dispose()
        with opened(url=url, queries={"prices": query}) as source:
            changed = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
            (price,) = source.read("prices", since=changed)
            assert price["updated_at"] == changed
            assert source.read("prices", since=changed + timedelta(seconds=1)) == []


def test_a_configured_query_without_a_column_is_told_so(trading: PrimaStandIn) -> None:
    query = "select dispatch_number, updated_at from dispatches"
    with opened(url=trading.reporting_url, queries={"dispatches": query}) as source:
        with pytest.raises(UnexpectedResponseError, match=r"dispatches: .*order_number_prima, dispatched_at"):
            source.read("dispatches")


def test_a_query_that_fails_or_would_write_is_a_matter_of_settings(trading: PrimaStandIn) -> None:
    for query in ("select nonsense", "delete from stand_in_orders returning *", "select 1 where 1 = :carrier"):
        with opened(url=trading.reporting_url, queries={"dispatches": query}) as source:
            with pytest.raises(ConfigurationError):
                source.read("dispatches")
    assert trading.order_numbers() == ["30000042"]


def test_a_view_that_lacks_a_column_or_does_not_exist_is_named(trading: PrimaStandIn) -> None:
    engine = sa.create_engine(trading.reporting_url)
    with engine.begin() as connection:
        connection.execute(sa.text("drop view prices"))
        connection.execute(sa.text("drop view dispatches"))
        connection.execute(sa.text("create view dispatches as select '1' as dispatch_number, '2' as updated_at"))
    engine.dispose()
    with opened(url=trading.reporting_url) as source:
        with pytest.raises(ConfigurationError, match="the view prices cannot be read"):
            source.read("prices")
        with pytest.raises(UnexpectedResponseError, match="order_number_prima, dispatched_at"):
            source.read("dispatches")


def test_a_database_that_is_not_there_is_unavailable_or_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        opened(url=f"sqlite:///{tmp_path / 'none.db'}")
    with opened(url="postgresql+psycopg://reader:x@127.0.0.1:1/prima") as source:
        with pytest.raises(SystemUnavailableError, match="no connection") as failed:
            source.read("items")
    assert "reader:x" not in str(failed.value)
    with pytest.raises(ConfigurationError):
        opened(url="nothing://host")


def test_the_password_comes_from_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRIMA_REPORTING_PASSWORD", raising=False)
    with pytest.raises(ConfigurationError, match="PRIMA_REPORTING_PASSWORD"):
        opened(url="postgresql+psycopg://reader@127.0.0.1:1/prima")
    monkeypatch.setenv("PRIMA_REPORTING_PASSWORD", "s3cret")
    opened(url="postgresql+psycopg://reader@127.0.0.1:1/prima").close()


def test_no_source_and_an_unknown_extract() -> None:
    assert ReportingSource.open(PrimaReportingSettings(), Secrets()) is None
    with pytest.raises(ConfigurationError, match="shipments is no extract"):
        opened(url="sqlite://", queries={"shipments": "select 1"})


def test_figures_are_as_old_as_the_source_says(tmp_path: Path) -> None:
    write_csv(tmp_path, "items")
    now = datetime.now(UTC)
    fresh, late = opened(folder=str(tmp_path)).as_at(), opened(folder=str(tmp_path), lag_minutes=90).as_at()
    assert fresh - late == timedelta(minutes=90)
    assert now - timedelta(minutes=5) < fresh < now + timedelta(minutes=5)


# Folders


def write_csv(folder: Path, name: str, *rows: dict[str, str], header: list[str] | None = None) -> Path:
    """Write an extract's file: its example row, changed by each of `rows`."""
    example = {column.name: column.example for column in EXTRACTS[name].columns}
    names = header or list(example)
    lines = [",".join(names)]
    lines += [",".join(f'"{({**example, **row})[column]}"' for column in names) for row in rows or ({},)]
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_folder_gives_the_same_records_as_a_database(tmp_path: Path) -> None:
    for name in EXTRACTS:
        write_csv(tmp_path, name)
    with opened(folder=f"file://{tmp_path}") as source:
        for name in EXTRACTS:
            MODELS[name].validate(extract_rows(name, source.read(name)), lazy=True)
        (dispatch,) = source.read("dispatches", keys={"order_number_prima": ["30000042"]})
        assert dispatch["dispatched_at"] == datetime(2026, 11, 23, 15, 40, tzinfo=UTC)
        changed = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
        assert source.read("dispatches", until=changed) == []
        assert len(source.read("dispatches", since=changed)) == 1
        assert source.read("dispatches", since=changed + timedelta(seconds=1)) == []


def test_parquet_files_keep_their_types(tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 9, 15)  # noqa: DTZ001 - Parquet written by a database has no zone
    table = pa.table(
        {
            "sku": ["AB-1"],
            "currency": ["GBP"],
            "gross_price": pa.array([Decimal("39.99")], pa.decimal128(12, 2)),
            "updated_at": pa.array([at], pa.timestamp("ns")),
        }
    )
    pq.write_table(table, tmp_path / "prices.parquet")
    with opened(folder=str(tmp_path)) as source:
        (price,) = source.read("prices")
        assert price["gross_price"] == Decimal("39.99")
        assert price["updated_at"] == at.replace(tzinfo=UTC)
        assert type(price["updated_at"]) is datetime
    floats = table.set_column(2, "gross_price", pa.array([39.99]))
    pq.write_table(floats, tmp_path / "prices.parquet")
    with opened(folder=str(tmp_path)) as source, pytest.raises(UnexpectedResponseError, match=r"float.*NUMERIC"):
        source.read("prices")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"net_amount": "49.981"}, ["net_amount", "INV500017", "49.981", "two decimals"]),
        ({"net_amount": "1,049.98"}, ["net_amount", "two decimals"]),
        ({"invoice_date": "23/11/2026"}, ["invoice_date", "INV500017", "YYYY-MM-DD"]),
        ({"updated_at": "yesterday"}, ["updated_at", "UTC"]),
        ({"currency": " "}, ["currency", "empty"]),
        ({"order_number_prima": ""}, ["order_number_prima", "empty, expected text"]),
    ],
)
def test_a_value_that_breaks_the_contract_is_named_with_its_row(
    tmp_path: Path, row: dict[str, str], words: list[str]
) -> None:
    write_csv(tmp_path, "invoices", {"invoice_number": "INV1"}, row)
    with opened(folder=str(tmp_path)) as source, pytest.raises(UnexpectedResponseError) as broken:
        source.read("invoices")
    for word in ["invoices", "row 2", *words]:
        assert word in str(broken.value)


def test_a_key_that_stands_twice_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path, "dispatch_lines", {"line_number": "1"}, {"line_number": "2"}, {"line_number": "1"})
    with opened(folder=str(tmp_path)) as source:
        with pytest.raises(UnexpectedResponseError, match=r"row 3 \(dispatch_number 'D900021', line_number '1'\)"):
            source.read("dispatch_lines")


def test_an_optional_value_may_be_empty_and_blanks_at_the_end_do_not_count(tmp_path: Path) -> None:
    write_csv(
        tmp_path, "invoice_lines", {"order_line_number": "", "line_type": "delivery", "product": "DEL   ", "mtrx1": ""}
    )
    with opened(folder=str(tmp_path)) as source:
        (line,) = source.read("invoice_lines")
    assert (line["order_line_number"], line["mtrx1"], line["product"]) == (None, "", "DEL")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "are missing"),
        (b"sku,currency,updated_at\nA,GBP,2026-11-23 09:15:00\n", "gross_price are missing"),
        (b"sku,currency,gross_price,updated_at\nA,GBP,1.00\n", r"line 2: 3 cells, expected 4"),
        (b'sku,currency,gross_price,updated_at\nA,GBP,"1.00,2026', "prices.csv"),
        (b"sku,currency,gross_price,updated_at\n\xff,GBP,1.00,x\n", "UTF-8"),
        (b"sku,sku,currency,gross_price,updated_at\nA,B,GBP,1.00,x\n", "sku stand twice"),
    ],
)
def test_a_damaged_file_is_never_taken_for_data(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "prices.csv").write_bytes(content)
    with opened(folder=str(tmp_path)) as source, pytest.raises(UnexpectedResponseError, match=sentence):
        source.read("prices")


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with opened(folder=str(tmp_path)) as source:
        with pytest.raises(SystemUnavailableError, match=r"prices\.csv"):
            source.read("prices")
        with pytest.raises(SystemUnavailableError):
            source.as_at()


def test_one_extract_in_two_files_is_not_chosen_from(tmp_path: Path) -> None:
    write_csv(tmp_path, "prices")
    (tmp_path / "prices.parquet").write_bytes(b"PAR1")
    with opened(folder=str(tmp_path)) as source, pytest.raises(UnexpectedResponseError, match="twice"):
        source.read("prices")


def test_the_default_sql_reads_a_window_in_order() -> None:
    sql = " ".join(default_sql("sales_order_lines").split())
    assert "FROM sales_order_lines WHERE updated_at >= :since AND updated_at < :until" in sql
    assert sql.endswith("ORDER BY updated_at, order_number_prima, line_number")
