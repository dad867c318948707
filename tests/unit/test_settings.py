"""Settings: every mistake at once, each with file, key and what is expected; secrets never in sight."""

import tomllib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.installation import write_installation
from tasks.errors import ConfigurationError
from tasks.settings import CONFIG_VARIABLE, SECRETS, Secrets, Settings

HIDDEN = "hunter2-very-secret"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the sandbox's settings with lines replaced (a key to a whole line) and tables appended."""

    def written(*tables: str, **lines: str) -> Path:
        write_installation(tmp_path, {"magento_url": "http://127.0.0.1:9"})
        path = tmp_path / "config.toml"
        kept = path.read_text(encoding="utf-8").splitlines()
        for key, line in lines.items():
            found = [number for number, text in enumerate(kept) if text.startswith(f"{key} = ")]
            assert found, f"{key} stands nowhere"
            kept[found[0]] = line
        path.write_text("\n".join([*kept, *tables]) + "\n", encoding="utf-8")
        return path

    return written


def refused(path: Path) -> ConfigurationError:
    """Return what the settings are refused with."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_file(path)
    return caught.value


def the_problem(path: Path) -> str:
    """Return the only sentence with which the settings are refused."""
    (problem,) = refused(path).problems
    return problem


def test_the_sandboxs_settings_are_accepted(write: Write) -> None:
    settings = Settings.from_file(write())

    assert settings.prima.orders.number_prefix == "30"
    assert [store.id for store in settings.stores] == [1, 2, 3, 4]


def test_five_mistakes_of_different_kinds_are_reported_together(write: Write) -> None:
    path = write(
        '[[stores]]\nid = 1\ncode = "again"\nwebsite = "base"',
        '[surprise]\nkey = "value"',
        base_url='base_url = "shop.example"',
        price_meaning='price_meaning = "gross"',
        delivery_product="",
        concurrency="concurrency = 99",
        vat_lock="",
    )

    error = refused(path)

    expected = {
        "magento.base_url": "address of the shop",
        "prima.orders.price_meaning": "'line_gross'",
        "prima.orders.delivery_product": "is needed when delivery_as is line",
        "prima.orders.vat_lock": "is missing",
        "prima.concurrency": "less than or equal to 8",
        "stores": "each id may stand only once, but not so 1",
        "surprise": "not a known setting",
    }
    assert len(error.problems) == len(expected)
    for key, text in expected.items():
        (problem,) = [problem for problem in error.problems if f": {key}: " in problem]
        assert problem.startswith(f"{path}: ")
        assert text in problem
        assert problem in str(error)


def test_the_four_settings_without_default_are_refused_together_and_explained(write: Write) -> None:
    names = ("number_prefix", "price_meaning", "vat_lock", "delivery_as")

    error = refused(write(**dict.fromkeys(names, "")))

    assert len(error.problems) == 4
    for name in names:
        (problem,) = [problem for problem in error.problems if f": prima.orders.{name}: is missing: " in problem]
        assert "a wrong guess corrupts values silently" in problem


@pytest.mark.parametrize(
    ("lines", "tables", "key", "expected"),
    [
        ({"base_url": 'base_url = "https://shop.example/rest"'}, (), "magento.base_url", "must stop before /rest"),
        ({"number_prefix": 'number_prefix = "AB"'}, (), "prima.orders.number_prefix", "digits put before"),
        ({"number_length": "number_length = 2"}, (), "prima.orders.number_length", "greater than or equal to 4"),
        (
            {"number_length": "number_length = 4", "number_prefix": 'number_prefix = "3000"'},
            (),
            "prima.orders.number_length",
            "number_prefix",
        ),
        ({"source": 'source = "file"'}, (), "sku.file", "is needed when source is file"),
        ({"source": 'source = "pattern"'}, (), "sku.pattern", "(?P<product>...)"),
        ({"source": 'source = "pattern"\npattern = "("'}, (), "sku.pattern", "no regular expression"),
        ({"source": 'source = "guess"'}, (), "sku.source", "items = PRIMA's items extract"),
        (
            {"wsdl_url": 'wsdl_url = "http://127.0.0.1:9"\noperation = "comwsomhandler"'},
            (),
            "prima.company_id",
            "needed",
        ),
        ({}, ("[prima.reporting.queries]\nitems = 5",), "prima.reporting.queries.items", "valid string"),
        ({}, ('[[vat_rates]]\ncountry = "NL"\nrates = [21.0]',), "vat_rates.5.rates.0", "as text in quotes"),
        ({}, ('[[vat_rates]]\ncountry = "Holland"\nrates = ["21"]',), "vat_rates.5.country", "ISO 3166"),
        (
            {},
            ('[[stores]]\nid = 9\nwebsite = "base"',),
            "stores.4.code",
            "is missing: Magento's code of the store view",
        ),
        ({}, ('[delivery_methods.van]\ncarrier = "K"',), "delivery_methods.van.charge", "charge code"),
        (
            {},
            ('[payment_methods.x]\npay_method = "C"\nimport_when = "soon"',),
            "payment_methods.x.import_when",
            "'authorised'",
        ),
    ],
)
def test_a_mistake_names_its_key_and_what_is_expected(
    write: Write, lines: dict[str, str], tables: tuple[str, ...], key: str, expected: str
) -> None:
    path = write(*tables, **lines)

    problem = the_problem(path)
    assert problem.startswith(f"{path}: {key}: ")
    assert expected in problem


def test_url_and_folder_of_the_reporting_source_exclude_one_another(write: Write) -> None:
    text = (path := write()).read_text().replace("[prima.reporting]", '[prima.reporting]\nfolder = "drop"')
    path.write_text(text)

    assert ": prima.reporting.folder: give url or folder, not both" in the_problem(path)


@pytest.mark.parametrize(
    "table", ["magento", "prima", "sku", "stores", "payment_methods", "delivery_methods", "vat_rates"]
)
def test_an_empty_file_names_every_table_that_is_needed(tmp_path: Path, table: str) -> None:
    (tmp_path / "config.toml").write_text("")

    problems = refused(tmp_path / "config.toml").problems

    assert len(problems) == 7
    assert any(f": {table}: is missing: " in problem for problem in problems)


def test_a_file_that_is_no_toml_is_one_problem_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[magento]\nbase_url = \n")

    assert "config.toml cannot be read as TOML: " in str(refused(tmp_path / "config.toml"))
    assert "line 2" in str(refused(tmp_path / "config.toml"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'nowhere.toml'} does not exist" in str(refused(tmp_path / "nowhere.toml"))
    assert f"{tmp_path} cannot be read" in str(refused(tmp_path))


def test_without_the_variable_it_is_the_variable_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    with pytest.raises(ConfigurationError, match=CONFIG_VARIABLE):
        Settings.from_env()


@pytest.mark.parametrize(
    ("lines", "tables"),
    [
        ({"base_url": f'base_url = "https://admin:{HIDDEN}@shop.example"'}, ()),
        ({"base_url": f'base_url = "admin:{HIDDEN}@shop.example"'}, ()),
        ({"wsdl_url": f'wsdl_url = "https://prima:{HIDDEN}@erp.example/wsdl"'}, ()),
        ({"wsdl_url": f'wsdl_url = "http://erp.example/wsdl"\nendpoint_url = "http://u:{HIDDEN}@erp.example"'}, ()),
        ({"calls_per_second": f'calls_per_second = "mysql://u:{HIDDEN}@db"'}, ()),
        ({"calls_per_second": f'calls_per_second = "x://db?password={HIDDEN}"'}, ()),
        ({"base_url": "base_url = 5"}, (f'[prima.headers]\nX-Key = "{HIDDEN}"\nOther = 5',)),
        ({"base_url": f'access_token = "{HIDDEN}"'}, ()),
    ],
)
def test_a_secret_that_strayed_into_the_file_is_not_shown_by_the_error(
    write: Write, lines: dict[str, str], tables: tuple[str, ...]
) -> None:
    error = refused(write(*tables, **lines))

    shown = "".join([str(error), repr(error), *error.problems, *traceback.format_exception(error)])
    assert HIDDEN not in shown


def test_addresses_with_passwords_are_not_part_of_the_settings_repr(write: Write) -> None:
    path = write(f'[prima.headers]\nAuthorization = "{HIDDEN}"')
    content = tomllib.loads(path.read_text())
    content["prima"]["reporting"]["url"] = f"postgresql+psycopg://prima:{HIDDEN}@db/prima"
    content["ledger"]["url"] = f"postgresql+psycopg://ledger:{HIDDEN}@db/ledger"

    settings = Settings.model_validate(content)

    assert HIDDEN not in repr(settings)
    assert HIDDEN not in str(settings)


def test_secrets_come_from_the_environment_before_the_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGENTO_CONSUMER_KEY", "from the environment")
    monkeypatch.delenv("MAGENTO_CONSUMER_SECRET", raising=False)
    secrets = Secrets(lambda name: f"block of {name}")

    assert secrets.require("MAGENTO_CONSUMER_KEY", "MAGENTO_CONSUMER_SECRET") == [
        "from the environment",
        "block of MAGENTO_CONSUMER_SECRET",
    ]


def test_missing_secrets_are_named_together_with_the_block_they_may_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAGENTO_CONSUMER_KEY", HIDDEN)

    with pytest.raises(ConfigurationError) as caught:
        Secrets().require(*SECRETS)

    missing = [name for name in SECRETS if name != "MAGENTO_CONSUMER_KEY"]
    assert len(caught.value.problems) == len(missing)
    for name in missing:
        assert name in str(caught.value)
        assert name.lower().replace("_", "-") in str(caught.value)
    assert "MAGENTO_CONSUMER_KEY" not in str(caught.value)


def test_a_secret_that_nobody_knows_of_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        Secrets().get("MAGENTO_PASSWORT")


def test_secrets_show_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIMA_PASSWORD", HIDDEN)
    secrets = Secrets(lambda _: HIDDEN)
    secrets.require(*SECRETS)

    assert HIDDEN not in f"{secrets!r} {secrets} {vars(secrets)}"


def needs(**changes: Any) -> list[str]:
    """Return the secrets that the sandbox's settings need after changes of `magento`, `prima` or `reporting`."""
    content: dict[str, Any] = {
        "magento": {"base_url": "https://shop.example", **changes.get("magento", {})},
        "prima": {
            "wsdl_url": "https://erp.example/wsdl",
            "orders": {"number_prefix": "", "price_meaning": "unit_net", "vat_lock": "none", "delivery_as": "charge"},
            "reporting": changes.get("reporting", {}),
            **changes.get("prima", {}),
        },
        "sku": {"source": "items"},
        "stores": [{"id": 1, "code": "default", "website": "base"}],
        "payment_methods": {"checkmo": {"pay_method": "CSH"}},
        "delivery_methods": {"flatrate_flatrate": {"charge": "STD"}},
        "vat_rates": [{"country": "GB", "rates": ["20"]}],
    }
    return Settings.model_validate(content).secret_names()


def test_the_settings_know_which_secrets_they_need() -> None:
    assert needs() == list(SECRETS[:4])
    assert needs(magento={"auth": "bearer"}) == ["MAGENTO_ACCESS_TOKEN"]
    assert needs(prima={"basic_auth_user": "shop"})[-1] == "PRIMA_PASSWORD"
    assert needs(reporting={"url": "postgresql+psycopg://shop@db/prima"})[-1] == "PRIMA_REPORTING_PASSWORD"
    assert len(needs(reporting={"url": "sqlite:///prima.db"})) == 4
