"""Settlement files of payment providers: read by their column maps, refused by name, tied to order and PRIMA."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import pounds_text
from schemas.settlements import Settlement, SettlementFormat
from tasks.reconcile.findings import is_read_anew
from tasks.reconcile.money_findings import MONEY_CODES, money_notes, money_settled
from tasks.reconcile.payment_inputs import MoneySide
from tasks.reconcile.staging import Problem
from tasks.settings.payments import PaymentSettings, ProviderSettings
from tasks.systems.ledger import ExceptionRecord
from tasks.systems.settlements import FileRefusedError, RefusedFile, read_file, read_folder
from tests.unit.reconcile_cases import NOON, READ_AT, Case

ORDER = "000000101"
STRIPE = ProviderSettings(preset="stripe", order_reference="payment_metadata[order]", methods=["stripe_payments"]).form(
    "stripe"
)
PAYPAL = ProviderSettings(preset="paypal", date_format="%d/%m/%Y").form("paypal")
ADYEN = ProviderSettings(preset="adyen").form("adyen")
KLARNA = ProviderSettings(preset="klarna", unit="major").form("klarna")
STRIPE_HEADER = "balance_transaction_id,created_utc,reporting_category,currency,gross,fee,net,payment_metadata[order]"
# Every name, number and amount here is invented.
FILES = {
    "stripe": (
        STRIPE,
        f"""{STRIPE_HEADER}
txn_1,2026-11-22 23:30:00,charge,gbp,63.92,1.16,62.76,{ORDER}
txn_2,2026-11-24 09:00:00,refund,gbp,-19.99,0.00,-19.99,{ORDER}
txn_3,2026-11-24 10:00:00,dispute,gbp,-10.00,20.00,-30.00,{ORDER}
txn_4,2026-11-25 01:00:00,payout,gbp,-12.77,0.00,-12.77,
""",
    ),
    "paypal": (
        PAYPAL,
        f""""Date","Time","Type","Status","Currency","Gross","Fee","Net","Transaction ID","Invoice Number","Name"
"22/11/2026","10:00:00","Express Checkout Payment","Completed","GBP","1,063.92","-1.50","1,062.42","A1","{ORDER}","N"
"22/11/2026","10:00:00","Express Checkout Payment","Pending","GBP","5.00","0.00","5.00","A2","{ORDER}","N"
"23/11/2026","10:00:00","Payment Refund","Completed","GBP","-19.99","0.30","-19.69","A3","{ORDER}","N"
""",
    ),
    "adyen": (
        ADYEN,
        "Psp Reference,Merchant Reference,Creation Date,Type,Modification Reference,Gross Currency,Gross Debit (GC),"
        "Gross Credit (GC),Net Currency,Net Debit (NC),Net Credit (NC),Batch Number\n"
        f"P1,{ORDER},2026-11-22 12:00:00,Settled,M1,GBP,,63.92,GBP,,63.12,7\n"
        f"P1,{ORDER},2026-11-23 12:00:00,Refunded,M2,GBP,19.99,,GBP,20.09,,7\n"
        ",,2026-11-23 23:59:59,Fee,F1,GBP,,,GBP,5.00,,7\n",
    ),
    "klarna": (
        KLARNA,
        "type,capture_id,refund_id,order_id,merchant_reference1,sale_date,currency_code,amount,payment_reference\n"
        f"SALE,c1,,o1,{ORDER},2026-11-22T23:30:00Z,GBP,63.92,PR1\n"
        f"RETURN,,r1,o1,{ORDER},2026-11-23T12:00:00Z,GBP,19.99,PR1\n"
        f"FEE,c1,,o1,{ORDER},2026-11-22T12:00:00Z,GBP,2.19,PR1\n",
    ),
}
EXPECTED = {
    "stripe": [("payment", 6392, 116), ("refund", -1999, 0), ("chargeback", -1000, 2000), ("payout", -1277, 0)],
    "paypal": [("payment", 106392, 150), ("refund", -1999, -30)],
    "adyen": [("payment", 6392, 80), ("refund", -1999, 10), ("fee", -500, 0)],
    "klarna": [("payment", 6392, 0), ("refund", -1999, 0), ("fee", -219, 0)],
}


def read(provider: str) -> list[Settlement]:
    form, text = FILES[provider]
    return read_file(f"{provider}/november.csv", text.encode(), form)


@pytest.mark.parametrize("provider", FILES)
def test_a_file_of_each_provider_becomes_rows_that_add_up(provider: str) -> None:
    rows = read(provider)
    assert [(row.kind, row.gross_pence, row.fee_pence) for row in rows] == EXPECTED[provider]
    assert all(row.gross_pence - row.fee_pence == row.net_pence for row in rows)
    assert {row.order_reference for row in rows} <= {ORDER, ""}


def test_days_are_londons_whatever_zone_the_file_is_in() -> None:
    assert read("stripe")[0].business_date == date(2026, 11, 22)
    summer = FILES["stripe"][1].replace("2026-11-22 23:30:00", "2026-07-22 23:30:00")
    assert read_file("x", summer.encode(), STRIPE)[0].business_date == date(2026, 7, 23)
    assert read("paypal")[0].business_date == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("gross", "Gross amount"), r"its header lacks gross; expected balance_transaction_id.*; found .*Gross amount"),
        (("63.92,1.16", "63.92,1.17"), r"line 2: gross 6392, fee 117 and net 6276 pence do not add up"),
        (("63.92", "63.925"), r"line 2: .*63.925 is not a whole number of pence"),
        (("63.92", "many"), "line 2: many is no amount"),
        (("-19.99,0.00,-19.99", "19.99,0.00,19.99"), "line 3: a refund .* has the wrong sign"),
        (("2026-11-24 09:00:00", "24/11/2026"), "line 3: 24/11/2026 is no date of the form"),
        (("gbp,63.92", "jpy,63.92"), "line 2: jpy is no currency of hundredths"),
        ((f",{ORDER}\ntxn_2", "\ntxn_2"), "line 2: 7 cells, expected 8"),
    ],
)
def test_a_file_that_does_not_fit_its_map_is_refused_with_line_and_reason(change: tuple[str, str], why: str) -> None:
    text = FILES["stripe"][1].replace(*change, 1)
    with pytest.raises(FileRefusedError, match=why):
        read_file("stripe/november.csv", text.encode(), STRIPE)


def test_another_currency_of_the_settlement_is_not_converted() -> None:
    text = FILES["adyen"][1].replace("GBP,,63.12", "EUR,,73.12")
    with pytest.raises(FileRefusedError, match="paid in GBP and settled in EUR"):
        read_file("adyen/a.csv", text.encode(), ADYEN)


def test_one_refused_file_leaves_the_others_and_overlapping_files_count_once(tmp_path: Path) -> None:
    for name in ("stripe", "adyen"):
        (tmp_path / name).mkdir()
    (tmp_path / "stripe" / "a.csv").write_text(FILES["stripe"][1])
    (tmp_path / "stripe" / "b.csv").write_text(
        FILES["stripe"][1] + f"txn_9,2026-11-25 09:00:00,charge,gbp,1,0,1,{ORDER}\n"
    )
    (tmp_path / "adyen" / "a.csv").write_text(FILES["stripe"][1])
    rows, refused = read_folder(tmp_path, [STRIPE, ADYEN, KLARNA])
    assert [row.reference for row in rows] == ["txn_1", "txn_2", "txn_3", "txn_4", "txn_9"]
    assert [each.name for each in refused] == ["adyen/a.csv", "klarna"]
    assert "expected Modification Reference, Psp Reference" in refused[0].why


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**6))
def test_no_penny_is_lost_between_file_and_row(gross: int, fee: int) -> None:
    amounts = ",".join(pounds_text(pence) for pence in (gross, fee, gross - fee))
    text = f"{STRIPE_HEADER}\nt,2026-11-22 10:00:00,adjustment,GBP,{amounts},{ORDER}\n"
    (row,) = read_file("f", text.encode(), STRIPE)
    assert (row.kind, row.gross_pence, row.fee_pence, row.net_pence) == ("other", gross, fee, gross - fee)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"preset": "stripe"}, "order_reference must be set for stripe"),
        ({"preset": "paypal"}, "date_format must be set for paypal"),
        ({"preset": "klarna"}, "unit must be set for klarna"),
        ({"order_reference": "o", "gross": "g"}, "reference, kind, kinds, date, currency must be set"),
        ({"preset": "adyen", "zone": "Mars/North"}, "no time zone"),
    ],
)
def test_a_map_that_leaves_something_open_says_what_is_missing(settings: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        ProviderSettings.model_validate(settings)


def test_a_map_of_its_own_reads_a_provider_that_has_no_preset() -> None:
    own = ProviderSettings(
        reference=["id"], order_reference="order", kind="k", kinds={"in": "payment"}, date="d", currency="c",
        gross="g", delimiter=";", decimal_comma=True,
    ).form("own")  # fmt: skip
    (row,) = read_file("own/a.csv", f"id;order;k;d;c;g\n1;{ORDER};in;2026-11-22;EUR;1.063,92\n".encode(), own)
    assert (row.gross_pence, row.currency) == (106392, "EUR")
    with pytest.raises(ValueError, match="settled by one provider"):
        PaymentSettings.model_validate(
            {"providers": {name: {"preset": "adyen", "methods": ["card"]} for name in ("one", "two")}}
        )


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "warehouse")


def sold(case: Case, number: int, *, at: Any = NOON, **order: Any) -> str:
    order_number = case.magento(number, placed_at=at, **order)
    case.prima(number, ordered_at=at)
    case.magento_invoice(f"M{number}", number, at=at)
    case.prima_invoice(f"P{number}", number, at=at)
    return order_number


def settled(line: int, order: str, kind: Any, gross: int, fee: int = 0) -> Settlement:
    day = NOON.date()
    return Settlement("stripe", "a.csv", line, f"t{line}", order, kind, kind, day, "GBP", gross, fee, gross - fee)


def test_order_prima_and_money_stand_side_by_side_with_what_is_wrong(case: Case) -> None:
    numbers = {each: sold(case, 101 + position) for position, each in enumerate(
        ("agrees", "never paid", "paid less", "refunded", "refund not paid", "refund unknown", "charged back")
    )}  # fmt: skip
    numbers["young"] = sold(case, 120, at=READ_AT - timedelta(days=2))
    numbers["not in PRIMA"] = case.magento(122)
    case.magento_invoice("M122", 122)
    numbers["by cheque"] = sold(case, 121, payment_method="checkmo")
    case.run = replace(case.run, to_date=READ_AT.date())
    whole = 5997 + 395
    for name in ("refunded", "refund not paid"):
        case.magento_refund(f"R-{name}", int(numbers[name]), ("20", 1999, 333, 1))
        case.prima_refund(f"C-{name}", int(numbers[name]), 1999, 333)
    paid = [name for name in numbers if name not in ("never paid", "young", "by cheque", "paid less")]
    told: list[tuple[str, str, int, int]] = [(numbers[name], "payment", whole, 116) for name in paid]
    told += [
        (numbers["paid less"], "payment", whole - 1, 0),
        (numbers["refunded"], "refund", -1999, 0),
        (numbers["refund unknown"], "refund", -500, 0),
        (numbers["charged back"], "chargeback", -whole, 2000),
        ("000009999", "payment", 100, 0),
        ("", "fee", -300, 0),
    ]
    rows = [settled(line, *each) for line, each in enumerate(told, start=2)]
    case.money = MoneySide(rows, [RefusedFile("adyen/a.csv", "its header lacks Type")], [STRIPE], lag_days=2)
    found = case.result()
    ties = {row["order_key"]: row for row in case.rows("select * from payment_ties")}
    assert {name: ties[number]["status"] for name, number in numbers.items()} == {
        "agrees": "MATCHED",
        "never paid": "NOT_SETTLED",
        "paid less": "PAID_DIFFERENTLY",
        "refunded": "MATCHED",
        "refund not paid": "REFUND_NOT_PAID",
        "refund unknown": "REFUND_NOT_RECORDED",
        "charged back": "CHARGEBACK",
        "young": "AWAITING_SETTLEMENT",
        "not in PRIMA": "NOT_IN_PRIMA",
        "by cheque": "NOT_BY_PROVIDER",
    }
    assert [name for name, number in numbers.items() if ties[number]["is_three_way"]] == [
        "agrees",
        "refunded",
        "charged back",
    ]
    assert (ties[numbers["paid less"]]["paid_variance_pence"], ties[numbers["agrees"]]["fee_pence"]) == (-1, 116)
    totals = case.rows("select tie, sum(gross_pence)::bigint as gross from settlement_totals group by tie order by tie")
    assert sum(row["gross"] for row in totals) == sum(row.gross_pence for row in rows)
    assert {row["tie"]: row["gross"] for row in totals if row["tie"] != "order"} == {
        "order not read": 100,
        "no order": -300,
    }
    assert [row["subject"] for row in found.not_reconciled] == ["payments adyen/a.csv"]
    assert is_read_anew("payments adyen/a.csv")
    notes = {(note.order_number, note.code): note.value_at_risk_pence for note in money_notes(found.payment_ties)}
    assert notes == {
        (numbers["never paid"], "RECON_PAYMENT_MISSING"): whole,
        (numbers["paid less"], "RECON_PAYMENT_DIFFERS"): 1,
        (numbers["refund not paid"], "RECON_REFUND_NOT_PAID"): 1999,
        (numbers["refund unknown"], "RECON_REFUND_NOT_RECORDED"): 500,
        (numbers["charged back"], "RECON_PAYMENT_CHARGED_BACK"): whole,
        (numbers["not in PRIMA"], "RECON_PAYMENT_NOT_IN_PRIMA"): whole,
    }
    assert {code for _, code in notes} == set(MONEY_CODES)


def open_about(order_number: str, code: str) -> ExceptionRecord:
    at = NOON
    return ExceptionRecord(
        1, code, f"payment of order {order_number}", "open", "", order_number, "", 100, "GBP", (), 1, "b",
        at, at, None, "", None, "", "finance", "problem", "", "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "is_gone"),
    [
        ({}, False),
        ({ORDER: ["NOT_SETTLED"]}, False),
        ({ORDER: ["MATCHED", "NOT_SETTLED"]}, False),
        ({ORDER: ["NOT_RECONCILED"]}, False),
        ({ORDER: ["MATCHED"]}, True),
        ({ORDER: ["PAID_DIFFERENTLY"]}, True),
        ({"000000102": ["MATCHED"]}, False),
    ],
)
def test_an_exception_about_money_closes_when_its_order_was_looked_at_and_says_something_else(
    seen: dict[str, list[str]], is_gone: bool
) -> None:
    gone = money_settled([open_about(ORDER, "RECON_PAYMENT_MISSING")], seen)
    assert gone == ([("RECON_PAYMENT_MISSING", f"payment of order {ORDER}")] if is_gone else [])


@pytest.mark.parametrize("unread", ["a file of the provider", "PRIMA's invoices"])
def test_money_that_may_stand_in_what_could_not_be_read_is_not_said_to_be_missing(case: Case, unread: str) -> None:
    never_paid = sold(case, 101)
    refused = [RefusedFile("stripe/b.csv", "its header lacks gross")] if unread == "a file of the provider" else []
    case.unread = [] if refused else [Problem("PRIMA invoices", "no such column", "invoices")]
    case.run = replace(case.run, to_date=READ_AT.date())
    case.money = MoneySide((), refused, [STRIPE], 2, {never_paid})
    found = case.result()
    assert found.money_seen == {never_paid: ["NOT_RECONCILED"]}
    assert money_notes(found.payment_ties) == []


def test_without_settlement_files_nothing_is_said_about_money(case: Case) -> None:
    sold(case, 101)
    found = case.result()
    assert (found.payment_ties, found.settlement_totals, found.is_agreed) == ([], [], True)


def test_the_formats_name_every_column_once() -> None:
    forms: list[SettlementFormat] = [form for form, _ in FILES.values()]
    assert all(len(form.columns) == len(set(form.columns)) for form in forms)
