"""The reconciliation flow against both stand-ins: orders go to PRIMA, the warehouse works, finance looks."""

import json
import shlex
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect.client.orchestration import get_client
from typer.testing import CliRunner

from flows.break_decision import decide_break, decide_tolerance
from flows.cli import app
from flows.orders import sync_orders
from flows.reconciliation import ReconciliationSummary, reconcile
from sandbox.installation import write_installation
from sandbox.magento import MagentoStandIn
from sandbox.magento.baskets import Algorithm, Cart, CartLine, Customer, PostalAddress, TaxSettings
from sandbox.prima import Item, PrimaStandIn
from schemas.documents import ShipmentLine
from schemas.reconciliation import MARTS, STATUSES
from tasks import connect
from tasks.errors import ConfigurationError
from tasks.reconcile.period import LONDON
from tasks.settings import Settings
from tasks.systems.ledger import Ledger, LedgerStateError
from tests.analyst import Analyst, published

RECORDINGS = Path(__file__).parent.parent / "recordings"
RECORDED_ON = date(2026, 11, 23)
# Discounts, Northern Ireland, Ireland, euros, configurables; and 14 is on hold, 6 cancelled.
CHOSEN = (3, 6, 12, 14, 34, 48, 54, 57, 65, 106, 114)
PRIMA_NUMBER = "30000048"


@dataclass
class Sandbox:
    """Both stand-ins, the ledger, and the folder with what the product writes."""

    magento: MagentoStandIn
    prima: PrimaStandIn
    ledger: Ledger
    folder: Path

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query on the published file, as an analyst opens it."""
        with duckdb.connect(str(self.folder / "warehouse" / "reconciliation.duckdb"), read_only=True) as connection:
            result = connection.execute(sql)
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, values, strict=True)) for values in result.fetchall()]


def recorded_orders() -> list[dict[str, Any]]:
    text = (RECORDINGS / "orders" / "sample-orders.json").read_text(encoding="utf-8")
    return [entry["order"] for entry in json.loads(text)["orders"] if entry["order"]["entity_id"] in CHOSEN]


def recorded_documents(kind: str) -> list[dict[str, Any]]:
    text = (RECORDINGS / "fulfilment" / f"sample-{kind}.json").read_text(encoding="utf-8")
    return [record for record in json.loads(text)[kind] if record["order_id"] in CHOSEN]


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    orders = recorded_orders()
    with MagentoStandIn(tmp_path) as magento, PrimaStandIn(tmp_path) as prima:
        magento.load_orders(orders)
        magento.load_documents("invoice", recorded_documents("invoices"))
        magento.load_documents("creditmemo", recorded_documents("creditmemos"))
        prima.items_from_orders(orders)
        write_installation(tmp_path, {"magento_url": magento.url}, magento.secrets)
        addresses = {
            "wsdl_url": prima.wsdl_url,
            "not_found_text": prima.not_found_text,
            "reporting_url": prima.reporting_url,
        }
        write_installation(tmp_path, addresses)
        for line in (tmp_path / "env").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, shlex.split(value)[0])
        # Nothing is excused for being young.
        with (tmp_path / "config.toml").open("a", encoding="utf-8") as config:
            config.write("\n[reconciliation]\nlag_hours = 0\n")
        with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
            ledger.migrate()
            yield Sandbox(magento, prima, ledger, tmp_path)


def run() -> ReconciliationSummary:
    """Reconcile from the day of the recorded orders to today, when PRIMA took them."""
    return reconcile(from_date=RECORDED_ON, to_date=today())


def today() -> date:
    return datetime.now(UTC).astimezone(LONDON).date()


def place_order_of_three(sandbox: Sandbox) -> dict[str, Any]:
    """Place 3 x 19.99 where VAT is rounded by the unit: 3 x 3.33 = 9.99, and 10.00 on the sum."""
    return place_order(sandbox, "THREE-1", 3, Decimal("19.99"))


def place_order(sandbox: Sandbox, sku: str, quantity: int, price: Decimal) -> dict[str, Any]:
    """Place units of one item at 20 % VAT, rounded by the unit, delivered for nothing."""
    sandbox.magento.add_product(sku, price=price)
    sandbox.prima.add_items([Item(sku, sku.replace("-", ""), available=100, price=price)])
    cart = Cart(
        lines=(CartLine(sku, quantity, price, name="Scarf"),),
        customer=Customer("Ada", "Invented", "ada@example.test"),
        address=PostalAddress("Ada", "Invented", ("1 Nowhere Row",), "Leeds", "LS1 1AA"),
        settings=TaxSettings(algorithm=Algorithm.UNIT_BASE),
        shipping_method="freeshipping_freeshipping",
        shipping_price=Decimal(0),
    )
    return sandbox.magento.place_order(cart)


def in_prima(sandbox: Sandbox, sql: str) -> None:
    """Change PRIMA's own tables, as somebody with its screens would."""
    with sqlite3.connect(sandbox.folder / "prima.db") as database:
        database.execute(sql)


def open_codes(sandbox: Sandbox) -> set[tuple[str, str]]:
    return {(row.code, row.subject) for row in sandbox.ledger.exceptions() if row.code.startswith("RECON_")}


def test_orders_that_arrived_agree_to_the_penny_and_held_ones_are_named(sandbox: Sandbox) -> None:
    sync_orders()
    summary = run()
    rows = sandbox.rows("select order_number, status, reason from order_variances where level = 'orders'")
    by_status = {status: {row["order_number"] for row in rows if row["status"] == status} for status in STATUSES}
    assert by_status["EXCLUDED"] == {"000000006", "000000014"}
    assert len(by_status["MATCHED"]) == len(CHOSEN) - 2
    assert {row["reason"] for row in rows if row["status"] == "EXCLUDED"} == {"ORDER_CANCELLED", "ORDER_ON_HOLD"}
    # Nobody dispatched anything yet, so PRIMA has no invoice; Magento's refunds have no credit note.
    assert {row["status"] for row in sandbox.rows("select status from order_variances where level = 'invoices'")} == {
        "TIMING"
    }
    assert summary.break_count == len({memo["order_id"] for memo in recorded_documents("creditmemos")})
    assert open_codes(sandbox) == {
        ("RECON_MISSING_IN_PRIMA", f"refunds of order {number}") for number in ("000000034", "4000000002", "000000093")
    }


def test_when_prima_recalculates_on_the_total_each_order_that_differs_is_named_and_sums_are_right_by_rate(
    sandbox: Sandbox,
) -> None:
    # 3 x 19.99 is 9.99 by the unit and 10.00 on the sum; 7 x 1.01 is 1.19 and 1.18; 5 x 12.00 is 10.00 both ways.
    placed = [
        place_order_of_three(sandbox),
        place_order(sandbox, "SEVEN-1", 7, Decimal("1.01")),
        place_order(sandbox, "FIVE-1", 5, Decimal("12.00")),
    ]
    assert [str(order["tax_amount"]) for order in placed] == ["9.99", "1.19", "10"]
    sync_orders()
    sandbox.prima.vat_habit = "recalculated"
    with connect.open_magento(Settings.from_env()) as magento:
        for order in placed:
            magento.invoice(order["entity_id"])
            sandbox.prima.dispatch(f"30{order['entity_id']:06d}")
    reconcile(business_date=today())
    rows = sandbox.rows("select * from breaks where level = 'invoices' order by order_number")
    three, seven, five = (order["increment_id"] for order in placed)
    assert {row["order_number"]: (row["magento_vat_pence"], row["prima_vat_pence"]) for row in rows} == {
        three: (999, 1000),
        seven: (119, 118),
    }
    assert {(row["status"], row["cause"], row["owner"]) for row in rows} == {
        ("VAT_VARIANCE", "VAT_RECALCULATED_ON_ORDER_TOTAL", "finance")
    }
    assert len(rows[0]["magento_sha256"]) == len(rows[0]["prima_sha256"]) == 64
    (rate,) = sandbox.rows("select * from vat_by_rate where level = 'invoices' and currency = 'GBP'")
    assert (str(rate["vat_rate_percent"]), rate["magento_vat_pence"], rate["prima_vat_pence"]) == ("20.00", 2118, 2118)
    (totals,) = sandbox.rows("select * from control_totals where level = 'invoices' and currency = 'GBP'")
    assert (totals["vat_variance_pence"], totals["explained_vat_variance_pence"]) == (0, 0)
    # The orders themselves were posted with their VAT locked.
    own = sandbox.rows(f"select status from order_variances where level = 'orders' and order_number >= '{three}'")
    assert {row["status"] for row in own} == {"MATCHED"}
    assert sandbox.rows("select order_key from dispatch_variances where order_key = '" + five + "'") == [
        {"order_key": five}
    ]


def test_refunds_and_credit_notes_of_the_same_goods_agree(sandbox: Sandbox) -> None:
    order = place_order_of_three(sandbox)
    sync_orders()
    number = f"30{order['entity_id']:06d}"
    sandbox.prima.dispatch(number)
    with connect.open_magento(Settings.from_env()) as magento:
        magento.invoice(order["entity_id"])
        magento.refund(order["entity_id"], [ShipmentLine(order["items"][0]["item_id"], 3)], delivery=Decimal(0))
    sandbox.prima.credit(number)
    reconcile(business_date=today())
    rows = sandbox.rows(
        "select level, status, magento_vat_pence from order_variances"
        f" where order_number = '{order['increment_id']}' order by level"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("invoices", "MATCHED", 999),
        ("orders", "MATCHED", 999),
        ("refunds", "MATCHED", 999),
    ]

    # A document that Magento does not hand out stops nothing, and is no break: what hangs on it is not compared.
    (memo,) = sandbox.magento.creditmemos(order["increment_id"])
    sandbox.magento.faults.add("GET /V1/creditmemo*", "unreadable_document", entity_id=memo["entity_id"], times=None)
    number = order["increment_id"]
    levels = (
        f"select level from order_variances where order_number = '{number}' and status <> 'EXCLUDED' order by level"
    )
    said = {f"reconciliation: Magento credit memo entity {memo['entity_id']}"}
    for compared in (["invoices", "orders"], []):
        reconcile(business_date=today())
        assert [row["level"] for row in sandbox.rows(levels)] == compared
        assert open_codes(sandbox) == {("RECON_INPUT_REJECTED", subject) for subject in said}
        sandbox.magento.faults.add("GET /V1/orders*", "unreadable_order", entity_id=order["entity_id"], times=None)
        about = f"reconciliation: Magento order entity {order['entity_id']}"
        said |= {f"{about}: {level}" for level in ("orders", "invoices", "refunds")}


def test_a_break_becomes_an_exception_and_closes_when_it_is_put_right_while_analysts_see_only_whole_nights(
    sandbox: Sandbox,
) -> None:
    sync_orders()
    file = sandbox.folder / "warehouse" / "reconciliation.duckdb"
    run()
    nights = [published(file)]
    with Analyst(file, sandbox.folder, "again") as looping, Analyst(file, sandbox.folder, "once") as staying:
        seen, kept = [looping.new_answer()], staying.new_answer()
        change = (
            "update stand_in_orders set vat = vat {} 12, net = net {} 12 where order_number = '" + PRIMA_NUMBER + "'"
        )
        in_prima(sandbox, change.format("+", "-"))
        run()
        assert ("RECON_VAT_VARIANCE", "order 000000048") in open_codes(sandbox)
        (record,) = sandbox.ledger.exceptions(code="RECON_VAT_VARIANCE")
        assert (record.value_at_risk_pence, record.owner) == (12, "finance")
        assert "UNEXPLAINED" in record.detail
        nights.append(published(file))
        seen.append(looping.new_answer())
        in_prima(sandbox, change.format("-", "+"))
        run()
        assert ("RECON_VAT_VARIANCE", "order 000000048") not in open_codes(sandbox)
        nights.append(published(file))
        seen += [looping.new_answer(), *looping.stop()]
        # every table of every answer is of the run that the answer names; an open connection stays with its night
        assert seen == nights
        assert [kept, *staying.stop()] == nights[:1]
        assert len({night["run_id"] for night in nights}) == 3


def test_a_break_of_an_order_that_magento_hands_out_no_more_stops_no_night(sandbox: Sandbox) -> None:
    sync_orders()
    in_prima(
        sandbox, f"update stand_in_orders set vat = vat + 12, net = net - 12 where order_number = '{PRIMA_NUMBER}'"
    )
    run()
    assert ("RECON_VAT_VARIANCE", "order 000000048") in open_codes(sandbox)

    sandbox.magento.faults.add("GET /V1/orders*", "unreadable_order", increment_id="000000048", times=None)
    run()
    about = "reconciliation: Magento order entity 48"
    told = {("RECON_INPUT_REJECTED", f"{about}: {level}") for level in ("orders", "invoices", "refunds")}
    assert told <= open_codes(sandbox)


def test_an_order_that_prima_lost_is_missing_and_one_that_magento_never_had_is_too(sandbox: Sandbox) -> None:
    sync_orders()
    in_prima(sandbox, f"update stand_in_orders set order_number = '30999999' where order_number = '{PRIMA_NUMBER}'")
    in_prima(
        sandbox, f"update stand_in_order_lines set order_number = '30999999' where order_number = '{PRIMA_NUMBER}'"
    )
    run()
    assert {
        ("RECON_MISSING_IN_PRIMA", "order 000000048"),
        ("RECON_MISSING_IN_MAGENTO", "PRIMA order 30999999"),
    } <= open_codes(sandbox)
    assert "order 000000014" not in {subject for _, subject in open_codes(sandbox)}


def test_without_a_reporting_source_the_run_says_that_totals_are_unproven(sandbox: Sandbox) -> None:
    sync_orders()
    in_prima(sandbox, f"delete from stand_in_orders where order_number = '{PRIMA_NUMBER}'")
    config = sandbox.folder / "config.toml"
    config.write_text(config.read_text().replace(f'url = "{sandbox.prima.reporting_url}"', 'url = ""'))
    summary = run()
    assert "unproven" in summary.headline
    assert "1 order not in PRIMA" in summary.headline
    rows = sandbox.rows("select level, status from order_variances where order_number = '000000048'")
    assert rows == [{"level": "orders", "status": "MISSING_IN_PRIMA"}]
    assert sandbox.rows("select distinct level from order_variances") == [{"level": "orders"}]
    assert "PRIMA has no reporting source" in Path(summary.page).read_text(encoding="utf-8")


def test_page_parquet_and_artifacts_are_there_and_none_names_a_customer(sandbox: Sandbox) -> None:
    sync_orders()
    summary = run()
    run_date = today().isoformat()
    parquet = sandbox.folder / "warehouse" / "parquet" / run_date
    assert {path.stem for path in parquet.iterdir()} == set(MARTS)
    with duckdb.connect() as connection:
        (count,) = connection.execute(f"select count(*) from '{parquet}/order_variances.parquet'").fetchall()[0]
    assert count == sandbox.rows("select count(*) as rows from order_variances")[0]["rows"]
    with get_client(sync_client=True) as client:
        artifacts = {artifact.key: str(artifact.data) for artifact in client.read_latest_artifacts()}
    assert summary.headline in artifacts["reconciliation"]
    assert "refunds" in artifacts["reconciliation-breaks"]
    page = Path(summary.page).read_text(encoding="utf-8")
    shown = "\n".join(
        [page, *artifacts.values(), *(str(row) for table in MARTS for row in sandbox.rows(f"from {table}"))]
    )
    for order in recorded_orders():
        address = order["billing_address"]
        for value in (order["customer_email"], address["lastname"], address["postcode"], *address["street"]):
            assert value not in shown


def test_an_extract_that_breaks_its_contract_leaves_only_its_documents_out_until_it_is_mended(sandbox: Sandbox) -> None:
    sync_orders()
    views = sqlite3.connect(sandbox.folder / "prima.db")
    (made,) = views.execute("select sql from sqlite_master where name = 'credit_notes'").fetchall()[0]
    in_prima(sandbox, "drop view credit_notes")
    in_prima(sandbox, "create view credit_notes as select 'C1' as credit_note_number, 'twelve' as gross_amount")
    summary = run()
    assert "1 record or part was not reconciled" in summary.headline
    (part,) = sandbox.rows("select * from not_reconciled")
    assert (part["subject"], part["level"]) == ("PRIMA credit_notes", "refunds")
    assert {row["level"] for row in sandbox.rows("select level from control_totals")} == {"orders", "invoices"}
    assert ("RECON_INPUT_REJECTED", "reconciliation: PRIMA credit_notes") in open_codes(sandbox)
    in_prima(sandbox, "drop view credit_notes")
    in_prima(sandbox, made)
    assert run().break_count == 3
    assert {code for code, _ in open_codes(sandbox)} == {"RECON_MISSING_IN_PRIMA"}


def test_finance_accepts_a_break_and_sets_a_tolerance_from_the_command_line(sandbox: Sandbox) -> None:
    sync_orders()
    run()
    command = CliRunner()
    listed = command.invoke(app, ["breaks", "list", "--json"])
    found = json.loads(listed.stdout)
    assert [row["level"] for row in found] == ["refunds"] * 3
    assert {row["owner"] for row in found} == {"finance"}
    number = str(found[0]["break_id"])
    for arguments in (
        ["breaks", "assign", number, "Sam", "--by", "kim"],
        ["breaks", "comment", number, "asked the till", "--by", "sam", "--reason", "TILL"],
        ["breaks", "accept", number, "--because", "credited by hand in PRIMA 2", "--by", "kim"],
        ["tolerance", "set", "--order-pence", "1", "--method", "ROUNDING_METHOD", "--by", "kim", "--because", "board"],
    ):
        result = command.invoke(app, arguments)
        assert result.exit_code == 0, result.output
    assert decide_break(found[1]["break_id"], "comment", "waits for the carrier", "sam").sentence.endswith("carrier")
    with pytest.raises(ConfigurationError, match="name and a reason"):
        decide_break(found[1]["break_id"], "journal", " ", "sam")
    with pytest.raises(ConfigurationError, match="no such cause"):
        decide_tolerance("kim", "board", order_pence=1, methods=["ROUNDING"])
    refused = command.invoke(app, ["breaks", "journal", number, "JNL-1", "--by", "kim"])
    assert isinstance(refused.exception, LedgerStateError)
    assert len(open_codes(sandbox)) == 2
    dates = ["--from", RECORDED_ON.isoformat(), "--to", today().isoformat()]
    summary = json.loads(command.invoke(app, ["reconcile", *dates, "--json"]).stdout)
    assert (summary["break_count"], len(open_codes(sandbox))) == (2, 2)
    (settled,) = sandbox.rows("select * from settled_breaks")
    assert (settled["settled_by"], settled["settlement_reference"]) == ("acceptance", "credited by hand in PRIMA 2")
    (policy,) = sandbox.rows("select * from tolerance_policy")
    assert (policy["policy_version"], policy["order_pence"], policy["methods"]) == (1, 1, "ROUNDING_METHOD")
    shown = command.invoke(app, ["breaks", "show", number]).stdout
    assert "kim: acceptance credited by hand in PRIMA 2" in shown
    assert "sam: comment TILL: asked the till" in shown
    assert (
        "version 1 (in force): 1p a document, only for ROUNDING_METHOD"
        in command.invoke(app, ["tolerance", "show"]).stdout
    )
    assert [each.nights for each in sandbox.ledger.breaks()] == [2, 2]
