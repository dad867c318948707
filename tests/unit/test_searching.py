"""The search for personal values finds each in whatever form a file has it, and leaves the table of personal data."""

import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from sandbox.searching import people, secrets, traces

ORDER = {
    "increment_id": "000000101",
    "customer_email": "zoe@owl.example.test",
    "billing_address": {
        "firstname": "Zoë",
        "lastname": "O'Quill",
        "city": "London",
        "street": ["12 Owl Lane", "Flat 3"],
    },
}
VALUES = people([ORDER]) | secrets({"PRIMA_PASSWORD": "hush hush"})
KINDS = {"customer_email", "lastname", "street", "PRIMA_PASSWORD", "PRIMA_PASSWORD in base64"}


def in_rows(path: Path, table: str, cell: object) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"create table {table} (cell)")
        database.execute(f"insert into {table} values (?)", (cell,))


def in_marts(path: Path, text: str) -> None:
    with duckdb.connect(str(path)) as marts:
        marts.execute("create table facts as select ? as cell from range(3000)", [text])


def in_workbook(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/sharedStrings.xml", text)


@pytest.mark.parametrize(
    ("name", "write", "kinds"),
    [
        ("run.log", lambda path: path.write_text("INFO: order of MRS O'QUILL"), {"lastname"}),
        (
            "page.html",
            lambda path: path.write_text("<td>O&#x27;Quill, 12 Owl Lane Flat 3</td>"),
            {"lastname", "street"},
        ),
        ("url.log", lambda path: path.write_text("GET /x?email=zoe%40owl.example.test"), {"customer_email"}),
        (
            "run.json",
            lambda path: path.write_text(json.dumps({"x": "Basic aHVzaCBodXNo"})),
            {"PRIMA_PASSWORD in base64"},
        ),
        ("rows.db", lambda path: in_rows(path, "evidence", zlib.compress(b"12 Owl Lane")), {"street"}),
        ("marts.duckdb", lambda path: in_marts(path, "zoe@owl.example.test"), {"customer_email"}),
        ("book.xlsx", lambda path: in_workbook(path, "password: hush hush"), {"PRIMA_PASSWORD"}),
        ("clean.log", lambda path: path.write_text("Owls of London: flat 30, O quill-pens 000000101"), set()),
    ],
)
def test_a_value_is_found_in_the_form_of_each_kind_of_file(
    tmp_path: Path, name: str, write: Callable[[Path], object], kinds: set[str]
) -> None:
    write(tmp_path / name)

    found = traces(tmp_path, VALUES, leave_out=lambda path: False, erased=False)

    assert set(VALUES.values()) == KINDS
    assert {(each.file, each.kind) for each in found} == {(name, kind) for kind in kinds}


def test_the_table_of_personal_data_may_hold_them_until_they_are_erased(tmp_path: Path) -> None:
    in_rows(tmp_path / "ledger.db", "personal_data", "zoe@owl.example.test")

    def found(*, erased: bool) -> set[str]:
        return {each.place for each in traces(tmp_path, VALUES, leave_out=lambda path: False, erased=erased)}

    assert found(erased=False) == set()
    assert found(erased=True) == {"personal_data", "bytes"}
    in_rows(tmp_path / "ledger.db", "exceptions", "the customer O'Quill")
    assert found(erased=False) == {"exceptions", "bytes"}


def test_a_deleted_row_is_found_in_the_bytes_it_left(tmp_path: Path) -> None:
    in_rows(tmp_path / "prefect.db", "log", "sent to zoe@owl.example.test")
    with closing(sqlite3.connect(tmp_path / "prefect.db")) as database, database:
        database.execute("pragma secure_delete = off")
        database.execute("delete from log")

    found = traces(tmp_path, VALUES, leave_out=lambda path: False, erased=False)

    assert [(each.place, each.kind) for each in found] == [("bytes", "customer_email")]
