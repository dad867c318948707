"""Refunds of Magento and credit notes of PRIMA, through the flow: each seen on both sides once, whatever goes wrong."""

import csv
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.orders import sync_orders
from flows.refunds import sync_refunds
from sandbox.prima.items import Item
from schemas.documents import ShipmentLine
from tasks.errors import UnexpectedResponseError
from tasks.systems.prima.refund_folder import STAGING
from tests.flows.shopping import Order, a_line, accepted_order, buy, by_hand, in_prima, prima_number
from tests.installation import Installation

CLOCK = ("REFUND_TO_CREDIT", "REFUND_CREDIT_DUE", "REFUND_CREDIT_OVERDUE")


@pytest.fixture
def order(installation: Installation) -> Order:
    """An order of 3 tees and 2 pairs of jeans that PRIMA has accepted, dispatched and invoiced."""
    bought = accepted_order(installation)
    installation.prima.dispatch(prima_number(bought))
    with by_hand(installation) as magento:
        magento.invoice(bought["entity_id"])
    return bought


def refund(
    installation: Installation, order: Order, units: Mapping[int, int], delivery: str = "0", **how: Any
) -> dict[str, Any]:
    """Refund units by line in Magento's admin; returns the credit memo."""
    items = [line for line in order["items"] if not line.get("parent_item_id")]
    lines = [ShipmentLine(line["item_id"], units.get(number, 0)) for number, line in enumerate(items, start=1)]
    with by_hand(installation) as magento:
        number = magento.refund(order["entity_id"], lines, delivery=Decimal(delivery), **how)
    return next(memo for memo in installation.magento.creditmemos() if str(memo["entity_id"]) == number)


def paid_days_ago(installation: Installation, memo: Mapping[str, Any], days: int) -> None:
    """Let the ledger have seen a refund that was paid some days ago."""
    at = datetime.now(UTC) - timedelta(days=days)

    with sqlite3.connect(installation.folder / "ledger.db") as database:
        database.execute(
            "update refunds set refunded_at = ?, refund_date = ? where refund_number = ?",
            (at.strftime("%Y-%m-%d %H:%M:%S.000000"), at.date().isoformat(), memo["increment_id"]),
        )


def files(installation: Installation) -> dict[str, list[dict[str, str]]]:
    """Return the rows of each file in the folder of refunds."""
    found = {}
    for path in sorted((installation.folder / "refunds").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.name] = list(csv.DictReader(file))
    return found


def exports(installation: Installation) -> Path:
    """Let refunds be exported, and return the folder."""
    folder = installation.folder / "refunds"
    folder.mkdir()
    installation.add_settings(f'[refunds]\nto_prima = "export"\nexport_folder = "{folder}"')
    return folder


def test_refunds_wait_for_their_credit_notes_with_age_value_and_vat_and_close_themselves(
    installation: Installation, order: Order
) -> None:
    part = refund(installation, order, {1: 1}, delivery="0")
    delivery = refund(installation, order, {}, delivery=str(order["shipping_amount"]))
    goodwill = refund(installation, order, {}, goodwill=Decimal("2.50"))

    summary = sync_refunds()

    subjects = {f"refund {memo['increment_id']}" for memo in (part, delivery, goodwill)}
    assert installation.open_codes(CLOCK) == dict.fromkeys(subjects, "REFUND_TO_CREDIT")
    assert (summary.counts["new refunds"], summary.counts["still open"], summary.oldest_days) == (3, 3, 0)
    refunded = round(100 * sum(memo["grand_total"] for memo in (part, delivery, goodwill)))
    assert summary.open_refunds_pence == {"GBP": refunded}
    with installation.ledger() as ledger:
        kept = {each.refund.refund_number: each.refund for each in ledger.refunds_of([order["increment_id"]])}
        assert [line.charge for line in kept[delivery["increment_id"]].lines] == ["delivery"]
        assert kept[goodwill["increment_id"]].by_rate() == {"": (250, 0)}
        details = {note.subject: note.detail for note in ledger.exceptions(code="REFUND_TO_CREDIT")}
    assert "20%: net" in details[f"refund {part['increment_id']}"]
    assert "without VAT split: £2.50" in details[f"refund {goodwill['increment_id']}"]

    credit = installation.prima.credit(prima_number(order), {1: 1})
    paid_days_ago(installation, delivery, 10)
    paid_days_ago(installation, goodwill, 14)
    sync_refunds()

    assert installation.open_codes(CLOCK) == {
        f"refund {delivery['increment_id']}": "REFUND_CREDIT_DUE",
        f"refund {goodwill['increment_id']}": "REFUND_CREDIT_OVERDUE",
    }
    with installation.ledger() as ledger:
        answered = ledger.refund(part["increment_id"])
        assert answered is not None
        assert (answered.answers, answered.settled_why) == ((credit,), "gross and VAT agree")

    again = sync_refunds()
    assert (again.counts["new refunds"], again.counts["settled"], again.oldest_days) == (0, 0, 14)


def test_a_credit_memo_that_magento_does_not_hand_out_holds_up_no_other_and_is_taken_in_once_it_reads(
    installation: Installation, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.configure(calls_per_second="15\npage_size = 2\nread_attempts = 1")
    first, bad, last = (refund(installation, order, {1: 1}) for _ in range(3))
    faults = installation.magento.faults
    faults.add("GET /V1/creditmemos", "status", status=500, times=None)
    with pytest.raises(UnexpectedResponseError):
        sync_refunds()
    faults.clear()
    faults.add("GET /V1/creditmemo*", "unreadable_document", entity_id=bad["entity_id"], times=None)
    with monkeypatch.context() as broken:
        broken.setattr("flows.refunds.unreadable.note_unreadable", _killed)
        with pytest.raises(KeyboardInterrupt):
            sync_refunds()
    with installation.ledger() as ledger:
        assert ledger.watermark("refunds") is None, "nothing is passed by that no exception tells of"

    sync_refunds()

    subject = f"credit memo entity {bad['entity_id']}"
    read = {f"refund {memo['increment_id']}": "REFUND_TO_CREDIT" for memo in (first, last)}
    assert installation.open_codes() == {**read, subject: "REFUND_UNREADABLE"}
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="REFUND_UNREADABLE")
        assert ledger.watermark("refunds") is not None
    assert (note.order_number, note.value_at_risk_pence) == (order["increment_id"], round(100 * order["grand_total"]))
    installation.magento.forget_calls()
    sync_refunds()
    failed = [call["path"] for call in installation.magento.calls() if call["status"] == 500]
    assert failed == [f"/V1/creditmemo/{bad['entity_id']}"], "known, it is asked for once, and no list holds it"

    faults.clear()
    sync_refunds()
    assert installation.open_codes() == {**read, f"refund {bad['increment_id']}": "REFUND_TO_CREDIT"}


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_credit_note_that_changes_opens_its_refund_again_and_one_of_prima_alone_is_seen(
    installation: Installation, order: Order
) -> None:
    memo = refund(installation, order, {1: 1})
    credit = installation.prima.credit(prima_number(order), {1: 1})
    assert sync_refunds().counts["settled"] == 1

    in_prima(
        installation,
        "update stand_in_credit_notes set vat = vat + 1, net = net - 1, "
        f"updated_at = datetime('now') where credit_note_number = '{credit}'",
    )
    alone = installation.prima.credit(prima_number(order), {2: 2})
    sync_refunds()

    found = installation.open_codes()
    assert found[f"refund {memo['increment_id']}"] == "REFUND_DIFFERS"
    assert found[f"credit note {alone}"] == "CREDIT_NOTE_TO_REFUND"
    sync_refunds()
    assert installation.open_codes() == found


def test_what_prima_cancelled_and_never_invoiced_needs_no_credit_note(installation: Installation) -> None:
    bought = accepted_order(installation)
    with by_hand(installation) as magento:
        magento.invoice(bought["entity_id"])
    installation.prima.cancel(prima_number(bought), {1: 1})
    refund(installation, bought, {1: 1})
    second = refund(installation, bought, {1: 1})

    summary = sync_refunds()

    assert (summary.counts["settled"], summary.counts["still open"]) == (1, 1)
    assert installation.open_codes(CLOCK) == {f"refund {second['increment_id']}": "REFUND_TO_CREDIT"}


def test_a_refund_of_an_order_that_prima_does_not_have_yet_waits_for_the_order_and_then_is_told(
    installation: Installation, order: Order
) -> None:
    exports(installation)
    installation.magento.add_product("LATE", price=Decimal("12.00"), quantity=5)
    late = buy(installation, a_line("LATE", 2))
    sync_orders()
    with by_hand(installation) as magento:
        magento.invoice(late["entity_id"])
    refund(installation, late, {1: 1})

    assert sync_refunds().counts["still open"] == 0
    assert files(installation) == {}

    installation.prima.add_items([Item("LATE", "LATE", available=5, price=Decimal("12.00"))])
    sync_orders()
    assert sync_refunds().counts["posted"] == 1
    assert len(files(installation)) == 1


def test_each_refund_is_exported_once_as_a_file_that_adds_up(installation: Installation, order: Order) -> None:
    exports(installation)
    memo = refund(installation, order, {1: 2, 2: 1}, delivery=str(order["shipping_amount"]), goodwill=Decimal("1.00"))

    summary = sync_refunds()

    assert (summary.counts["posted"], installation.open_codes(CLOCK)) == (1, {})
    ((name, rows),) = files(installation).items()
    assert name == f"refund-{memo['increment_id']}.csv"
    assert [(row["charge"], row["order_line_number"], row["quantity"], row["vat_rate"]) for row in rows] == [
        ("goods", "1", "2", "20"),
        ("goods", "2", "1", "20"),
        ("delivery", "", "", "20"),
        ("adjustment", "", "", ""),
    ]
    assert {row["order_number_prima"] for row in rows} == {prima_number(order)}
    for kind, total in (("gross", memo["grand_total"]), ("vat", memo["tax_amount"])):
        assert sum(Decimal(row[f"{kind}_amount"]) for row in rows) == Decimal(str(total))
    (installation.folder / "refunds" / name).unlink()  # PRIMA has read it
    assert sync_refunds().counts["posted"] == 0
    assert files(installation) == {}


@pytest.mark.parametrize("is_handed_over", [True, False])
def test_a_run_killed_while_it_exported_leaves_one_file_even_when_prima_took_it_away(
    installation: Installation, order: Order, is_handed_over: bool
) -> None:
    folder = exports(installation)
    memo = refund(installation, order, {1: 1})
    name = f"refund-{memo['increment_id']}.csv"
    with installation.ledger() as ledger:
        ledger.begin_posting(
            f"prima/refund/{memo['increment_id']}",
            system="prima",
            operation="export refund",
            subject=f"order {order['increment_id']}",
            request_hash="of the killed run",
        )
    if not is_handed_over:
        (folder / STAGING).mkdir()
        (folder / STAGING / name).write_bytes(b"cut in the midd")

    sync_refunds()
    sync_refunds()

    assert list(files(installation)) == ([] if is_handed_over else [name])
    with installation.ledger() as ledger:
        states = [each.state for each in ledger.attempts(f"prima/refund/{memo['increment_id']}")]
    assert states == (["posted"] if is_handed_over else ["refused", "posted"])
    if not is_handed_over:
        assert len(files(installation)[name]) == 1


def test_a_folder_that_cannot_be_used_is_an_exception_until_it_can(installation: Installation, order: Order) -> None:
    folder = exports(installation)
    folder.rmdir()  # where a mount is away
    memo = refund(installation, order, {1: 1})

    assert sync_refunds().counts["refused"] == 1
    assert installation.open_codes() == {f"refund {memo['increment_id']}": "REFUND_NOT_EXPORTED"}
    assert not folder.exists(), "what is written on this machine instead reaches nobody"

    folder.mkdir()
    assert sync_refunds().counts["posted"] == 1
    assert installation.open_codes() == {}
    assert len(files(installation)) == 1
