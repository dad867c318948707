"""Every recorded credit memo as a refund: its charges with their rates make its totals, to the penny."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from schemas import refund_export
from schemas.refund_rows import RefundLines, Refunds
from schemas.refunds import RefundToTell
from tasks.decide import refunds as decide
from tasks.normalise.refunds import credit_note_of, refunds
from tasks.record.refunds import refunds_of
from tasks.validate import split_batch
from tests.recorded import sample_orders

RECORDINGS = Path(__file__).parent.parent / "recordings" / "fulfilment"
DOCS = Path(__file__).parents[2] / "docs"


def recorded() -> list[dict[str, Any]]:
    text = (RECORDINGS / "sample-creditmemos.json").read_text(encoding="utf-8")
    records: list[dict[str, Any]] = json.loads(text, parse_float=Decimal)["creditmemos"]
    return records


def orders() -> dict[int, Any]:
    return {order["entity_id"]: order for order in sample_orders()}


@pytest.mark.parametrize("amounts", ["order", "base"])
def test_every_recorded_credit_memo_is_a_refund_with_vat_by_rate(amounts: Any) -> None:
    frames = refunds(recorded(), orders(), amounts)
    with_order = frames.refunds[frames.refunds.order_number != ""]
    lines = frames.lines[frames.lines.refund_number.isin(with_order.refund_number)]

    checked, checked_lines = split_batch(Refunds, with_order), split_batch(RefundLines, lines)

    assert (len(checked.rejected), len(checked_lines.rejected)) == (0, 0), checked_lines.rejected
    assert len(checked.accepted) >= 5
    for refund in refunds_of(checked.accepted, lines):
        rates = refund.by_rate()
        assert sum(net for net, _ in rates.values()) == refund.net_pence
        assert sum(vat for _, vat in rates.values()) == refund.vat_pence
        for rate, (_, vat) in rates.items():
            assert vat == 0 or Decimal(rate) > 0


def test_a_refund_whose_order_cannot_be_read_is_rejected_and_named() -> None:
    (memo, *_) = recorded()
    checked = split_batch(Refunds, refunds([memo], {}).refunds)

    (row,) = checked.rejected.to_dict("records")
    (note,) = decide.rejected([row])
    assert (note.code, note.subject) == ("REFUND_REJECTED", f"refund {memo['increment_id']}")
    assert "order_number" in note.detail


def test_a_total_that_its_charges_do_not_make_is_rejected() -> None:
    (memo, *_) = recorded()
    memo["grand_total"] += Decimal("0.01")
    checked = split_batch(Refunds, refunds([memo], {memo["order_id"]: {"increment_id": "000000034"}}).refunds)

    assert list(checked.rejected["reason"]) == ["TOTALS_DISAGREE"]


def test_an_amount_that_is_no_whole_penny_is_rejected_and_not_rounded() -> None:
    (memo, *_) = recorded()
    memo["items"][0]["tax_amount"] = Decimal("1.115")
    frames = refunds([memo], {memo["order_id"]: {"increment_id": "000000034"}})

    assert len(split_batch(Refunds, frames.refunds).rejected) == 1


def test_the_date_of_a_refund_is_londons() -> None:
    (memo, *_) = recorded()
    memo |= {"created_at": "2026-06-30 23:30:00"}
    frames = refunds([memo], orders())

    (refund,) = refunds_of(frames.refunds, frames.lines)
    assert refund.refund_date == date(2026, 7, 1)


def test_a_cancelled_credit_memo_is_left_out_and_moves_no_other() -> None:
    (memo, other, *_) = recorded()
    frames = refunds([memo | {"state": 3}, other], orders())

    assert list(frames.refunds.refund_number) == [other["increment_id"]]
    assert list(frames.refunds.creditmemo_id) == [other["entity_id"]]


def test_store_credit_is_part_of_the_refund_and_said_to_be_no_money() -> None:
    (memo, *_) = recorded()
    part = Decimal("1.00")
    memo["grand_total"] -= part
    memo["extension_attributes"] = {"customer_balance_amount": part}
    frames = refunds([memo], orders())

    assert list(frames.refunds.tender_pence) == [100]
    assert len(split_batch(Refunds, frames.refunds).accepted) == (frames.refunds.order_number != "").sum()


def test_a_credit_memo_made_from_a_credit_note_names_it() -> None:
    assert credit_note_of({"comments": [{"comment": "damaged"}, {"comment": "PRIMA credit note CRN700003"}]}) == (
        "CRN700003"
    )
    assert credit_note_of({"comments": [{"comment": "see PRIMA credit note CRN700003 please"}]}) == ""
    assert credit_note_of({}) == ""


def test_the_file_of_a_refund_has_the_columns_of_its_page_and_adds_up() -> None:
    frames = refunds(recorded(), orders())
    frames.refunds.dropna(inplace=True)
    for refund in refunds_of(frames.refunds, frames.lines):
        rows = refund_export.file_of(RefundToTell(refund, "30000034", "checkmo", {})).decode().splitlines()
        header = rows[0].split(",")
        table = [dict(zip(header, row.split(","), strict=True)) for row in rows[1:]]
        assert header == [column.name for column in refund_export.COLUMNS]
        for kind in ("net", "vat", "gross"):
            total = sum(Decimal(row[f"{kind}_amount"]) for row in table)
            assert {Decimal(row[f"total_{kind}_amount"]) for row in table} <= {total}


def test_no_two_refunds_share_a_file() -> None:
    names = [refund_export.file_name(number) for number in ("1/2", "1_2", "1\\2", "../1", "12", "1 2")]

    assert len(set(names)) == len(names)
    assert all("/" not in name and "\\" not in name for name in names)


def test_the_page_of_the_file_is_made_from_its_columns() -> None:
    assert (DOCS / "refund-export.md").read_text(encoding="utf-8") == refund_export.page(), (
        "write it anew: python -m schemas.refund_export > docs/refund-export.md"
    )
