"""Settings of the checks of orders: what cannot be meant is refused by name, the rest becomes plain rules."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.installation import write_installation
from schemas.documents import StockTuple
from schemas.order_checks import DEFAULT_ACTIONS
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.settings.order_rules import order_rules_of

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the sandbox's settings with tables appended."""

    def written(tables: str) -> Path:
        write_installation(tmp_path, {"magento_url": "http://127.0.0.1:9"})
        path = tmp_path / "config.toml"
        path.write_text(path.read_text(encoding="utf-8") + tables, encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ('[orders.actions]\nSKU_UNKNOWN = "warn"', "SKU_UNKNOWN cannot be chosen; only ADDRESS_INCOMPLETE"),
        ('[orders.actions]\nTEXT_LOST = "ignore"', "orders.actions.TEXT_LOST"),
        ('[childrens_sizes]\nsize_in = "mtrx2"', "childrens_sizes.pattern: is needed when sizes names none"),
        ('[childrens_sizes]\nsize_in = "mtrx2"\npattern = "("', "childrens_sizes.pattern: is no regular expression"),
        (
            '[[vat_rates]]\ncountry = "GB"\nrates = ["15"]\nfirst_date = 2009-12-31\nlast_date = 2008-12-01',
            "last_date: lies before first_date 2009-12-31",
        ),
        ('[tender.loyalty]\npay_method = "X"', "tender.loyalty: is not a known setting"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(write: Write, tables: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_file(write(tables))

    assert any(problem in each for each in refused.value.problems), refused.value.problems


def test_what_the_settings_say_becomes_rules(write: Write) -> None:
    settings = Settings.from_file(
        write(
            '[orders.actions]\nTEXT_LOST = "hold"\n[childrens_sizes]\nsize_in = "mtrx1"\nsizes = ["NB"]\n'
            '[[vat_rates]]\ncountry = "CH"\nrates = ["8.1"]\nfirst_date = 2024-01-01\n'
            '[[vat_rates]]\ncountry = "CH"\nrates = ["7.7"]\nlast_date = 2023-12-31\n'
        )
    )

    rules = order_rules_of(settings)

    assert rules.actions == {**DEFAULT_ACTIONS, "TEXT_LOST": "hold"}
    assert rules.rates_of("CH", date(2023, 12, 31)) == {Decimal("7.7")}
    assert rules.rates_of("CH", date(2024, 1, 1)) == {Decimal("8.1")}
    assert rules.sizes is not None
    assert rules.sizes.is_childs(StockTuple("TEE", "NB"))
    assert set(rules.tenders) == {"gift_card", "store_credit"}
    assert (rules.duplicate_within.seconds, rules.bundles, rules.has_rounding_line) == (0, "hold", True)
