"""What the handbook tells people to type and to click exists: each command is parsed by its own program."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import prefect
import pytest
import typer
import yaml
from prefect.cli._app import _app as prefect_command_line
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from flows import automations
from flows.cli import app
from sandbox.__main__ import app as sandbox_app
from schemas import ownership_page
from schemas.reasons import REASONS
from tasks.settings import Settings, prima_page
from tests import handbook
from tests.handbook import ROOT

# Capitals in a command stand for something that the reader has at hand.
STANDS_FOR = {
    "BREAK": "12",
    "DATE": "2026-11-01",
    "EXCEPTION": "12",
    "HOLD": "a1b2c3",
    "MEMO": "000000001",
    "NUMBER": "000000020",
    "SKU": "MS-5001",
}
# A word in emphasis that begins with a capital is a place in the Prefect UI.
IN_THE_UI = re.compile(r"(?<!\*)\*([A-Z][A-Za-z ]*)\*(?!\*)")
ARTIFACTS = re.compile(r"\bartifacts? ((?:`[\w.-]+`(?:, | and )?)+)")
# What looks like a key of the settings and is none: a file, a text that stands for a name.
NO_KEYS = {"reconciliation.duckdb", "personal"}
# Of the shell, of PostgreSQL and of Python: taken as they are.
SHELL = {"mkdir", "rm", "cp", "set", "python", "git", "pg_dump"}


@cache
def deployments() -> dict[str, Flow[..., Any]]:
    """Return the flow of each deployment, by name."""
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    return {each["name"]: load_flow_from_entrypoint(each["entrypoint"]) for each in listed}


def parse(application: typer.Typer, words: Sequence[str], *, may_lack_arguments: bool = False) -> None:
    """Parse the words after the program's name as it would, without running anything; raises what it would say."""
    command: Any = typer.main.get_command(application)
    name, left = "program", [STANDS_FOR.get(word, word) for word in words]
    while hasattr(command, "commands"):
        if not left:
            assert may_lack_arguments, f"{name} needs a command"
            return
        if left == ["--help"]:
            return
        assert left[0] in command.commands, f"{name} has no command {left[0]}"
        name, command, left = left[0], command.commands[left[0]], left[1:]
    if left or not may_lack_arguments:
        command.make_context(name, list(left))


def simple_commands(line: str) -> list[list[str]]:
    """Return the words of each command of a line: what stands between `;`, `&&` and `&`."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&<>")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";&"):
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words]


def check_line(line: str) -> None:
    """Check one line of a block with the program that would run it; raises AssertionError for an unknown one."""
    for words in simple_commands(line):
        program, rest = words[0] if "=" in words[0] else os.path.basename(words[0]), words[1:]
        if program == "magento-prima":
            parse(app, rest)
        elif program == "prefect":
            prefect_command_line.parse_args(
                [word for word in rest if word != "--no-prompt"], exit_on_error=False, print_error=False
            )
        elif program == "make":
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert all(re.search(rf"(?m)^{target}:", makefile) for target in rest if "=" not in target), line
        elif program == "python" and rest[:2] == ["-m", "sandbox"]:
            parse(sandbox_app, rest[2:])
        elif program == "python" and rest[:1] == ["-m"]:
            assert find_spec(rest[1]), line
        elif setting := re.fullmatch(r"(PREFECT_[A-Z_]+)=.*", program):
            assert hasattr(prefect.settings, setting[1]), f"Prefect has no setting {setting[1]}"
        else:
            assert program in SHELL or re.fullmatch(r"\.|[A-Z_]+=.*", program), f"nothing checks this: {line}"


@pytest.mark.parametrize("block", handbook.blocks(), ids=str)
def test_every_command_of_a_block_is_one_that_its_program_takes(block: handbook.Block) -> None:
    for line in block.commands:
        check_line(line)


def test_every_command_in_running_text_is_one_that_its_program_takes() -> None:
    found = list(handbook.inline_commands("magento-prima"))

    assert len(found) > 50
    for page, words in found:
        try:
            parse(app, words[1:], may_lack_arguments=True)
        except Exception as error:
            pytest.fail(f"{page.relative_to(ROOT)}: {shlex.join(words)}: {error}")


def test_a_command_that_is_no_more_would_be_found() -> None:
    unknown = "magento-prima exceptions approve X", "magento-prima order", "prefect work-pool stop x", "make magic"
    for line in (*unknown, "PREFECT_SERVER_NONE=1"):
        with pytest.raises(BaseException):  # noqa: B017, PT011  each parser has its own
            check_line(line)


def test_every_form_of_the_handbook_is_one_that_the_ui_offers_and_takes() -> None:
    found = handbook.forms()

    assert len(found) > 10
    for form in found:
        flow = deployments()[form.deployment]
        # Raises for a field that the form does not have, one that is missing, and a value that it would refuse.
        flow.validate_parameters(flow.serialize_parameters(dict(form.fields)) | dict(form.fields))
        required = set(flow.parameters.required or ())
        assert required <= set(form.fields), f"{form.page}: {form.deployment} needs {required - set(form.fields)}"
        assert set(form.fields) <= set(flow.parameters.properties), f"{form.page}: {form.deployment}: {form.fields}"


def test_every_form_explains_each_of_its_fields() -> None:
    unexplained = [
        f"{name}: {field}"
        for name, flow in deployments().items()
        for field, facts in parameter_schema(flow.fn).properties.items()
        if len(facts.get("description", "")) < 10
    ]

    assert unexplained == []


def test_every_deployment_that_a_page_calls_a_form_is_one() -> None:
    for page in handbook.pages():
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"\bforms? of `([\w-]+)`", text) + re.findall(r"\bdeployment `([\w-]+)`", text):
            assert name in deployments(), f"{page.relative_to(ROOT)} names {name}"


def test_every_place_in_the_prefect_ui_that_a_page_names_is_one_of_the_installed_version() -> None:
    assets = Path(prefect.__file__).parent / "server" / "ui" / "assets"
    script = "".join(path.read_text(encoding="utf-8") for path in assets.glob("*.js"))
    named = {(word, page) for page in handbook.pages() for word in IN_THE_UI.findall(page.read_text(encoding="utf-8"))}

    assert {"Deployments", "Custom run", "Runs", "Artifacts", "Automations"} <= {word for word, _ in named}
    for word, page in named:
        assert re.search(rf"[`\"'] ?{word} ?[`\"']", script), f"{page.relative_to(ROOT)}: the UI has no {word}"


def test_every_artifact_that_a_page_names_is_one_that_a_flow_publishes() -> None:
    known = set(artifact_keys())
    named = {
        (name, page)
        for page in handbook.pages()
        for names in ARTIFACTS.findall(page.read_text(encoding="utf-8"))
        for name in re.findall(r"`([\w.-]+)`", names)
    }

    assert len({name for name, _ in named}) > 8
    for name, page in named:
        stem = re.sub(r"(\.\.\.|[A-Z]+)$", "*", name)
        assert stem in known, f"{page.relative_to(ROOT)} names the artifact {name}"


def artifact_keys() -> Iterator[str]:
    """Yield the key of each artifact that the program publishes; what follows a fixed beginning is a `*`."""
    for path in [*(ROOT / "flows").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if "_artifact(" not in text:
            continue
        yield from re.findall(r'\b(?:key|KEY)\s?=\s?"([\w-]+)"', text)
        for beginning in re.findall(r'(?:key\s?=\s?|return )f?"([a-z]+-)(?:\{|")', text):
            yield f"{beginning}*"


def test_every_key_of_the_settings_that_a_page_names_is_one() -> None:
    keys = {key.replace(".*", "") for key, _ in prima_page.leaves()}
    whole = keys | {key.rpartition(".")[0] for key in keys} | set(Settings.model_fields)
    found = 0
    for page in handbook.pages():
        for text in handbook.inline(page):
            key = re.fullmatch(r"\[{0,2}([a-z_]+(?:\.[a-z_]+)*)\]{0,2}(?: = .*)?", text)
            if key is None or key[1] in NO_KEYS:
                continue
            if text.startswith("[") or ("." in key[1] and key[1].partition(".")[0] in Settings.model_fields):
                found += 1
                assert key[1] in whole, f"{page.relative_to(ROOT)} names {text}"
    assert found > 100


def test_what_the_handbook_calls_the_automations_is_their_name() -> None:
    text = (ROOT / "docs" / "running" / "health.md").read_text(encoding="utf-8")
    for name in (automations.ZOMBIES, automations.CRASHES):
        assert f"*{name.partition(': ')[2]}*" in text


def test_every_code_that_a_page_names_is_a_reason() -> None:
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for code in re.findall(r"--code ([A-Z_]+)", page.read_text(encoding="utf-8")):
            assert code in REASONS, f"{page.relative_to(ROOT)} names {code}"


def test_the_table_of_owners_is_made_from_the_table_of_reasons() -> None:
    assert (ROOT / "docs" / "ownership.md").read_text(encoding="utf-8") == ownership_page.page(), (
        "write it anew: python -m schemas.ownership_page > docs/ownership.md"
    )
    for reason in REASONS.values():
        assert ownership_page.page().count(f"| [{reason.code}](operations.md#{reason.code.lower()}) |") == 1


def test_every_team_has_its_check_points_exceptions_and_next_person() -> None:
    for page in sorted((ROOT / "docs" / "teams").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for heading in ("What you own", "Your check-points", "Your exceptions", "Who is next"):
            assert f"\n## {heading}\n" in text, f"{page.name} lacks {heading}"
        for when in ("| each day |", "| each week |", "| month end |"):
            assert when in text or when.replace("day", "morning") in text, f"{page.name} has nothing for {when}"
