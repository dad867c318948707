"""Orders that could be posted but must be looked at, and orders that a gift card paid: through both stand-ins."""

import json
import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from flows.exceptions_deciding import refuse_held, release_held
from flows.orders import sync_orders
from flows.release import release_order, withdraw_release
from flows.verification import verify_orders
from sandbox.magento.carts import CartLine
from sandbox.prima.items import Item
from schemas.desk import Which
from tasks.errors import ConfigurationError, NotFoundError, SystemUnavailableError
from tests.flows.shopping import PRICE, buy, by_hand, prima_number, state
from tests.installation import Installation
from tests.recorded import sample_order

CHECKS = """
[orders.actions]
PHONE_MISSING = "hold_in_prima"
TEXT_CUT = "hold"

[childrens_sizes]
size_in = "mtrx2"
pattern = '\\d+-\\d+Y'
"""


def an_order(number: int, **fields: Any) -> dict[str, Any]:
    """Return recorded order 000000019 (3 lines and delivery, £73.43) under another number."""
    order: dict[str, Any] = json.loads(json.dumps(sample_order("000000019"), default=float))
    return {**order, "increment_id": f"{number:09d}", "entity_id": number, **fields}


def payments(order: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the payments that PRIMA was sent with an order: method, sub-method, amount."""
    return [
        (values["PayMethod"], values["SubPayMethod"], values["TranAmount"])
        for name, values in order["sent"]["children"]
        if name == "OrderPaymentData"
    ]


def test_what_a_gift_card_paid_arrives_as_a_payment_and_what_has_no_codes_waits(installation: Installation) -> None:
    by_card, by_points = an_order(901), an_order(902)
    total = by_card["grand_total"]
    for order, name in ((by_card, "gift_cards_amount"), (by_points, "reward_currency_amount")):
        order["extension_attributes"] |= {name: 20, f"base_{name}": 20}
        order |= {"grand_total": round(total - 20, 2), "base_grand_total": round(total - 20, 2)}
    installation.holds(by_card, by_points)

    sync_orders()

    (posted,) = installation.prima.orders()
    assert (posted["gross"], posted["vat"]) == (round(total * 100), round(by_card["tax_amount"] * 100))
    assert payments(posted) == [("CSH", "CHEQUE", f"{total - 20:.2f}"), ("VCH", "GIFT", "20.00")]
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert (note.code, note.order_number) == ("TENDER_UNMAPPED", "000000902")
    assert note.detail == "£20.00 paid by reward points: add [tender.reward_points]"


def test_card_data_of_a_payment_reaches_neither_prima_nor_a_log_nor_a_page_nor_what_stays_as_evidence(
    installation: Installation, capfd: pytest.CaptureFixture[str]
) -> None:
    order = an_order(905)
    secrets = {"cc_last4": "last-7719-digits", "cc_number_enc": "0:3:Zq9x-enc", "cc_owner": "A. Card-Holder"}
    order["payment"] |= {**secrets, "additional_information": ["Visa", "4929-7719-PAN", "tok_9fQ2"]}
    installation.holds(order)

    sync_orders()

    planted = [value.encode() for value in (*secrets.values(), "4929-7719-PAN", "tok_9fQ2")]
    (sent,) = installation.prima.orders()
    with closing(sqlite3.connect(installation.folder / "ledger.db")) as database:
        bodies = [zlib.decompress(row[0]) for row in database.execute("select payload from evidence")]
        personal = database.execute(
            "select kind, content from personal_data join evidence on evidence.id = evidence_id"
        ).fetchall()
    printed = capfd.readouterr()
    pages = [path.read_bytes() for path in (installation.folder / "desk").glob("*")]
    kept = [json.dumps(sent, default=str).encode(), *bodies, *pages]
    kept += [content for kind, content in personal if kind.startswith("prima")]
    for text in [*kept, printed.out.encode(), printed.err.encode()]:
        assert [value for value in planted if value in text] == []
    originals = b"".join(content for kind, content in personal if kind.startswith("magento"))
    assert [value for value in planted if value not in originals] == [], "Magento's own record can be erased"


def test_each_finding_is_held_or_arrives_on_hold_and_is_over_when_it_is_put_right(installation: Installation) -> None:
    installation.add_settings(CHECKS)
    without_phone, too_long = an_order(903), an_order(904)
    without_phone["billing_address"].pop("telephone")
    too_long["billing_address"]["lastname"] = "x" * 40
    installation.holds(without_phone, too_long)
    tees = [Item(f"TEE-RED-{size}", "TEE", "RED", size, available=9, price=PRICE) for size in ("5-6Y", "M")]
    installation.prima.add_items([replace(tees[0], vat_code="Z"), tees[1]])
    grown_up = buy(installation, CartLine("TEE-RED-M", 1, PRICE, name="Tee", vat_class="zero"))

    sync_orders()

    codes = {"order 000000903": "POSTED_ON_HOLD", "order 000000904": "TEXT_CUT"}
    codes[f"order {grown_up['increment_id']}"] = "VAT_ZERO_ON_ADULT_SIZE"
    assert installation.open_codes() == codes
    (posted,) = installation.prima.orders()
    assert (posted["status"], posted["sent"]["Data"]["HoldOrder"]) == ("Held", "Yes")
    assert posted["sent"]["Data"]["HoldOrderNarrative"].startswith("PHONE_MISSING: ")
    assert state(installation, too_long) == state(installation, grown_up) == "held"

    installation.configure(TEXT_CUT='"warn"')
    installation.prima.change_item("TEE-RED-5-6Y", vat_code="S")
    sync_orders()

    assert installation.open_codes() == {"order 000000903": "POSTED_ON_HOLD", "order 000000904": "TEXT_CUT"}
    assert state(installation, too_long) == state(installation, grown_up) == "accepted"
    assert prima_number(grown_up) in installation.prima.order_numbers()


def test_a_second_order_of_the_same_lines_waits_across_runs_until_a_person_releases_it(
    installation: Installation,
) -> None:
    installation.configure(duplicate_minutes="60")
    first, second = an_order(905), an_order(906)
    installation.holds(first)
    sync_orders()
    installation.holds(second, an_order(907), an_order(908))
    sync_orders()

    assert installation.open_codes() == {f"order 00000090{last}": "SUSPECTED_DUPLICATE" for last in (6, 7, 8)}
    assert installation.prima.order_numbers() == ["30000905"]
    assert tables_that_hold(installation, second["customer_email"]) == ["personal_data"]
    with pytest.raises(ConfigurationError, match="nothing that can be released"):
        release_order("000000905", "ada", "asked")
    with pytest.raises(ConfigurationError, match="who releases it and why"):
        release_order("000000906", "ada", " ")

    released = release_order("000000906", "ada", "the customer wants two")

    assert (released.codes, released.counts["posted"]) == (("SUSPECTED_DUPLICATE",), 1)
    assert installation.prima.order_numbers() == ["30000905", "30000906"]
    assert len(installation.open_codes()) == 2
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(state="closed", code="SUSPECTED_DUPLICATE")
        history = [(event.event, event.actor, event.text) for event in ledger.exception_events(note.id)]
    assert ("noted", "ada", "released: the customer wants two") in history

    held = Which(code="SUSPECTED_DUPLICATE")
    preview = release_held(held, "ada", "a school orders for its classes", dry_run=True)
    assert [row.outcome for row in preview.rows] == ["would be done"] * 2
    assert len(installation.prima.order_numbers()) == 2
    together = release_held(held, "ada", "a school orders for its classes")
    assert [(row.outcome, "closed: its cause is gone" in row.text) for row in together.rows] == [("done", True)] * 2
    assert (installation.open_codes(), len(installation.prima.order_numbers())) == ({}, 4)
    with pytest.raises(ConfigurationError, match="closed already"):
        release_held(Which(numbers=[note.id]), "ada", "once more")


def test_a_release_can_be_withdrawn_until_the_order_has_left_and_is_then_refused_with_why(
    installation: Installation,
) -> None:
    installation.configure(duplicate_minutes="60")
    installation.holds(an_order(912), an_order(913))
    sync_orders()
    with pytest.raises(NotFoundError, match="never seen"):
        withdraw_release("000000999", "ada", "a mistake")
    with pytest.raises(ConfigurationError, match="nothing of it was released; it is held"):
        withdraw_release("000000913", "ada", "a mistake")
    installation.prima.faults.add("MultiNewOrder", "status", times=None, status=503)
    with pytest.raises(SystemUnavailableError):
        release_order("000000913", "ada", "the customer wants two")
    assert installation.open_codes() == {}
    installation.prima.faults.clear()

    withdrawn = withdraw_release("000000913", "ben", "the customer wants one after all")
    assert withdrawn.codes == ("SUSPECTED_DUPLICATE",)
    assert installation.open_codes() == {"order 000000913": "SUSPECTED_DUPLICATE"}
    sync_orders()

    assert installation.open_codes() == {"order 000000913": "SUSPECTED_DUPLICATE"}
    assert installation.prima.order_numbers() == ["30000912"]
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions(code="SUSPECTED_DUPLICATE")
        history = [(event.actor, event.text) for event in ledger.exception_events(note.id)]
    assert ("ben", "release withdrawn: the customer wants one after all") in history
    assert "same customer and same lines as order 000000912" in note.detail

    release_order("000000913", "ada", "two after all")
    with pytest.raises(ConfigurationError, match=r"it is accepted, 30000913 in PRIMA.*Cancel it in Magento"):
        withdraw_release("000000913", "ben", "too late")
    assert installation.prima.order_numbers() == ["30000912", "30000913"]


def test_an_order_that_a_person_refused_stays_here_through_every_run_until_it_is_released(
    installation: Installation,
) -> None:
    installation.configure(duplicate_minutes="60")
    installation.holds(*(an_order(number) for number in (914, 915, 916)))
    sync_orders()
    held = Which(code="SUSPECTED_DUPLICATE")
    preview = refuse_held(held, "ada", "ordered twice", dry_run=True)
    assert [row.outcome for row in preview.rows] == ["would be done"] * 2
    assert set(installation.open_codes().values()) == {"SUSPECTED_DUPLICATE"}

    words = ("exceptions", "refuse-held", "--code", "SUSPECTED_DUPLICATE", "--by", "ada", "--because", "ordered twice")
    refused = installation.command(*words, "--run")

    assert (refused.returncode, refused.stdout.count("REFUSED_BY_HAND says so from now on")) == (0, 2), refused.stderr
    assert installation.open_codes() == {f"order 00000091{last}": "REFUSED_BY_HAND" for last in (5, 6)}
    with installation.ledger() as ledger:
        note, _ = ledger.exceptions(code="REFUSED_BY_HAND")
        (before,) = ledger.exceptions(state="closed", order_number=note.order_number)
        history = [(event.actor, event.text) for event in ledger.exception_events(before.id)]
    assert (note.detail, note.value_at_risk_pence) == (
        "refused by ada: ordered twice",
        round(an_order(915)["grand_total"] * 100),
    )
    assert ("ada", "refused: ordered twice") in history
    installation.configure(duplicate_minutes="0")  # what held them is gone, and they stay refused all the same
    sync_orders()
    assert installation.prima.order_numbers() == ["30000914"]
    with pytest.raises(ConfigurationError, match="refused already"):
        refuse_held(Which(numbers=[note.id]), "ben", "once more")

    release_order("000000915", "ben", "the customer wants two")
    with by_hand(installation) as magento:
        magento.cancel(916)
    sync_orders()

    assert installation.prima.order_numbers() == ["30000914", "30000915"]
    assert installation.open_codes() == {"order 000000916": "ORDER_CANCELLED"}


def test_a_duplicate_goes_on_by_itself_when_the_other_order_is_cancelled(installation: Installation) -> None:
    installation.configure(duplicate_minutes="60")
    first, second = an_order(907), an_order(908)
    installation.holds(first, second)
    sync_orders()
    assert installation.open_codes() == {"order 000000908": "SUSPECTED_DUPLICATE"}

    with installation.ledger() as ledger:
        ledger.set_order_state("000000907", "cancelled")
    sync_orders()

    assert installation.open_codes() == {}
    assert state(installation, second) == "accepted"


def test_a_line_below_zero_arrives_with_a_rounding_line_and_is_verified(installation: Installation) -> None:
    order = an_order(909)
    line = order["items"][0]
    free = {
        **line,
        "item_id": 90900,
        "sku": "GIVEAWAY",
        "price": 0.99,
        "discount_amount": 1.19,
        "product_type": "simple",
    }
    free |= {"row_total_incl_tax": 0, "tax_amount": 0, "qty_ordered": 1, "row_total": 0}
    free.pop("parent_item_id", None)
    order["items"].append(free)
    order |= {
        "subtotal": round(order["subtotal"] + 0.99, 2),
        "discount_amount": round(order.get("discount_amount", 0) - 1.19, 2),
        "grand_total": round(order["grand_total"] - 0.20, 2),
    }
    installation.holds(order)

    sync_orders()
    verify_orders()

    (posted,) = installation.prima.orders()
    assert (posted["lines"][-1]["product"], posted["lines"][-1]["gross"]) == ("ROUNDING", -20)
    assert posted["gross"] == round(order["grand_total"] * 100)
    assert installation.open_codes() == {}
    with installation.ledger() as ledger:
        (found,) = ledger.orders(["000000909"])
    assert found.verified_at is not None


def tables_that_hold(installation: Installation, text: str) -> list[str]:
    """The ledger's tables with a row in which the text stands."""
    with closing(sqlite3.connect(installation.folder / "ledger.db")) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return [name for name in tables if any(text in str(row) for row in database.execute(f'select * from "{name}"'))]
