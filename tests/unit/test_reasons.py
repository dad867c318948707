"""The table of reasons and the code agree: what is raised is in the table, and what is in the table is raised."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from flows.cli import app
from schemas.reasons import REASONS, Act, Owner, Severity, ValueRule, reason, terms
from schemas.reconciliation import BREAK_STATUSES
from tasks.reconcile.money_findings import MONEY_CODES
from tasks.record.orders import BLOCKING

ROOT = Path(__file__).parents[2]

# Where exceptions are decided. `tasks/systems` has codes of its own, for refusals of a single call.
STEPS = (
    "tasks/decide",
    "tasks/extract",
    "tasks/normalise",
    "tasks/post",
    "tasks/record",
    "tasks/validate.py",
    "tasks/reconcile/findings.py",
    "schemas/items.py",
    "schemas/orders.py",
    "schemas/stock.py",
    "schemas/drift.py",
    "schemas/dispatches.py",
    "schemas/unreadable.py",
    "flows",
)
CODE_IN_TEXT = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")
# Variables of the environment, the mark of a posting that the target does not have, and the code of a refusal.
OTHER_WORDS = re.compile(r"(MAGENTO_PRIMA|PREFECT)_[A-Z_]+|DO_NOT_TRACK|NOT_THERE|UNDER_WAY|MAIL_PASSWORD")

# In the table, but raised by nothing yet.
WAITING: dict[str, str] = {}


def sources() -> list[Path]:
    """Return every source file of the steps."""
    found = [
        path for name in STEPS for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
    ]
    assert len(found) > 20
    return sorted(found)


def literals(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each text of a file that looks like a code, and whether it only stands in a list of codes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed = {
        id(part)
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and isinstance(statement.value, ast.Tuple | ast.List | ast.Set | ast.BinOp | ast.Call)
        for part in ast.walk(statement)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if CODE.fullmatch(text) and not OTHER_WORDS.fullmatch(text):
            yield text, id(node) in listed


def raised() -> set[str]:
    """Return every code that some step raises."""
    found = {code for path in sources() for code, is_listed in literals(path) if not is_listed}
    return found | {f"RECON_{status}" for status in BREAK_STATUSES} | set(MONEY_CODES)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_code_of_a_step_stands_in_the_table(path: Path) -> None:
    assert {code for code, _ in literals(path)} <= set(REASONS)


def test_every_reason_of_the_table_is_raised_or_waits_for_a_reason() -> None:
    never = set(REASONS) - raised()

    assert never <= set(WAITING), "in the table, but raised nowhere"
    assert set(WAITING) & set(REASONS) <= never, "raised by now: take it off the list"


def test_what_keeps_an_order_from_prima_is_all_in_the_table() -> None:
    assert set(BLOCKING) <= set(REASONS)
    assert len(BLOCKING) == len(set(BLOCKING))


@pytest.mark.parametrize("code", REASONS)
def test_the_texts_of_a_reason_are_sentences_that_name_an_owner_and_a_next_step(code: str) -> None:
    found = reason(code)

    assert found.code == code
    assert CODE.fullmatch(code)
    assert found.owner in get_args(Owner)
    assert found.severity in get_args(Severity)
    for text in (found.sentence, found.next_step):
        assert re.fullmatch(r"[A-Z].*[.]", text), text
        assert "  " not in text
        assert text == text.strip()
        assert len(text) <= 200
    assert found.sentence != found.next_step
    assert found.anchor == f"docs/operations.md#{code.lower()}"


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_says_what_is_at_risk_who_is_told_next_and_which_acts_fit(code: str) -> None:
    found = reason(code)

    assert found.value_rule in get_args(ValueRule)
    assert list(found.escalate_hours) == sorted(set(found.escalate_hours))
    assert all(hours > 0 for hours in found.escalate_hours)
    assert found.escalate_hours or found.severity == "info" or code == "ORDER_UNPAID"
    assert found.may[0] == found.owner
    assert set(found.acts) <= set(get_args(Act))
    assert {"assign", "comment", "snooze"} <= set(found.acts)
    # Where nothing else can be done about it, somebody must be able to end it; a break is settled among breaks.
    if not set(found.acts) - {"assign", "comment", "snooze"}:
        assert code.startswith("RECON_")


def test_what_holds_for_single_codes_names_codes_of_the_table() -> None:
    named = {*terms.OWN_ESCALATE_HOURS, *terms.MAPPINGS, *terms.NEVER_IGNORED, *terms.CLOSED_BY_HAND}

    assert named | set(terms.OWN_RETRIES) | terms.STOCK_CHECKS <= set(REASONS)


def test_money_is_decided_by_finance_alone() -> None:
    assert {found.may for found in REASONS.values() if found.owner == "finance"} == {("finance",)}


def test_no_two_reasons_say_the_same() -> None:
    sentences = [found.sentence for found in REASONS.values()]

    assert len(sentences) == len(set(sentences))


def test_the_help_of_a_command_names_the_codes_that_its_act_fits_and_codes_tells_all_of_each() -> None:
    program: Any = typer.main.get_command(app)
    commands = program.commands["exceptions"].commands
    named = {"accept": "accept-suggested", "release": "release-held", "refuse": "refuse-held"}
    for act in get_args(Act):
        fits = commands[named.get(act, act)].epilog
        said = set(CODE_IN_TEXT.findall(fits))
        codes = set(REASONS) - said if fits.startswith("Fits every code") else said
        assert codes == {code for code, found in REASONS.items() if act in found.acts}, act
    told = CliRunner().invoke(app, ["exceptions", "codes", "SKU_CASE"])
    found = reason("SKU_CASE")
    for said in (found.sentence, found.next_step, found.owner, found.anchor, ", ".join(found.acts), found.severity):
        assert said in told.stdout
    every = json.loads(CliRunner().invoke(app, ["exceptions", "codes", "--json"]).stdout)
    assert {(row["code"], row["next_step"]) for row in every} == {
        (each.code, each.next_step) for each in REASONS.values()
    }
    assert CliRunner().invoke(app, ["exceptions", "codes", "SKU_CASES"]).exit_code == 1


def test_a_code_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(KeyError):
        reason("SOMETHING_ELSE")
