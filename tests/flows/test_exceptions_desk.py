"""People at the exceptions desk: what they do takes effect through the flows, or is refused with why."""

import inspect
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import parameter_schema

from flows import exceptions_acts, exceptions_deciding, exceptions_retry
from flows.exceptions_acts import assign_exceptions, close_exceptions
from flows.exceptions_retry import map_exception, retry_exceptions
from flows.fulfilment import sync_fulfilment
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from flows.suggestions import withdraw_suggestion
from schemas.desk import Which
from schemas.documents import ExceptionNote
from tasks.errors import ConfigurationError, NotFoundError, SystemUnavailableError
from tests.builders import SKU, an_order, an_order_line
from tests.flows.shopping import JEANS, STOCK_WRITE, TEE, accepted_order, levels, prima_number, stock_both, tracks
from tests.installation import Installation
from tests.unit.test_handbook import deployments

ADA = "ada in operations"
ACTS = (
    exceptions_acts.assign_exceptions,
    exceptions_acts.comment_on_exceptions,
    exceptions_acts.snooze_exceptions,
    exceptions_acts.ignore_exceptions,
    exceptions_acts.close_exceptions,
    exceptions_deciding.accept_suggestions,
    exceptions_deciding.release_held,
    exceptions_deciding.refuse_held,
    exceptions_retry.retry_exceptions,
    exceptions_retry.map_exception,
)

CHANGE_NO_EXCEPTION = {  # the reconciliation that a period is closed by leaves the desk behind itself
    "evidence-check",
    "evidence-expiry",
    "order",
    "period-check",
    "period-lock",
    "period-preview",
    "period-reopen",
    "period-sign-off",
    "stock",
    "tolerance",
}


def paid_by(method: str, number: str, sku: str = SKU) -> dict[str, Any]:
    """Return an order of just now, paid by a method."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    order = an_order(number, lines=[an_order_line(sku)], created_at=now, updated_at=now)
    order["payment"] = {**order["payment"], "method": method}
    return order


def numbers(installation: Installation, code: str) -> list[int]:
    """Return the numbers of the open exceptions of a code, oldest first."""
    with installation.ledger() as ledger:
        return [note.id for note in ledger.exceptions(code=code)]


def history(installation: Installation, number: int) -> list[tuple[str, str, str]]:
    with installation.ledger() as ledger:
        return [(event.event, event.actor, event.text) for event in ledger.exception_events(number)]


def listed(installation: Installation, *words: str) -> list[dict[str, Any]]:
    """Return what `magento-prima exceptions list` shows."""
    shown = installation.command("exceptions", "list", "--json", *words)
    assert shown.returncode == 0, shown.stderr
    rows: list[dict[str, Any]] = json.loads(shown.stdout)
    return rows


def test_a_payment_method_that_stands_for_a_known_one_lets_every_order_go_that_waits_and_those_that_come(
    installation: Installation,
) -> None:
    installation.holds(paid_by("checkmo_by_post", "000000101"), paid_by("checkmo_by_post", "000000102"))
    sync_orders()
    first, second = numbers(installation, "PAYMENT_UNMAPPED")

    with pytest.raises(ConfigurationError, match="bitcoin does not stand in the settings"):
        map_exception(first, "bitcoin", ADA)
    preview = map_exception(first, "checkmo", ADA, "cheques by post", dry_run=True)
    assert [(row.number, row.outcome) for row in preview.rows] == [(first, "would be done"), (second, "would be done")]
    assert len(installation.prima.order_numbers()) == 0
    result = map_exception(first, "checkmo", ADA, "cheques by post")

    assert [row.outcome for row in result.rows] == ["done", "done"]
    assert all("closed: its cause is gone" in row.text for row in result.rows)
    assert [event for event, _, _ in history(installation, second)] == ["raised", "mapped", "closed"]
    assert history(installation, first)[1][1:] == (ADA, "payment checkmo_by_post stands for checkmo: cheques by post")
    installation.holds(paid_by("checkmo_by_post", "000000103"))
    sync_orders()
    assert len(installation.prima.order_numbers()) == 3

    withdraw_suggestion("checkmo_by_post", ADA, "payment")
    installation.holds(paid_by("checkmo_by_post", "000000104"))
    sync_orders()
    assert installation.open_codes() == {"order 000000104": "PAYMENT_UNMAPPED"}
    assert "payment checkmo_by_post stands for checkmo" in installation.command("exceptions", "accepted").stdout

    words = ("exceptions", "accept-suggested", "--code", "PAYMENT_UNMAPPED", "--by", ADA)
    preview_of_all = installation.command(*words)
    assert "payment checkmo_by_post stands for checkmo" in preview_of_all.stdout
    assert "1 would be done" in preview_of_all.stdout
    assert installation.open_codes() == {"order 000000104": "PAYMENT_UNMAPPED"}
    accepted = installation.command(*words, "--run")
    assert (accepted.returncode, "closed: its cause is gone" in accepted.stdout) == (0, True), accepted.stderr
    assert (installation.open_codes(), len(installation.prima.order_numbers())) == ({}, 4)


def test_a_carrier_that_stands_for_a_known_one_is_told_to_the_customer_as_that_one(installation: Installation) -> None:
    order = accepted_order(installation)
    installation.prima.dispatch(prima_number(order), carrier="DPDX", tracking=["X1"])
    sync_fulfilment()
    (number,) = numbers(installation, "CARRIER_UNKNOWN")

    mapped = installation.command("exceptions", "map", str(number), "--as", "DPD", "--by", ADA)

    assert (mapped.returncode, "closed: its cause is gone" in mapped.stdout) == (0, True), mapped.stderr
    (shipment,) = installation.magento.shipments(order["increment_id"])
    assert tracks(shipment) == [("X1", "custom", "DPD")]
    with pytest.raises(ConfigurationError, match="closed already"):
        map_exception(number, "DPD", ADA)


def test_people_share_out_exceptions_let_them_rest_and_leave_some_as_they_are(installation: Installation) -> None:
    installation.holds(paid_by("checkmo", "000000101"))
    installation.magento.load_orders(
        json.loads(
            json.dumps([paid_by("checkmo", f"00000010{each}", f"GONE-{each}") for each in (2, 3, 4)], default=float)
        )
    )
    sync_orders()
    first, second, third = numbers(installation, "SKU_UNKNOWN")

    preview = installation.command("exceptions", "assign", "--sku", "GONE-*", "--to", "jane", "--by", ADA)
    assert (preview.returncode, "3 would be done" in preview.stdout) == (0, True), preview.stderr
    assert listed(installation, "--assigned-to", "jane") == []
    words = ("exceptions", "assign", "--sku", "GONE-[23]", "--to", "jane", "--by", ADA, "--run", "--json")
    assert [row["outcome"] for row in json.loads(installation.command(*words).stdout)["rows"]] == ["done", "done"]
    assert {row["number"] for row in listed(installation, "--assigned-to", "jane")} == {first, second}

    rest = ("exceptions", "snooze", str(first), "--hours", "5", "--by", ADA, "--because", "the item comes at noon")
    assert installation.command(*rest).returncode == 0
    leave = ("exceptions", "ignore", str(second), "--by", ADA, "--because", "a test order of the shop")
    assert installation.command(*leave).returncode == 0
    installation.add_to_section("desk", "rows = 1")
    remark = ("exceptions", "comment", str(third), "--text", "asked PRIMA's desk", "--by", ADA, "--json")
    assert [row["text"] for row in json.loads(installation.command(*remark).stdout)["rows"]] == ["asked PRIMA's desk"]
    page = (installation.folder / "desk" / "exceptions.html").read_text(encoding="utf-8")
    assert "1 exception is open: £63.92 at risk." in page  # what rests takes no row from what is open
    assert f'data-name="Number"><span>{third}<' in page
    assert [row["number"] for row in listed(installation)] == [third]
    assert {row["number"] for row in listed(installation, "--with-resting")} == {first, second, third}
    sync_orders()  # what rests is looked at all the same, and counts on
    shown = installation.command("exceptions", "show", str(second))
    assert "ignored" in shown.stdout
    assert "came up 1 time(s)" not in shown.stdout
    assert f"ignored   {ADA}: a test order of the shop" in shown.stdout

    view = json.loads(installation.command("exceptions", "show", str(third), "--json").stdout)
    assert "asked PRIMA's desk" in [each["text"] for each in view["history"] if each["actor"] == ADA]
    from_form: dict[str, Any] = {"which": {"sku": "GONE-4"}, "to": "jane", "by": ADA}
    assert [row.number for row in assign_exceptions(**from_form).rows] == [third]

    refusal = installation.command("exceptions", "close", str(third), "--by", ADA, "--because", "looked at it")
    assert (refusal.returncode, "closes itself when its cause is gone" in refusal.stderr) == (2, True)
    with pytest.raises(NotFoundError, match="there is no exception 9999"):
        assign_exceptions(Which(numbers=[9999]), "jane", ADA)
    with pytest.raises(ConfigurationError, match="at least one filter"):
        close_exceptions(Which(), ADA, "all of it")


def test_a_person_closes_what_no_run_can_see_the_end_of_and_what_only_an_earlier_version_knew(
    installation: Installation,
) -> None:
    with installation.ledger() as ledger:
        for code, pence in (("TEXT_LOST", 100), ("PHONE_MISSING", 500)):
            ledger.raise_exceptions("", [ExceptionNote(code, "order 1", "??", value_at_risk_pence=pence)])
    with closing(sqlite3.connect(installation.folder / "ledger.db")) as database, database:
        database.execute("update exceptions set code = 'OF_OLD' where code = 'PHONE_MISSING'")

    words = ("exceptions", "close", "--by", ADA, "--because", "asked her")
    preview = installation.command(*words, "--owner", "integration")
    assert "1 would be done" in preview.stdout, preview.stderr
    page = (installation.folder / "desk" / "exceptions.html").read_text(encoding="utf-8")
    rows = page.partition('<table id="exceptions">')[2]
    assert 0 < rows.index("OF_OLD") < rows.index("TEXT_LOST"), "the most valuable first"
    for number in numbers(installation, "TEXT_LOST") + numbers(installation, "OF_OLD"):
        closed = installation.command(*words, str(number))
        assert closed.returncode == 0, closed.stderr
        assert history(installation, number)[-1] == ("closed", ADA, "asked her")
    assert installation.open_codes() == {}


def test_a_retry_of_orders_is_previewed_then_carried_from_a_fresh_read_and_says_what_became_of_each(
    installation: Installation,
) -> None:
    installation.holds(paid_by("checkmo", "000000101"), paid_by("checkmo", "000000102"))
    installation.magento.load_orders(json.loads(json.dumps([paid_by("checkmo", "103", "GONE")], default=float)))
    installation.prima.settings.vat_inclusive = False
    sync_orders()
    assert len(numbers(installation, "PRIMA_REFUSED")) == 2
    installation.prima.settings.vat_inclusive = True

    preview = installation.command("exceptions", "retry", "--store", "default", "--by", ADA, "--json")
    assert [row["outcome"] for row in json.loads(preview.stdout)["rows"]] == ["would be done"] * 3
    assert installation.prima.order_numbers() == []
    result = retry_exceptions(Which(store="default"), ADA, "PRIMA is open again")

    assert len(installation.prima.order_numbers()) == 2
    ended = {row.subject: row.text.rpartition("; ")[2] for row in result.rows}
    assert ended["order 000000101"] == "closed: its cause is gone"
    assert ended["order 103"].startswith("open still: ")
    assert installation.open_codes() == {"order 103": "SKU_UNKNOWN"}


def test_a_retry_of_stock_writes_what_prima_has_now_and_a_system_out_of_reach_is_told(
    installation: Installation,
) -> None:
    stock_both(installation, {TEE: 30, JEANS: 9})
    sync_inventory()
    installation.prima.sell_elsewhere(TEE, 5)
    installation.magento.faults.add(STOCK_WRITE, "status", times=None, status=400)
    sync_inventory()
    (number,) = numbers(installation, "STOCK_PUSH_FAILED")
    installation.prima.sell_elsewhere(TEE, 20)  # meanwhile: the 25 that failed must never be written

    installation.add_settings("[stock]\npush_attempts = 1")
    installation.magento.faults.clear()
    installation.magento.faults.add(STOCK_WRITE, "status", times=None, status=503)
    with pytest.raises(SystemUnavailableError, match="write stock"):
        retry_exceptions(Which(numbers=[number]), ADA)
    assert history(installation, number)[1][:2] == ("retried", ADA)
    installation.magento.faults.clear()
    result = retry_exceptions(Which(numbers=[number]), ADA)

    assert levels(installation, TEE) == (5, 5)
    assert "closed: its cause is gone" in result.rows[0].text


def team_tables(team: str) -> list[list[dict[str, Any]]]:
    """Return the tables that a team was shown, the latest first."""
    of_team = ArtifactFilter(key=ArtifactFilterKey(any_=[f"exceptions-{team}"]))
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=of_team, sort=ArtifactSort.CREATED_DESC)
    return [json.loads(str(artifact.data)) for artifact in found]


def test_every_run_leaves_the_desk_page_behind_and_tells_a_team_only_what_changed(installation: Installation) -> None:
    page = installation.folder / "desk" / "exceptions.html"
    installation.holds(paid_by("checkmo_by_post", "000000101"))
    before = len(team_tables("finance"))
    sync_orders()
    (number,) = numbers(installation, "PAYMENT_UNMAPPED")
    text = page.read_text(encoding="utf-8")
    assert "1 exception is open: £63.92 at risk." in text
    assert '<a href="#order-000000101">order 000000101</a>' in text
    assert [row["no"] for row in team_tables("finance")[0]] == [number]
    order = installation.magento.order("000000101")
    for personal in (order["customer_email"], order["customer_lastname"], order["billing_address"]["street"][0]):
        assert personal not in text
        assert personal not in str(team_tables("finance"))

    sync_orders()
    assert len(team_tables("finance")) == before + 1  # nothing changed: nothing is told again
    assign_exceptions(Which(numbers=[number]), "jane", ADA)
    assert [row["with"] for row in team_tables("finance")[0]] == ["jane"]

    page.unlink()
    page.mkdir()  # the page cannot be written: the run ends well all the same
    map_exception(number, "checkmo", ADA)
    assert installation.open_codes() == {}
    page.rmdir()
    sync_orders()
    assert "Nothing is open" in page.read_text(encoding="utf-8")
    assert "Closed in the last 24 hours" in page.read_text(encoding="utf-8")
    assert team_tables("finance")[0] == []


def test_every_deployment_that_may_change_an_exception_leaves_the_desk_page_behind_although_its_run_fails(
    installation: Installation,
) -> None:
    page = installation.folder / "desk" / "exceptions.html"
    left = {}
    for name, flow in deployments().items():
        with temporary_settings(restore_defaults={PREFECT_API_URL}), pytest.raises(TypeError, match="no_such_field"):
            flow.fn(no_such_field="")  # fails at once, before it reads anything
        if page.exists():
            left[name] = re.findall(r"after the run of ([\w-]+)\.", page.read_text(encoding="utf-8"))
            page.unlink()

    assert left == {name: [name] for name in deployments() if name not in CHANGE_NO_EXCEPTION}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_the_form_of_an_act_explains_every_field_and_offers_codes_and_teams_as_choices(act: Any) -> None:
    schema = parameter_schema(act.fn)

    assert set(schema.properties) == set(inspect.signature(act.fn).parameters)
    assert {"by", "dry_run"} <= set(schema.properties)
    assert all(len(field.get("description", "")) > 10 for field in schema.properties.values())
    if "which" in schema.properties:
        fields = schema.definitions["Which"]["properties"]
        assert "SKU_UNKNOWN" in fields["code"]["enum"]
        assert "finance" in fields["owner"]["enum"]
        assert all(field["description"] for field in fields.values())
