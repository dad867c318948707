"""The workbook, read back: every sheet says which run it is of, every sum is a formula over the rows and foots."""

import io
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tasks.reconcile.run import Reconciliation
from tasks.reconcile.workbook import sheets, workbook
from tests.unit.reconcile_cases import Case

HEADER = 5


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Reconciliation:
    case = Case(tmp_path_factory.mktemp("workbook"))
    case.magento(101, ("20", 5997, 999), ("5", 2100, 100))
    case.prima(101, ("20", 5997, 1000), ("5", 2100, 100))
    case.magento(102, postcode_area="BT")
    case.magento(103, currency="EUR", country="IE")
    case.prima(103, ("20", 5000, 833), currency="EUR")
    case.magento_refund("000000004", 101, ("20", 1999, 333))
    case.prima("=1+1", ("20", 100, 17))
    return case.result()


@pytest.fixture(scope="module")
def computed(found: Reconciliation) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(workbook(found, "They do not agree.")), data_only=True)


@pytest.fixture(scope="module")
def formulas(found: Reconciliation) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(workbook(found, "They do not agree.")))


def test_every_sheet_asks_one_question_and_names_run_and_data(
    found: Reconciliation, computed: openpyxl.Workbook
) -> None:
    assert computed.sheetnames == [sheet.name for sheet in sheets(found)]
    for sheet in computed.worksheets:
        assert sheet["A1"].value.endswith("?")
        assert found.run["run_id"] in sheet["A3"].value
        assert found.run["input_hash"] in sheet["A3"].value
        assert sheet.freeze_panes == "C6"


def test_every_row_of_the_tables_is_there_to_the_penny(found: Reconciliation, computed: openpyxl.Workbook) -> None:
    for described in sheets(found):
        sheet = computed[described.name]
        for position, row in enumerate(described.rows, start=HEADER + 1):
            for column, field in enumerate(described.fields, start=1):
                if field.kind == "money" and field.name:
                    value = sheet.cell(position, column).value
                    pence = row[field.name]
                    shown = None if value is None else round(Decimal(str(value)) * 100)
                    assert shown == pence or (shown == 0 and pence is None), (described.name, field.title)


def test_every_sum_is_a_formula_whose_value_foots_within_one_currency(
    computed: openpyxl.Workbook, formulas: openpyxl.Workbook
) -> None:
    sums = 0
    for sheet in formulas.worksheets:
        for row in sheet.iter_rows(min_row=HEADER + 1):
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("=SUMIFS("):
                    shown = computed[sheet.title][cell.coordinate].value
                    assert pence(shown) == sumifs(computed[sheet.title], cell.value), (sheet.title, cell.coordinate)
                    assert cell.number_format.startswith("#,##0.00")
                    sums += 1
    assert sums > 50


def test_the_checks_of_the_totals_come_to_nothing_and_are_formulas(
    computed: openpyxl.Workbook, formulas: openpyxl.Workbook
) -> None:
    checks: Counter[str] = Counter()
    for name in ("Totals", "Days", "Tie-out"):
        columns = [cell.column for cell in computed[name][HEADER] if str(cell.value).startswith("Check")]
        for column in columns:
            for row in range(HEADER + 1, computed[name].max_row + 1):
                value = computed[name].cell(row, column).value
                if value is not None:
                    assert pence(value) == 0
                    assert str(formulas[name].cell(row, column).value).startswith("=")
                    checks[name] += 1
    assert set(checks) == {"Totals", "Days", "Tie-out"}


def test_text_of_a_system_never_becomes_a_formula(formulas: openpyxl.Workbook) -> None:
    cells = [cell for row in formulas["Breaks"].iter_rows() for cell in row if cell.value == "=1+1"]
    assert [cell.data_type for cell in cells] == ["s"]


def pence(value: Any) -> int:
    return round(Decimal(str(value or 0)) * 100)


def sumifs(sheet: Worksheet, formula: str) -> int:
    """Work a SUMIFS of the workbook out by hand: the sum column, and two columns that must hold the foot's words."""
    spans = re.findall(r"\$([A-Z]+)\$(\d+):\$[A-Z]+\$(\d+)", formula)
    wanted = [sheet[cell].value for cell in re.findall(r",([A-Z]+\d+)", formula)]
    (amounts, first, last), *conditions = spans
    return sum(
        pence(sheet[f"{amounts}{row}"].value)
        for row in range(int(first), int(last) + 1)
        if [sheet[f"{column}{row}"].value for column, _, _ in conditions] == wanted
    )


def test_the_same_run_gives_the_same_workbook(found: Reconciliation, tmp_path: Path) -> None:
    assert workbook(found, "one") == workbook(found, "one")
