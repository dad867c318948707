"""Closing last month through the flows: what their forms ask for, and what people read."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.flow_runs import resume_flow_run
from prefect.input import read_flow_run_input
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.periods import check_period, preview_period, sign_off_period
from schemas.periods import Role
from tasks.errors import ConfigurationError
from tasks.systems.ledger import LedgerStateError
from tests.builders import an_order
from tests.installation import Installation

LAST_MONTH = datetime.now(UTC).replace(day=1, hour=12) - timedelta(days=12)
NAME = f"{LAST_MONTH:%Y-%m}"


def command(step: str, *options: str) -> Result:
    """Run `magento-prima period` for last month."""
    return CliRunner().invoke(app, ["period", step, NAME, *options])


def signed_by_form(role: Role, answers: dict[str, str]) -> str:
    """Begin a sign-off without a hash, answer its form as the Prefect UI does; return what the form showed."""
    paused = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})
    with ThreadPoolExecutor(1) as pool, get_client(sync_client=True) as client:
        signing = pool.submit(copy_context().run, sign_off_period, NAME, role)
        shown, run_id = None, None
        # the form is there a moment after its run has paused
        while shown is None and not signing.done():
            for run in client.read_flow_runs(flow_run_filter=paused):
                run_id, shown = run.id, read_flow_run_input("paused-1-description", flow_run_id=run.id)
        assert run_id is not None, signing.result()
        resume_flow_run(run_id, run_input=answers)
        signing.result()
    return str(shown)


def test_a_month_is_closed_through_the_forms_and_a_late_order_is_told_after_the_lock(
    installation: Installation,
) -> None:
    placed = {"created_at": f"{LAST_MONTH:%Y-%m-%d} 12:00:00", "updated_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"}
    installation.holds(an_order("000000101", **placed))

    with pytest.raises(ConfigurationError, match="2026-11 is a month"):
        preview_period("November", by="Ada")
    seen = json.loads(command("preview", "--by", "Ada", "--json").stdout)
    assert (seen["state"], seen["figures"]["open_breaks"]) == ("open", 1)
    shown = command("preview", "--by", "Ada").stdout
    assert seen["figures_hash"][:12] in shown
    assert "1 breaks stay open" in shown
    with pytest.raises(LedgerStateError, match="a comment says why"):
        sign_off_period(NAME, "preparer", by="Ada", figures_hash=seen["figures_hash"])
    form = signed_by_form("preparer", {"by": "Ada", "comment": "not posted yet"})
    assert seen["figures_hash"][:12] in form
    with pytest.raises(LedgerStateError, match="a second person"):
        sign_off_period(NAME, "approver", by="ada", figures_hash=seen["figures_hash"], comment="fine")
    assert command("sign-off", "--as", "approver", "--by", "Grace", "--hash", " ").exit_code == 2
    signature = ("--by", "Grace", "--hash", seen["figures_hash"][:12], "--comment", "fine")
    assert command("sign-off", "--as", "approver", *signature).exit_code == 0
    locked = json.loads(command("lock", "--by", "Grace", "--json").stdout)
    assert (locked["state"], locked["problems"], Path(locked["pack"]).is_file()) == ("locked", [], True)
    with pytest.raises(LedgerStateError, match="it is locked"):
        preview_period(NAME, by="Ada")
    assert check_period(NAME, by="Ada").is_same

    installation.holds(an_order("000000102", **placed))
    told = command("check", "--by", "Ada").stdout
    assert "figures changed after the lock" in told
    assert "orders 000000102" in told
    checked = check_period(NAME, by="Ada")
    assert (checked.is_same, list(checked.new_items)) == (False, [])

    assert command("reopen", "--by", "Ada", "--reason", "an order was missed").exit_code == 0
    shown = command("show").stdout
    assert "Ada: reopened an order was missed" in shown
    with get_client(sync_client=True) as client:
        artifacts = {artifact.key: str(artifact.data) for artifact in client.read_latest_artifacts()}
    assert "revision 2: open" in artifacts[f"period-{NAME}"]
