"""Cases of the handbook, solved as its pages say: every command of a worked example is run, word by word."""

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from subprocess import CompletedProcess
from typing import Any

import pytest

from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from flows.reconciliation import reconcile
from flows.refunds import sync_refunds
from tasks.errors import SystemUnavailableError
from tests import handbook
from tests.builders import SKU, an_order, an_order_line
from tests.flows.shopping import TEE, a_line, accepted_order, buy, by_hand, in_prima, prima_number, stock_both, tracks
from tests.flows.test_refunds import paid_days_ago, refund
from tests.flows.test_stock_brakes import opened
from tests.installation import Installation
from tests.recorded import sample_order, sample_orders
from tests.unit.test_handbook import deployments

NEW_SIZE = "OB-1234-BLK-9"
RECORDED = 20
RUN_ELSEWHERE = ("automations", "limits")  # tests/flows/test_health.py, test_deployments.py
RECORDED_ON = date(2026, 11, 23)


def follow(installation: Installation, name: str, **stands_for: str) -> list[CompletedProcess[str]]:
    """Run the commands of a case as its page shows them; words in capitals stand for what was printed before."""
    ended = []
    for program, *words in handbook.case(name):
        if program == "magento-prima":
            ended.append(installation.command(*(stands_for.get(word, word) for word in words)))
            continue
        assert words[:2] == ["-m", "sandbox"]
        own = [sys.executable, *(str(installation.folder) if word == "var/try" else word for word in words)]
        ended.append(subprocess.run(own, capture_output=True, text=True, timeout=60, check=False))
    page = (installation.folder / "desk" / "exceptions.html").read_text(encoding="utf-8")
    rows = page.partition('<table id="exceptions">')[2].partition("</table>")[0]
    with installation.ledger() as ledger:
        still_open = sorted(ledger.exceptions(), key=lambda note: (-note.value_at_risk_pence, note.first_seen_at))
    shown = [int(number) for number in re.findall(r'data-name="Number"><span>(\d+)', rows)]
    assert shown == [note.id for note in still_open], "the desk page is stale, or not sorted"
    return ended


def solved(installation: Installation, name: str, **stands_for: str) -> list[str]:
    """Run the commands of a case, each of which must end well; returns what they printed."""
    ended = follow(installation, name, **stands_for)
    assert [each.returncode for each in ended] == [0] * len(ended), [each.stderr for each in ended]
    return [each.stdout for each in ended]


def filled_in(deployment: str, **instead: str) -> object:
    """Run the form of a deployment as the handbook fills it in first, each field as text; returns what it gave back."""
    form = next(form for form in handbook.forms() if form.deployment == deployment)
    return deployments()[deployment](**{**form.fields, **instead})


def load(installation: Installation, number: str, sku: str) -> None:
    """Give Magento an order of a SKU, placed just now."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    order = an_order(number, lines=[an_order_line(sku)], created_at=now, updated_at=now)
    installation.magento.load_orders(json.loads(json.dumps([order], default=float)))


def test_a_sku_in_the_wrong_case_is_accepted_and_a_new_one_goes_on_when_prima_has_it(
    installation: Installation,
) -> None:
    installation.holds(an_order("000000101"))
    load(installation, "000000102", SKU.lower())
    load(installation, "000000103", NEW_SIZE)
    sync_orders()

    listed, _, after = solved(installation, "sku-wrong-case")
    assert ("000000102" in listed, "000000102" in after) == (True, False)
    listed, shown = solved(installation, "sku-not-in-prima")
    assert NEW_SIZE in listed
    assert "held" in shown

    installation.prima.items_from_orders([an_order("000000103", lines=[an_order_line(NEW_SIZE)])])
    _, after = solved(installation, "sku-not-in-prima-after")
    assert NEW_SIZE not in after
    assert installation.open_codes() == {}
    assert len(installation.prima.order_numbers()) == 3


def test_while_prima_is_down_check_names_it_and_the_run_after_it_posts_what_waited(installation: Installation) -> None:
    installation.holds(an_order("000000101"))
    installation.prima.faults.add("*", "status", times=None, status=503)
    with pytest.raises(SystemUnavailableError):
        sync_orders()

    (checked,) = follow(installation, "prima-down")
    assert checked.returncode != 0
    assert any(line.startswith("WRONG") and "PRIMA" in line.upper() for line in checked.stdout.splitlines())

    installation.prima.faults.clear()
    solved(installation, "prima-down-after")
    assert len(installation.prima.order_numbers()) == 1
    assert installation.open_codes() == {}


def test_a_held_snapshot_is_released_with_the_number_that_was_shown(installation: Installation) -> None:
    shelf = opened(installation)
    in_prima(installation, "update stand_in_items set available = 0 where sku not like 'JEANS0%'")
    assert sync_inventory().held

    (shown,) = solved(installation, "brake-held")
    with installation.ledger() as ledger:
        hold = ledger.open_hold()
    assert hold is not None
    assert str(hold.hold_id) in shown
    filled_in("stock-brake", hold_id=str(hold.hold_id))
    _, _, after = solved(installation, "brake-held-released", HOLD=str(hold.hold_id))

    assert str(hold.hold_id) not in after
    assert {installation.magento.source_quantity(sku) for sku in shelf if not sku.startswith("JEANS0")} == {0}


def test_drift_is_found_listed_and_written_over_from_fresh_figures(installation: Installation) -> None:
    stock_both(installation, {"TEE-RED-1": 20, "TEE-RED-2": 20})
    sync_inventory()
    installation.magento.set_source_quantity("TEE-RED-1", 33)

    _, listed, summed, _ = solved(installation, "drift")
    assert "TEE-RED-1" in listed
    assert "33" in summed
    assert installation.magento.source_quantity("TEE-RED-1") == 33

    _, after = solved(installation, "drift-repaired")
    assert "TEE-RED-1" not in after
    assert installation.magento.source_quantity("TEE-RED-1") == 20


def test_finance_finds_a_vat_break_that_prima_puts_right_and_decides_on_an_order_that_only_prima_has(
    installation: Installation,
) -> None:
    installation.add_settings("[reconciliation]\nlag_hours = 0")
    installation.holds(sample_order("000000019"), sample_order("000000020"))
    sync_orders()
    in_prima(installation, "update stand_in_orders set vat = vat + 12, net = net - 12 where order_number = '30000020'")
    for table in ("stand_in_orders", "stand_in_order_lines"):
        in_prima(installation, f"update {table} set order_number = '30999999' where order_number = '30000019'")
    reconcile(from_date=RECORDED_ON, to_date=datetime.now(UTC).date())

    numbers = {row["status"]: str(row["break_id"]) for row in breaks(installation)}
    listed, shown, *_ = solved(installation, "vat-break", BREAK=numbers["VAT_VARIANCE"])
    assert "000000020" in listed
    assert "0.12" in shown
    filled_in("break-decision", break_id=numbers["VAT_VARIANCE"])
    assert {str(row["break_id"]): row["owner"] for row in breaks(installation)}[numbers["VAT_VARIANCE"]] == "Sam"
    in_prima(installation, "update stand_in_orders set vat = vat - 12, net = net + 12 where order_number = '30000020'")
    today = datetime.now(UTC).date().isoformat()
    _, listed = solved(installation, "vat-break-after", **{"2026-11-30": today})
    assert "000000020" not in listed
    assert "RECON_VAT_VARIANCE" not in installation.open_codes().values()

    listed, *_ = solved(installation, "orphan-in-prima", BREAK=numbers["MISSING_IN_MAGENTO"])
    assert "30999999" in listed
    solved(installation, "orphan-in-prima-accepted", BREAK=numbers["MISSING_IN_MAGENTO"])

    assert numbers["MISSING_IN_MAGENTO"] not in {str(row["break_id"]) for row in breaks(installation)}
    assert "RECON_MISSING_IN_MAGENTO" not in installation.open_codes().values()


def test_a_carrier_that_nobody_mapped_stands_for_a_known_one_and_the_parcel_is_told(installation: Installation) -> None:
    order = accepted_order(installation)
    other = buy(installation, a_line(TEE))
    sync_orders()
    for each, carrier in ((order, "DPDX"), (other, "DPDY")):
        installation.prima.dispatch(prima_number(each), carrier=carrier, tracking=["X1"])
    sync_fulfilment()
    with installation.ledger() as ledger:
        numbers = {note.order_number: str(note.id) for note in ledger.exceptions(code="CARRIER_UNKNOWN")}

    listed, previewed, _, after = solved(installation, "carrier-unknown", EXCEPTION=numbers[order["increment_id"]])
    assert "DPDY" in after
    filled_in("exceptions-map", number=numbers[other["increment_id"]])

    assert ("DPDX" in listed, "would be done" in previewed, "DPDX" in after) == (True, True, False)
    assert installation.open_codes() == {}
    for each in (order, other):
        (shipment,) = installation.magento.shipments(each["increment_id"])
        assert tracks(shipment) == [("X1", "custom", "DPD")]


def test_an_order_that_prima_refuses_is_parked_read_and_sent_again_once_the_cause_is_put_right(
    installation: Installation,
) -> None:
    installation.configure(concurrency="2\nattempt_limit = 2\nretry_minutes = [0]")
    load(installation, "000000106", SKU)
    installation.holds(an_order("000000101"))
    said = "Note of {CustomerSurname} has an Invalid Value equal to {DeliveryPostCode}"
    fault = installation.prima.faults.add("MultiNewOrder", "refuse_order", times=None, text=said)
    for _ in range(3):
        sync_orders()

    printed = solved(installation, "poison-note")
    assert "has an Invalid Value" in printed[0]
    assert "Parked after 2 attempts" in printed[0]
    assert "would be posted" in printed[2]
    address = an_order("000000106")["billing_address"]
    assert not [word for word in (address["lastname"], address["postcode"]) if word in "".join(printed[0::2])]

    assert fault in {each["id"] for each in installation.prima.faults.pending()}
    installation.prima.faults.clear()
    _, after = solved(installation, "poison-note-after")
    assert "000000106" not in after
    assert len(installation.prima.order_numbers()) == 1


def test_a_refund_whose_credit_note_is_due_closes_when_prima_credits_it_or_finance_says_that_none_will_come(
    installation: Installation,
) -> None:
    order = accepted_order(installation)
    installation.prima.dispatch(prima_number(order))
    with by_hand(installation) as magento:
        magento.invoice(order["entity_id"])
    memos = [refund(installation, order, {1: 1}), refund(installation, order, {}, goodwill=Decimal("2.50"))]
    sync_refunds()
    for memo in memos:
        paid_days_ago(installation, memo, 10)
    sync_refunds()

    (listed,) = solved(installation, "refund-clock")
    assert all(memo["increment_id"] in listed for memo in memos)
    installation.prima.credit(prima_number(order), {1: 1})
    _, after = solved(installation, "refund-clock-after")
    assert [memo["increment_id"] in after for memo in memos] == [False, True]
    solved(installation, "refund-settled", MEMO=memos[1]["increment_id"])
    _, after = solved(installation, "refund-clock-after")
    assert memos[1]["increment_id"] not in after


def test_a_second_order_of_the_same_goods_that_was_meant_passes(installation: Installation) -> None:
    installation.configure(duplicate_minutes="60")
    installation.holds(an_order("000000101"))
    for number in ("000000106", "000000107"):
        load(installation, number, SKU)
    sync_orders()
    assert installation.open_codes() == {"order 000000107": "SUSPECTED_DUPLICATE"}

    solved(installation, "duplicate-meant")
    sync_orders()

    assert installation.open_codes() == {}
    assert len(installation.prima.order_numbers()) == 3


def test_the_day_of_the_rehearsal_ends_well_and_so_does_every_command_of_the_handbook_that_is_no_case(
    installation: Installation,
) -> None:
    installation.holds(*sample_orders()[:RECORDED])

    printed = solved(installation, "a day")

    day = handbook.case("a day")
    said = dict(zip((" ".join(words[1:]) for words in day), printed, strict=True))
    assert all(line.startswith("ok") for line in said["check"].splitlines())
    assert len(installation.prima.order_numbers()) > RECORDED // 2
    assert installation.magento.shipments()
    others = [words for words in handbook.outside_of_cases() if words not in day and words[1] not in RUN_ELSEWHERE]
    assert len(others) > 10
    for _, *words in others:
        if words != ["evidence", "erase", "--customer", "-", *words[4:]]:  # it asks, and here nobody answers
            ended = installation.command(*words)
            assert ended.returncode == 0, (words, ended.stdout, ended.stderr)


def in_folder(installation: Installation, name: str) -> None:
    """Run the commands of a page that are not all ours, in the folder of the installation; each must end well."""
    for program, *words in handbook.case(name):
        if program == "magento-prima":
            assert installation.command(*words).returncode == 0, words
        else:
            command = [{"python": sys.executable}.get(program, program), *words]
            subprocess.run(command, cwd=installation.folder, check=True, timeout=60)


def test_a_ledger_from_a_backup_posts_nothing_twice_and_tells_what_it_does_not_know(installation: Installation) -> None:
    load(installation, "000000101", SKU)
    installation.holds(an_order("000000100"))
    sync_orders()
    in_folder(installation, "backup")
    load(installation, "000000102", SKU)
    sync_orders()
    before = installation.prima.orders()
    assert len(before) == 3

    in_folder(installation, "restore")
    _, _, listed = solved(installation, "restored")

    assert installation.prima.orders() == before
    assert installation.open_codes() == {"order 000000102": "PRIMA_NUMBER_TAKEN"}
    assert "000000102" in listed
    assert installation.command("evidence", "verify").returncode == 0


def breaks(installation: Installation) -> list[dict[str, Any]]:
    """The breaks that are open, as the command lists them."""
    found: list[dict[str, Any]] = json.loads(installation.command("breaks", "list", "--json").stdout)
    return found
