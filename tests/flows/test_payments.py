"""Settlement files in a run: one is tied to its order, one is refused by name, and what differs is an exception."""

from datetime import UTC, datetime, timedelta

from flows.reconciliation import reconcile
from schemas.money import pounds_text
from tasks import connect
from tasks.reconcile.money_findings import MONEY_CODES
from tasks.systems.warehouse import Warehouse
from tests.builders import an_order
from tests.installation import Installation

HEADER = "balance_transaction_id,created_utc,reporting_category,currency,gross,fee,net,payment_metadata[order],card"


def test_a_refused_file_and_money_that_differs_are_exceptions_that_close_themselves(installation: Installation) -> None:
    now = datetime.now(UTC)
    placed = {"created_at": f"{now:%Y-%m-%d %H:%M:%S}", "updated_at": f"{now:%Y-%m-%d %H:%M:%S}"}
    order = an_order("000000101", **placed)
    installation.holds(order)
    with connect.open_magento(installation.settings) as magento:
        (held,) = magento.orders_by_number(["000000101"])
        magento.invoice(int(held["entity_id"]))
    folder = installation.folder / "payments"
    installation.add_settings(
        f'[payments]\nfolder = "{folder}"\n\n[payments.providers.stripe]\npreset = "stripe"\n'
        f'methods = ["{held["payment"]["method"]}"]\norder_reference = "payment_metadata[order]"\n'
    )
    (folder / "stripe").mkdir(parents=True)

    def settle(pence: int) -> None:
        gross = pounds_text(pence)
        (folder / "stripe" / "good.csv").write_text(
            f"{HEADER}\ntxn_1,{now:%Y-%m-%d %H:%M:%S},charge,gbp,{gross},0.00,{gross},000000101,Ada Invented\n"
        )

    charged = round(held["grand_total"] * 100)
    settle(charged + 1)
    (folder / "stripe" / "other.csv").write_text("id,Type,Amount\n1,charge,5.00\n")

    today = now.date()
    found = reconcile(from_date=today, to_date=today)

    assert not found.is_agreed
    codes = ["RECON_INPUT_REJECTED", *MONEY_CODES]
    assert installation.open_codes(codes) == {
        "reconciliation: payments stripe/other.csv": "RECON_INPUT_REJECTED",
        "payment of order 000000101": "RECON_PAYMENT_DIFFERS",
    }
    with Warehouse(installation.settings.warehouse.folder).read() as reader:
        (tie,) = reader.rows("select status, paid_pence, paid_variance_pence from payment_ties")
        (refused,) = reader.rows("select detail from not_reconciled where subject like 'payments%'")
        assert "Ada" not in str(reader.rows("select * from settlements"))
    assert (tie["status"], tie["paid_variance_pence"]) == ("PAID_DIFFERENTLY", 1)
    assert "lacks balance_transaction_id" in refused["detail"]
    assert "found id, Type, Amount" in refused["detail"]

    (folder / "stripe" / "other.csv").unlink()
    settle(charged)
    # of another day: the order is read again because the exception is open
    reconcile(business_date=today - timedelta(days=1))
    assert installation.open_codes(codes) == {}
