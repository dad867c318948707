"""Pages that are made from the program's tables are up to date."""

from pathlib import Path

from schemas import reasons_page
from schemas.reasons import REASONS
from tasks.settings import Settings, prima_page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_exceptions_is_made_from_the_table_of_reasons() -> None:
    assert (DOCS / "operations.md").read_text(encoding="utf-8") == reasons_page.page(), (
        "write it anew: python -m schemas.reasons_page > docs/operations.md"
    )


def test_every_reason_has_its_section_and_leads_to_it() -> None:
    page = reasons_page.page()
    for reason in REASONS.values():
        assert f"### {reason.code}\n" in page
        assert reason.anchor == f"docs/operations.md#{reason.code.lower()}"


def test_the_example_of_the_settings_is_accepted() -> None:
    settings = Settings.from_file(DOCS / "settings-example.toml")

    assert settings.prima.orders.number_prefix == "301"


def test_the_page_of_primas_settings_is_made_from_the_settings_classes() -> None:
    assert (DOCS / "prima-settings.md").read_text(encoding="utf-8") == prima_page.page(), (
        "write it anew: python -m tasks.settings.prima_page > docs/prima-settings.md"
    )


def test_each_unknown_of_prima_has_its_row_and_each_key_of_prima_stands_in_one() -> None:
    fields = dict(prima_page.leaves())
    keys = [key for row in prima_page.ROWS for key in row.keys]

    assert [row.number for row in prima_page.ROWS if row.number] == list(range(1, 31))
    assert len(set(keys)) == len(keys)
    assert not set(keys) - fields.keys()
    assert not {key for key in fields if key.startswith("prima.")} - set(keys)
    assert not [key for key in keys if not fields[key].description]
