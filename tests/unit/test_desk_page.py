"""The page of open exceptions: sorted, complete, safe to open, and without a word more than it was given."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.reasons import REASONS
from tasks.record.desk_page import DeskPage, write_desk_page
from tests import browser

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def a_row(number: int, code: str, pence: int, **facts: Any) -> dict[str, Any]:
    """Return the view of an exception as `flows.views` makes it, with its history."""
    reason = REASONS[code]
    return {
        "number": number,
        "code": code,
        "owner": reason.owner,
        "severity": reason.severity,
        "sentence": reason.sentence,
        "next_step": reason.next_step,
        "anchor": reason.anchor,
        "acts": list(reason.acts),
        "may": list(reason.may),
        "subject": f"order 00000010{number}",
        "order_number": f"00000010{number}",
        "sku": "",
        "detail": "PRIMA says <script>nope()</script> & more",
        "value_at_risk_pence": pence,
        "currency": "GBP",
        "first_seen_at": "2026-11-24T06:00:00Z",
        "age_hours": 3.0,
        "occurrences": 2,
        "assigned_to": "",
        "snoozed_until": None,
        "ignored_at": None,
        "is_resting": False,
        "fix": None,
        "history": [{"at": "2026-11-24T06:00:00Z", "event": "raised", "actor": "batch orders-1", "text": "as read"}],
        "closed_at": None,
        "closed_by": "",
    } | facts


def a_page(rows: list[dict[str, Any]], **facts: Any) -> DeskPage:
    values: dict[str, Any] = {"as_at": NOW, "after": "orders", "left_out": 0, "closed": [], "timelines": {}}
    return DeskPage(rows=rows, **{**values, **facts})


ROWS = [
    a_row(1, "PRIMA_OUTCOME_UNKNOWN", 123456),
    a_row(2, "RECON_VAT_VARIANCE", 5000, currency="EUR"),
    a_row(
        3,
        "SKU_CASE",
        4000,
        sku="tee-navy-m-of-a-very-long-spelling-that-nobody-would-type-by-hand",
        fix={"text": "tee stands for TEE", "confidence": "high", "command": "magento-prima exceptions accept tee"},
        assigned_to="jane",
    ),
    a_row(4, "TOTALS_DISAGREE", 300),
    a_row(5, "SKU_UNKNOWN", 200, is_resting=True, ignored_at="2026-11-24T07:00:00Z"),
]
TIMELINE = {
    "order_number": "000000101",
    "order_number_prima": "30000101",
    "state": "unknown",
    "gross_pence": 123456,
    "currency": "GBP",
    "next": "It is looked up.",
    "timeline": [
        {"at": "2026-11-24", "system": "PRIMA", "what": "invoice 7", "url": ""},
        {"at": "2026-11-24T06:00:00Z", "system": "Magento", "what": "parcel", "url": "https://tracking.example/1"},
    ],
}


FIELDS = 'document.getElementById("filters").elements'
CHANGED = "dispatchEvent(new Event('input', {bubbles: true}));"
PRESS_FINANCE = "document.querySelector('.teams button[data-team=finance]').click();"
SHOW_EVERY_CODE = f"{FIELDS}.code.value = ''; {FIELDS}.code.{CHANGED}"
TICK_RESTING = f"{FIELDS}.resting.click();"
TYPE_AN_ORDER = f"{FIELDS}.words.value = 'Order 0000001'; {FIELDS}.words.{CHANGED}"


def test_a_desk_with_nothing_on_it_says_so(tmp_path: Path) -> None:
    text = write_desk_page(a_page([]), tmp_path).read_text(encoding="utf-8")

    assert "Nothing is open" in text
    assert "<form" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["exceptions.html"]
    resting = write_desk_page(a_page(ROWS[4:]), tmp_path).read_text(encoding="utf-8")
    assert '<p class="headline calm">Nothing is open but what rests: 1.</p>' in resting


def test_what_is_open_is_summed_by_team_and_currency_and_what_rests_is_not_counted() -> None:
    page = a_page(ROWS, left_out=2)

    assert page.headline == (
        "6 exceptions are open, 1 of them critical: €50.00, £1,277.56 at risk on this page. 1 more rests."
    )
    assert [(team.owner, team.count, team.worth) for team in page.teams] == [
        ("operations", 1, "£1,234.56"),
        ("finance", 2, "€50.00, £3.00"),
        ("ecommerce", 1, "£40.00"),
    ]


def test_what_systems_and_people_wrote_is_shown_and_never_run_and_orders_lead_to_their_timelines(
    tmp_path: Path,
) -> None:
    closed = [a_row(9, "SHIPMENT_REFUSED", 100, closed_at="2026-11-24T08:00:00Z", closed_by="fulfilment")]
    page = a_page(ROWS, closed=closed, timelines={"000000101": TIMELINE}, handbook_url="https://handbook.example/ops/")

    text = write_desk_page(page, tmp_path).read_text(encoding="utf-8")

    assert "<script>nope" not in text
    assert "&lt;script&gt;nope()" in text
    assert 'href="#order-000000101"' in text
    assert 'id="order-000000101"' in text
    assert "#order-000000102" not in text
    assert "24 Nov 2026, 08:00 by fulfilment" in text
    assert 'href="https://tracking.example/1" rel="noreferrer"' in text
    assert 'href="https://handbook.example/ops/#sku_case"' in text
    assert "<code>magento-prima exceptions accept</code>" in text
    # Nothing is fetched from anywhere when the page is opened.
    assert " src=" not in text
    assert text.count("<link ") == text.count('href="data:,"') == 1


@pytest.mark.skipif(not browser.CHROMIUM, reason=browser.WITHOUT)
@pytest.mark.parametrize(
    ("query", "act", "width", "numbers", "said"),
    [
        ("?code=TOTALS_DISAGREE", SHOW_EVERY_CODE + PRESS_FINANCE, 400, ["2", "4"], "2 of 5 shown, €50.00, £3.00"),
        ("?code=SKU_UNKNOWN", TICK_RESTING + TYPE_AN_ORDER, 1280, ["5"], "1 of 5 shown, £2.00"),
        ("?owner=ecommerce&person=jane", TICK_RESTING, 400, ["3"], "1 of 5 shown, £40.00"),
        ("?owner=finance&words=tee", "", 1280, [], "0 of 5 shown"),
    ],
)
def test_filters_work_offline_in_a_browser_and_the_page_fits_its_window(
    tmp_path: Path, query: str, act: str, width: int, numbers: list[str], said: str
) -> None:
    closed = [a_row(9, "SHIPMENT_REFUSED", 100, closed_at="2026-11-24T08:00:00Z", closed_by="fulfilment")]
    page = write_desk_page(a_page(ROWS, closed=closed, timelines={"000000101": TIMELINE}), tmp_path / "desk")

    found = browser.opened(page, query, tmp_path / "browser", width=width, act=act)

    assert found.console == []
    assert shown_numbers(found.dom) == numbers
    assert f">{said}{' at risk' if numbers else ''}</output>" in found.dom
    assert ('data-team="finance" aria-pressed="true"' in found.dom) == ("finance" in query + act)
    assert (found.window_width, found.page_width <= width, found.out_of_sight) == (width, True, 0)
    assert found.dead_links == set()


def shown_numbers(dom: str) -> list[str]:
    """Return the numbers of the exceptions that are not hidden."""
    rows = dom.partition('<table id="exceptions">')[2].partition("</table>")[0].split("<tr ")[1:]
    awake = [row for row in rows if "hidden" not in row.partition(">")[0]]
    return [row.partition('data-name="Number"><span>')[2].partition("<")[0] for row in awake]
