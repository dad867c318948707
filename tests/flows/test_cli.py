"""The command line: what it prints as text and as JSON, its exit codes, and that it shows no personal data."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL

from schemas.reasons import REASONS
from tests.builders import an_order, an_order_line
from tests.installation import Installation
from tests.recorded import sample_order, sample_orders

ORDER = "000000020"
PRIMA_NUMBER = "30000020"
SKU = "MS-5007"
UNKNOWN_SKU_ORDER = "000000990"
ASKED_FOR = ("code", "owner", "order_number", "sku", "value_at_risk_pence", "first_seen_at", "next_step")
FAILED, MISUSED = 1, 2


@dataclass(frozen=True)
class Desk:
    """An installation after a run of orders and one of inventory; `runs` is what these two printed."""

    installation: Installation
    environment: Mapping[str, str]
    runs: Mapping[str, CompletedProcess[str]]

    def command(self, *words: str, **environment: str) -> CompletedProcess[str]:
        """Run `magento-prima`."""
        return self.installation.command(*words, environment={**self.environment, **environment})

    def text(self, *words: str) -> str:
        """Return the text that a command prints; it ends well and says nothing else."""
        ended = self.command(*words)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    def json(self, *words: str) -> Any:
        """Return the JSON that a command prints."""
        return json.loads(self.text(*words, "--json"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The 84 recorded orders and one with a SKU that PRIMA lacks, carried and pushed with everything logged."""
    folder = tmp_path_factory.mktemp("desk")
    installation = Installation(folder / "installation")
    installation.start()
    installation.holds(*sample_orders())
    unknown = an_order(UNKNOWN_SKU_ORDER, lines=[an_order_line("MS-50-07")])
    installation.magento.load_orders(json.loads(json.dumps([unknown], default=float)))
    environment = {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_API_URL": PREFECT_API_URL.value() or ""}
    runs = {
        name: installation.command(
            "run", name, environment={**environment, "PREFECT_LOGGING_LEVEL": "DEBUG"}, is_fresh=True
        )
        for name in ("orders", "inventory")
    }
    yield Desk(installation, environment, runs)
    installation.stop()


def personal_data() -> set[str]:
    """Return every name, e-mail, street, phone and postcode of the recorded orders."""
    found: set[str] = set()
    for order in [*sample_orders(), an_order()]:
        shipping = order["extension_attributes"]["shipping_assignments"][0]["shipping"]
        found |= {order["customer_email"], order.get("customer_firstname", ""), order.get("customer_lastname", "")}
        for address in (order["billing_address"], shipping.get("address", {})):
            for name in ("firstname", "lastname", "email", "telephone", "postcode", "company"):
                found.add(address.get(name) or "")
            found |= set(address.get("street", []))
    return {value for value in found if len(value) > 2}


def assert_nothing_personal(*outputs: str) -> None:
    """Search the outputs for the world's own values, as whole words."""
    values = personal_data()
    assert {"Emma", "12 High Street", "guest100@example.co.uk", "07700 900123"} <= values
    for output in outputs:
        shown = {value for value in values if re.search(rf"(?i)(?<!\w){re.escape(value)}(?!\w)", output)}
        assert shown == set()


def test_a_run_says_what_became_of_the_orders(desk: Desk) -> None:
    run = desk.runs["orders"]

    assert run.returncode == 0, run.stderr
    assert "fetched 85" in run.stdout
    assert "posted 78" in run.stdout
    assert "Traceback" not in run.stderr


def test_the_log_of_a_run_shows_nothing_personal(desk: Desk) -> None:
    for run in desk.runs.values():
        assert run.returncode == 0, run.stderr
        assert len(run.stderr) > 1000
        assert_nothing_personal(run.stdout, run.stderr)


def test_a_run_with_json_prints_nothing_else_on_stdout(desk: Desk) -> None:
    run = desk.command("run", "orders", "--json")

    assert run.returncode == 0, run.stderr
    summaries = json.loads(run.stdout)
    assert all(summary["counts"]["posted"] == 0 for summary in summaries)
    assert sum(summary["counts"]["fetched"] for summary in summaries) >= 1
    assert_nothing_personal(run.stdout, run.stderr)


def test_check_prints_a_line_for_each_system(desk: Desk) -> None:
    lines = desk.text("check").splitlines()

    names = (
        "settings", "Prefect", "ledger", "Magento", "PRIMA web service", "PRIMA reporting",
        "PRIMA on an invented order",
    )  # fmt: skip
    assert len(lines) == 7
    for line, name in zip(lines, names, strict=True):
        assert line.startswith(f"ok     {name}: ")
    assert_nothing_personal(*lines)


def test_check_as_json_has_the_same_lines(desk: Desk) -> None:
    lines = desk.json("check")

    assert [line["is_good"] for line in lines] == [True] * 7
    assert lines[3]["name"] == "Magento"
    assert "4 store views" in lines[3]["text"]


def test_check_ends_with_1_when_a_system_is_away_and_still_looks_at_the_others(desk: Desk) -> None:
    desk.installation.magento.maintenance = True
    try:
        ended = desk.command("check", "--json")
    finally:
        desk.installation.magento.maintenance = False

    lines = {line["name"]: line for line in json.loads(ended.stdout)}
    assert ended.returncode == FAILED
    assert [name for name, line in lines.items() if not line["is_good"]] == ["Magento"]
    assert "maintenance" in lines["Magento"]["text"]
    assert "Traceback" not in ended.stderr


def test_check_ends_with_2_when_the_settings_are_wrong_and_names_each_mistake(desk: Desk, tmp_path: Path) -> None:
    wrong = tmp_path / "config.toml"
    text = (desk.installation.folder / "config.toml").read_text()
    wrong.write_text(text.replace('price_meaning = "line_gross"', "").replace('number_prefix = "30"', ""))

    ended = desk.command("check", MAGENTO_PRIMA_CONFIG=str(wrong))

    lines = ended.stdout.splitlines()
    assert ended.returncode == MISUSED
    assert len(lines) == 2
    assert all(line.startswith(f"WRONG  settings: {wrong}: prima.orders.") for line in lines)


def test_exceptions_as_json_have_everything_that_a_desk_needs(desk: Desk) -> None:
    rows = desk.json("exceptions", "list")

    assert len(rows) >= 7
    for row in rows:
        assert set(ASKED_FOR) <= set(row)
        assert row["code"] in REASONS
        assert row["owner"] == REASONS[row["code"]].owner
        assert row["next_step"] == REASONS[row["code"]].next_step
        assert isinstance(row["value_at_risk_pence"], int)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["first_seen_at"])
    values = [row["value_at_risk_pence"] for row in rows]
    assert values == sorted(values, reverse=True)
    (unknown,) = [row for row in rows if row["order_number"] == UNKNOWN_SKU_ORDER]
    assert (unknown["code"], unknown["sku"], unknown["value_at_risk_pence"]) == ("SKU_UNKNOWN", "MS-50-07", 6392)
    assert unknown["suggestions"][0] == SKU
    assert_nothing_personal(json.dumps(rows, ensure_ascii=False))


def test_exceptions_as_text_show_code_value_and_what_to_do(desk: Desk) -> None:
    text = desk.text("exceptions", "list")

    assert "SKU_UNKNOWN" in text
    assert f"order {UNKNOWN_SKU_ORDER}" in text
    assert "£63.92" in text
    assert "create the item in PRIMA" in re.sub(r"[│\s]+", " ", text)
    assert_nothing_personal(text)


def test_exceptions_are_listed_by_code_owner_and_state(desk: Desk) -> None:
    every = desk.json("exceptions", "list")

    assert [row["order_number"] for row in desk.json("exceptions", "list", "--code", "SKU_UNKNOWN")] == [
        UNKNOWN_SKU_ORDER
    ]
    ecommerce = desk.json("exceptions", "list", "--owner", "ecommerce")
    assert ecommerce == [row for row in every if row["owner"] == "ecommerce"]
    assert all(row["state"] == "closed" for row in desk.json("exceptions", "list", "--state", "closed"))


def test_an_order_is_found_by_either_number(desk: Desk) -> None:
    by_magento = desk.json("order", ORDER)
    by_prima = desk.json("order", PRIMA_NUMBER)

    assert by_magento == by_prima
    assert (by_magento["order_number"], by_magento["order_number_prima"]) == (ORDER, PRIMA_NUMBER)
    assert (by_magento["state"], by_magento["gross_pence"], by_magento["vat_pence"]) == ("accepted", 2390, 398)
    assert [line["sku"] for line in by_magento["lines"]] == [SKU]
    assert any("create order" in event["what"] for event in by_magento["timeline"])
    assert_nothing_personal(json.dumps(by_magento, ensure_ascii=False))


def test_an_order_as_text_shows_lines_timeline_and_exceptions(desk: Desk) -> None:
    accepted, held = desk.text("order", ORDER), desk.text("order", UNKNOWN_SKU_ORDER)

    assert f"Order {ORDER} is accepted here, new in Magento, PRIMA number {PRIMA_NUMBER}" in accepted
    assert f"1 x {SKU}  £19.95 (VAT £3.33)" in accepted
    assert "PRIMA number none yet" in held
    assert "open: SKU_UNKNOWN (ecommerce)" in held
    assert "Next: Accept a suggestion" in held
    assert_nothing_personal(accepted, held)


def test_who_ordered_is_shown_only_when_asked_for(desk: Desk) -> None:
    email = sample_order(ORDER)["customer_email"]

    assert email in desk.text("order", ORDER, "--with-customer")
    assert desk.json("order", ORDER, "--with-customer")["customer"]["email"] == email
    assert "customer" not in desk.json("order", ORDER)


def test_no_order_shows_anything_personal(desk: Desk) -> None:
    """The order with the most unusual address stands for all; the ledger holds no address to show."""
    for number in ("000000019", "3000000001", "4000000001"):
        assert_nothing_personal(desk.text("order", number))


def test_the_stock_of_a_sku_shows_its_sum(desk: Desk) -> None:
    view = desk.json("stock", SKU)
    text = desk.text("stock", SKU)

    (source,) = view["sources"]
    assert source["source_code"] == "default"
    assert source["source_qty"] == max(0, source["available_to_sell"] - source["buffer"]) + source["open_units"]
    assert text.startswith(f"SKU {SKU}\n")
    assert "available to sell in PRIMA" in text
    assert f"{source['source_qty']:>7}  quantity of the source in Magento" in text
    assert_nothing_personal(text, json.dumps(view))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("order", "000009999"), "Order 000009999 was never seen here"),
        (("stock", "NEVER"), "SKU NEVER was in no stock"),
    ],
)
def test_what_was_never_seen_ends_with_1_and_says_what_to_run(desk: Desk, words: tuple[str, str], said: str) -> None:
    for as_json in ((), ("--json",)):
        ended = desk.command(*words, *as_json)

        assert (ended.returncode, ended.stdout) == (FAILED, "")
        (line,) = ended.stderr.splitlines()
        assert line.startswith(said)
        assert "magento-prima run" in line
