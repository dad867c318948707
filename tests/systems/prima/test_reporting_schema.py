"""The models, the page and the normalised frames follow the one column contract."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.errors
import pytest

from schemas.extracts import EXTRACTS
from schemas.extracts_page import page
from schemas.reporting import MODELS, frame_name
from tasks.normalise.reporting import extract_rows
from tasks.systems.prima.conversion import records

DOCS = Path(__file__).resolve().parents[3] / "docs"


def rows(name: str, *changes: dict[str, Any]) -> pd.DataFrame:
    """Return the frame of an extract's example row, changed by each of `changes`."""
    example = {column.name: column.example for column in EXTRACTS[name].columns}
    return extract_rows(name, records(EXTRACTS[name], [{**example, **change} for change in changes or ({},)]))


def test_the_page_for_the_consultant_is_up_to_date() -> None:
    written = (DOCS / "prima-reporting.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m schemas.extracts_page > docs/prima-reporting.md"


@pytest.mark.parametrize("name", EXTRACTS)
def test_each_model_has_the_columns_of_the_contract_and_takes_its_example(name: str) -> None:
    frame = rows(name)
    assert list(frame.columns) == [frame_name(column) for column in EXTRACTS[name].columns]
    assert set(MODELS[name].to_schema().columns) == set(frame.columns)
    assert MODELS[name].to_schema().unique == list(EXTRACTS[name].keys)
    MODELS[name].validate(frame, lazy=True)
    MODELS[name].validate(extract_rows(name, []), lazy=True)
    with pytest.raises(pandera.errors.SchemaErrors):
        MODELS[name].validate(frame.assign(extra=1), lazy=True)


@pytest.mark.parametrize("name", EXTRACTS)
def test_no_column_is_coerced(name: str) -> None:
    frame = rows(name)
    for column in frame.columns:
        if frame[column].dtype == "Int64":
            with pytest.raises(pandera.errors.SchemaErrors):
                MODELS[name].validate(frame.astype({column: "float64"}), lazy=True)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sales_orders", {"vat_amount": "10.00"}),
        ("sales_orders", {"delivery_vat_amount": "0.67"}),
        ("sales_order_lines", {"gross_amount": "59.98"}),
        ("sales_order_lines", {"quantity_dispatched": "2", "quantity_cancelled": "2"}),
        ("invoices", {"net_amount": "49.97"}),
        ("invoices", {"currency": "gbp"}),
        ("invoice_lines", {"line_type": "postage"}),
        ("invoice_lines", {"order_line_number": ""}),
        ("credit_notes", {"net_amount": "-49.98", "vat_amount": "-9.99", "gross_amount": "-59.97"}),
        ("dispatch_lines", {"quantity": "0"}),
        ("prices", {"gross_price": "-1"}),
    ],
)
def test_a_row_that_contradicts_itself_is_rejected(name: str, change: dict[str, str]) -> None:
    with pytest.raises(pandera.errors.SchemaErrors):
        MODELS[name].validate(rows(name, change), lazy=True)


def test_money_becomes_whole_pence_and_rates_plain_text() -> None:
    frame = rows("sales_order_lines", {"vat_rate": "17.50"}, {"line_number": "2", "vat_rate": "20.00"})
    assert frame["gross_pence"].tolist() == [5997, 5997]
    assert frame["vat_rate"].tolist() == ["17.5", "20"]
    assert rows("prices", {"gross_price": "0.1"})["gross_price_pence"].tolist() == [10]
    assert rows("items", {"vat_rate": Decimal("100")})["vat_rate"].tolist() == ["100"]
