"""The statement that compares lines, alone in a DuckDB connection: it finds what differs, whatever the lines are."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.reconcile import numbering
from tasks.reconcile.run import sql_files

FIGURES = ["quantity", "vat_rate_hundredths", "net_pence", "vat_pence", "gross_pence"]
TYPES = {"comparison_id": "Int64", "line_key": "Int64", "name": "str", **dict.fromkeys(FIGURES, "Int64")}
Side = list[tuple[int, int, int, int | None, int, int]]

a_line = st.tuples(
    st.integers(1, 40),  # comparison: more than one bucket of sixteen
    st.integers(-2, 3),  # line key: goods, delivery, adjustments
    st.integers(0, 3),  # quantity
    st.sampled_from([0, 500, 2000, None]),
    st.integers(-300, 300),  # net
    st.integers(-60, 60),  # VAT
)
some_lines = st.lists(a_line, max_size=12)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set threads = 1")
        opened.execute("create schema staged")
        yield opened


def differing(connection: duckdb.DuckDBPyConnection, magento: Side, prima: Side) -> set[tuple[int, int]]:
    """Return comparison and line key of what the product's own statement finds."""
    for name, text, lines in (("magento_lines", "sku", magento), ("prima_lines", "product", prima)):
        rows = [(each[0], each[1], "", each[2], each[3], each[4], each[5], each[4] + each[5]) for each in lines]
        frame = pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES).rename(columns={"name": text})
        connection.register("frame", frame)
        connection.execute(f"create or replace table staged.{name} as select * from frame")
    connection.execute("drop table if exists differing_lines")
    connection.execute(dict(sql_files())["016_differing_lines.sql"])
    return set(connection.execute("select comparison_id, line_key from differing_lines").fetchall())


def summed(lines: Side) -> dict[tuple[int, int], tuple[Any, ...]]:
    """Return what is compared of each comparison and line: VAT, gross, and of goods units and the highest rate."""
    found: dict[tuple[int, int], tuple[Any, ...]] = {}
    for comparison, key, quantity, rate, net, vat in lines:
        before = found.get((comparison, key), (0, 0, 0, None))
        rates = [each for each in (before[3], rate) if each is not None]
        of_goods = (before[2] + quantity, max(rates, default=None)) if key > 0 else (0, None)
        found[comparison, key] = (before[0] + vat, before[1] + net + vat, *of_goods)
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(common=some_lines, only_magento=some_lines, only_prima=some_lines, order=st.randoms(use_true_random=False))
def test_the_lines_that_are_found_are_the_ones_that_differ(
    connection: duckdb.DuckDBPyConnection, common: Side, only_magento: Side, only_prima: Side, order: Any
) -> None:
    magento, prima = [*common, *only_magento], [*common, *only_prima]
    order.shuffle(prima)
    ours, theirs = summed(magento), summed(prima)
    expected = {key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}
    assert differing(connection, magento, prima) == expected


def test_lines_in_another_order_or_cut_in_two_documents_are_no_difference(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    whole: Side = [(1, 1, 3, 2000, 4998, 999), (1, 2, 1, 0, 500, 0)]
    parts: Side = [(1, 2, 1, 0, 500, 0), (1, 1, 1, 2000, 1666, 333), (1, 1, 2, 2000, 3332, 666)]
    assert differing(connection, whole, parts) == set()


def test_two_errors_that_cancel_out_are_two_lines(connection: duckdb.DuckDBPyConnection) -> None:
    magento: Side = [(7, 1, 1, 2000, 1000, 200), (7, 2, 1, 2000, 1000, 200)]
    prima: Side = [(7, 1, 1, 2000, 1001, 199), (7, 2, 1, 2000, 999, 201)]
    assert differing(connection, magento, prima) == {(7, 1), (7, 2)}


def documents(*rows: tuple[str, str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["level", "order_number", "currency", "is_cancelled"])


def test_what_is_compared_has_one_number_on_both_sides_and_another_for_each_level_and_currency() -> None:
    magento = documents(
        ("invoices", "101", "GBP", False), ("orders", "101", "GBP", False), ("orders", "102", "GBP", True)
    )
    prima = documents(
        ("orders", "102", "GBP", False),
        ("orders", "101", "EUR", False),
        ("orders", "101", "GBP", False),
        ("refunds", "101", "GBP", False),
    ).rename(columns={"order_number": "order_key"})
    ours, theirs = numbering.numbered(magento, prima)
    assert ours["comparison_id"].tolist() == [1, 2, 3]
    assert theirs["comparison_id"].tolist() == [3, 4, 2, 5]
    assert ours["document_id"].tolist() == [1, 2, 3]
    assert numbering.compared_under(ours).isna().tolist() == [False, False, True]
    assert numbering.compared_under(theirs).isna().tolist() == [False, False, False, True]


def test_a_number_of_prima_that_fits_no_order_keeps_a_name_of_its_own() -> None:
    known = pd.DataFrame({"order_number_prima": ["300000101"], "order_number": ["000000101"]})
    keys = numbering.order_keys(pd.Series(["300000101", "900000007"]), known)
    assert keys.tolist() == ["000000101", "PRIMA 900000007"]
