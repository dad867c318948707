"""The settings of dispatches: every mistake is said at once, with its key and what is expected."""

from datetime import timedelta
from pathlib import Path

import pytest

from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.settings.fulfilment_rules import dispatch_source, mark_rules, poll_rules

EXAMPLE = Path(__file__).parents[2] / "docs" / "settings-example.toml"


def changed(tmp_path: Path, *replacements: tuple[str, str]) -> Settings:
    """Read the example with these texts replaced."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return Settings.from_file(path)


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        changed(
            tmp_path,
            ('source = "auto" ', 'source = "drop"\ndrop_folder = "" '),
            ("up_to_hours = 168", "up_to_hours = 24"),
            ("settle_seconds = 120", "settle_seconds = -1"),
            ("https://tracking.example/dpd/{tracking_number}", "https://tracking.example/dpd/"),
            ('status = "in_prima"', 'status = "In PRIMA!"'),
            ('invoice_when = "never"', 'invoice_when = "sometimes"'),
        )
    keys = {problem.split(": ")[1] for problem in wrong.value.problems}
    assert keys == {
        "fulfilment.drop_folder",
        "fulfilment.poll_tiers",
        "fulfilment.settle_seconds",
        "carriers.DPD.tracking_url",
        "stores.0.marks.accepted.status",
        "payment_methods.checkmo.invoice_when",
    }


def test_the_source_of_dispatches_is_the_best_that_the_settings_name(tmp_path: Path) -> None:
    url = 'url = "postgresql+psycopg://reader@prima-reporting.example/prima"'
    assert dispatch_source(changed(tmp_path)) == "reporting"
    assert dispatch_source(changed(tmp_path, ("# drop_folder", "drop_folder"))) == "drop"
    assert dispatch_source(changed(tmp_path, (url, ""))) == "order_status"
    assert dispatch_source(changed(tmp_path, ('source = "auto" ', 'source = "order_status" '))) == "order_status"


def test_tiers_and_marks_reach_the_pure_steps_as_plain_values(tmp_path: Path) -> None:
    settings = changed(tmp_path)
    rules = poll_rules(settings)
    assert [(tier.up_to, tier.every) for tier in rules.tiers] == [
        (timedelta(hours=48), timedelta(minutes=30)),
        (timedelta(hours=168), timedelta(hours=3)),
    ]
    assert rules.statuses["partdespatched"] == "part_dispatched"
    accepted = mark_rules(settings)[1]["accepted"]
    assert (accepted.status, accepted.in_states, accepted.has_comment) == (
        "in_prima",
        frozenset({"new", "processing"}),
        True,
    )
