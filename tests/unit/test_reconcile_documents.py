"""Magento's invoices and credit memos as rows, on every recorded one."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks.normalise.creditmemos import creditmemos
from tasks.normalise.delivery_rates import delivery_rates
from tasks.normalise.invoices import invoices
from tasks.normalise.sales_documents import DocumentFrames

RECORDINGS = Path(__file__).parent.parent / "recordings" / "fulfilment"


def recorded(kind: str) -> list[dict[str, Any]]:
    text = (RECORDINGS / f"sample-{kind}.json").read_text(encoding="utf-8")
    records: list[dict[str, Any]] = json.loads(text, parse_float=Decimal)[kind]
    return records


def frames_of(kind: str, amounts: Any = "order") -> DocumentFrames:
    return invoices(recorded(kind), amounts) if kind == "invoices" else creditmemos(recorded(kind), amounts)


@pytest.mark.parametrize("amounts", ["order", "base"])
@pytest.mark.parametrize("kind", ["invoices", "creditmemos"])
def test_the_charges_of_every_recorded_document_add_up_to_its_totals(kind: str, amounts: str) -> None:
    frames = frames_of(kind, amounts)
    sums = frames.lines.groupby("document_number")[["net_pence", "vat_pence", "gross_pence"]].sum()
    totals = frames.documents.set_index("document_number")[["net_pence", "vat_pence", "gross_pence"]]
    pd.testing.assert_frame_equal(sums.sort_index(), totals.sort_index())
    assert len(totals) == len(recorded(kind))


@pytest.mark.parametrize("kind", ["invoices", "creditmemos"])
def test_net_and_vat_make_gross_on_every_row(kind: str) -> None:
    frames = frames_of(kind)
    for rows in (frames.documents, frames.lines):
        assert (rows.net_pence + rows.vat_pence == rows.gross_pence).all()


def test_the_child_of_a_configurable_is_not_counted_a_second_time() -> None:
    memo = next(
        record for record in recorded("creditmemos") if any(item.get("row_total") is None for item in record["items"])
    )
    lines = creditmemos([memo]).lines
    goods = lines[lines.charge == "goods"]
    assert len(goods) < len(memo["items"])
    assert goods.item_id_magento.is_unique


def test_a_discount_that_is_null_is_no_discount() -> None:
    invoice = next(
        record
        for record in recorded("invoices")
        if any(item.get("discount_amount") is None for item in record["items"])
    )
    assert invoices([invoice]).lines.gross_pence.notna().all()


def test_a_goodwill_refund_is_an_adjustment_without_vat() -> None:
    frames = creditmemos([a_memo(grand_total="5", adjustment_positive=5, items=[])])
    assert frames.lines[["charge", "gross_pence", "vat_pence"]].to_dict("records") == [
        {"charge": "adjustment", "gross_pence": 500, "vat_pence": 0}
    ]


def test_the_discount_on_delivery_is_what_the_lines_leave_of_the_documents_discount() -> None:
    memo = a_memo(
        grand_total="2.95",
        tax_amount="0.49",
        shipping_amount="3.29",
        shipping_tax_amount="0.49",
        discount_amount="-1.00",
        discount_tax_compensation_amount="0.17",
    )
    frames = creditmemos([memo])
    assert frames.documents.delivery_gross_pence.tolist() == [295]
    assert frames.lines.gross_pence.tolist() == [295]


def test_a_document_of_half_past_eleven_in_summer_belongs_to_the_next_london_day() -> None:
    frames = creditmemos([a_memo(created_at="2026-07-01 23:30:00")])
    assert str(frames.documents.business_date[0]) == "2026-07-02"


def test_an_amount_that_is_no_whole_penny_is_left_empty() -> None:
    assert creditmemos([a_memo(grand_total="1.005")]).documents.gross_pence.isna().all()


def test_the_rate_of_delivery_is_the_one_applied_to_shipping() -> None:
    applied = [
        {"type": "product", "applied_taxes": [{"percent": 5}]},
        {"type": "shipping", "applied_taxes": [{"percent": 20}]},
    ]
    records: list[dict[str, Any]] = [
        {"increment_id": "000000101", "extension_attributes": {"item_applied_taxes": applied}},
        {"increment_id": "000000102"},
    ]
    assert delivery_rates(records) == {"000000101": "20", "000000102": "0"}


def a_memo(**changes: Any) -> dict[str, Any]:
    memo: dict[str, Any] = {
        "increment_id": "000000009",
        "order_id": 42,
        "order_currency_code": "GBP",
        "created_at": "2026-11-23 03:04:01",
        "state": 2,
        "grand_total": 0,
        "tax_amount": 0,
        "items": [],
    }
    return {
        name: Decimal(value) if isinstance(value, str) and name.endswith(("amount", "total")) else value
        for name, value in {**memo, **changes}.items()
    }
