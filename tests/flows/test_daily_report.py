"""The daily report of a day of trade: its figures, its files, who is sent its headline, and no customer in it."""

import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from flows.daily_report import make_report
from flows.daily_view import lines_of_text
from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from schemas.daily_facts import LONDON
from tests.flows.shopping import ADDRESS, CUSTOMER, PRICE, TEE, a_line, accepted_order, buy, prima_number
from tests.installation import Installation
from tests.webhook_receiver import receiving

SETTINGS = """
[alerts]
[[alerts.channels]]
name = "operations"
url = "{first}"
teams = ["operations"]

[[alerts.channels]]
name = "finance"
url = "{second}"
teams = ["finance"]
"""
NEW_SKU = "TEE-NAVY-XXL"


def artifact() -> str:
    """Return the latest report that the Prefect UI shows."""
    ours = ArtifactFilter(key=ArtifactFilterKey(any_=["daily-report"]))
    with get_client(sync_client=True) as client:
        return str(client.read_artifacts(artifact_filter=ours, sort=ArtifactSort.CREATED_DESC)[0].data)


def test_a_day_of_trade_is_reported_with_its_figures_told_once_to_each_channel_and_without_a_customer(
    installation: Installation,
) -> None:
    began = datetime.now(LONDON)
    if (began + timedelta(minutes=10)).date() != began.date():
        pytest.skip("midnight in London is near: the trade of this test would be of two days")
    order = accepted_order(installation)
    installation.prima.dispatch(prima_number(order), carrier="DPD", tracking=["X1"])
    installation.magento.add_product(NEW_SKU, price=PRICE, quantity=5)
    waiting = buy(installation, a_line(NEW_SKU, 2), a_line(TEE))
    sync_orders()
    sync_fulfilment()
    with installation.ledger() as ledger:
        stored = ledger.order(order["increment_id"])
    assert stored is not None
    assert stored.accepted_at is not None
    day = stored.accepted_at.astimezone(LONDON).date()
    folder = installation.folder / "reports"
    folder.mkdir()
    (folder / f"daily-report-{day - timedelta(days=500)}.html").touch()

    with receiving() as operations, receiving() as finance:
        installation.add_settings(SETTINGS.format(first=operations.url, second=finance.url))
        installation.add_to_section("daily_report", 'at = 00:00:00\nchannels = ["operations", "finance"]')
        finance.answers = [503]
        first = make_report(day)
        assert (first.told, first.not_told) == (["operations"], ["finance"])
        assert installation.open_codes(["ALERT_NOT_SENT"]) == {"alert channel finance": "ALERT_NOT_SENT"}
        again = make_report(day)
        assert (again.told, again.not_told) == (["finance"], [])
        assert installation.open_codes(["ALERT_NOT_SENT"]) == {}
        last = make_report(day)
        assert last.told == []
        (message,), (other,) = operations.take(), finance.take()

    gross = f"£{stored.gross_pence / 100:.2f}"
    assert f"1 order posted to PRIMA for {gross}, 1 not posted yet; 1 dispatch told." in first.headline
    assert message["text"].startswith(first.headline)
    assert "operations: nothing is open." in message["text"]
    assert (message["code"], message["open_count"], message["link"]) == ("DAILY_REPORT", 1, first.page)
    assert "finance: 1 open" not in message["text"]
    shown = installation.command("report", "--date", str(day), "--json")
    assert shown.returncode == 0, shown.stderr
    view = json.loads(shown.stdout)
    assert [(row["order_number"], row["codes"]) for row in view["orders"]] == [(waiting["increment_id"], "SKU_UNKNOWN")]
    posted = next(row for row in view["totals"] if row["what"] == "Orders posted to PRIMA")
    assert (posted["count"], posted["gross_pence"], posted["currency"]) == (1, stored.gross_pence, "GBP")
    assert f"  SKU_UNKNOWN SKU {NEW_SKU}, £39.95, 0 h" in "\n".join(lines_of_text(view))

    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"daily-report-{day}.html", f"daily-report-{day}.xlsx", "daily-report.html"]
    text = Path(last.page).read_text(encoding="utf-8")
    assert last.headline in text
    with zipfile.ZipFile(last.workbook) as book:
        parts = [book.read(name).decode("utf-8") for name in book.namelist()]
    everything = [text, artifact(), json.dumps([message, other, view]), *parts]
    assert last.headline in artifact()
    for personal in (CUSTOMER.surname, CUSTOMER.email, ADDRESS.street[0], ADDRESS.postcode):
        assert personal
        assert not [each for each in everything if personal in each], personal
