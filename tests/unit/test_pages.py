"""Pages that are made from the program's tables are up to date."""

from pathlib import Path

from schemas import reasons_page
from schemas.reasons import REASONS
from tasks.settings import Settings

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
