"""`magento-prima check` against an installation that nobody knows yet: what it finds out; it writes nothing."""

import json
from collections.abc import Callable, Iterator

import pytest

from flows import checks
from flows.first_hour import first_hour
from flows.numbers import order_numbers
from sandbox.prima import Item, PrimaStandIn
from tasks import connect
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tests.installation import Installation
from tests.recorded import sample_orders

Asked = Callable[..., dict[str, tuple[bool, str]]]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installed = Installation(tmp_path_factory.mktemp("first-hour"))
    installed.start()
    with installed.ledger():
        pass
    yield installed
    installed.stop()


@pytest.fixture
def prima(installation: Installation) -> PrimaStandIn:
    return installation.prima


@pytest.fixture
def asked(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Ask the questions with these changes of `[prima]`; returns the lines by name."""
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)

    def ask(**changes: object) -> dict[str, tuple[bool, str]]:
        content = installation.settings.model_dump()
        content["prima"] |= changes
        return {name: (is_good, text) for name, is_good, text in first_hour(Settings.model_validate(content))}

    return ask


def test_an_unknown_not_found_text_is_shown_ready_to_be_copied(asked: Asked, prima: PrimaStandIn) -> None:
    is_good, text = asked(status_not_found_text="")["PRIMA on an invented order"]

    assert is_good
    assert "order 30999999 is not there" in text
    copied = text.split('put "')[1].split('"')[0]
    assert copied == prima.not_found_text
    assert "<Result" in text
    assert asked(status_not_found_text=copied)["PRIMA on an invented order"] == (
        True, "order 30999999 is not there, told by prima.status_not_found_text",
    )  # fmt: skip


def test_a_not_found_text_that_is_not_primas_is_wrong(asked: Asked) -> None:
    is_good, text = asked(status_not_found_text="No such order")["PRIMA on an invented order"]
    assert not is_good
    assert "<Result" in text


def test_range_item_and_order_of_the_settings_are_asked_for(
    asked: Asked, prima: PrimaStandIn, installation: Installation
) -> None:
    prima.add_items([Item("BOOT", "HARBRN", "F", "075", available=9), Item("WAX", "WAXTIN", available=1)])
    questions = {"product_from": "H", "product_to": "I", "item": {"product": "HARBRN", "mtrx1": "F", "mtrx2": "075"}}

    lines = asked(check=questions)

    assert lines["PRIMA stock of a range"][1].startswith("1 rows of products H to I in ")
    assert lines["PRIMA stock of an item"] == (
        True, "9 available; an item that does not exist has no row in the answer",
    )  # fmt: skip
    prima.settings.unknown_sku = "error"
    assert "fails the whole request" in asked(check=questions)["PRIMA stock of an item"][1]
    prima.settings.unknown_sku = "missing"
    is_good, text = asked(check={"order_number": "30000001"})["PRIMA on an order"]
    assert not is_good
    assert "is not there" in text
    assert {request["request_type"] for request in prima.requests()} == {
        "OrderStatus", "ProductAvailableToSell", "MultiAvailableToSell",
    }  # fmt: skip
    assert prima.order_numbers() == []


def test_check_prints_the_form_of_the_envelope_and_the_first_hour(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    away = installation.folder / "away"
    installation.add_settings(f'[refunds]\nto_prima = "export"\nexport_folder = "{away}"')
    lines = {line.name: line for line in checks.check_all()}

    for found in ("style rpc", "use literal", "request_part xmlIn", "answer_parts xmlOut"):
        assert found in lines["PRIMA web service"].text
    assert [line.name for line in lines.values() if not line.is_good] == ["folder of refunds"]
    assert (f"{away} does not exist" in lines["folder of refunds"].text, lines["folder of refunds"].is_setting) == (
        True,
        True,
    )


def numbers(installation: Installation, **orders: object) -> str:
    """Return what start-up says of the shop's order numbers under these settings."""
    content = installation.settings.model_dump()
    content["prima"]["orders"] |= orders
    settings = Settings.model_validate(content)
    with connect.open_magento(settings) as magento:
        return order_numbers(settings, magento)


def test_the_latest_order_of_each_store_view_must_fit_at_start_up(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    assert numbers(installation) == "order numbers up to 0 of 999999"
    installation.magento.load_orders(json.loads(json.dumps(sample_orders(), default=float)))

    assert numbers(installation) == "order numbers up to 125 of 999999"
    assert numbers(installation, number_length=5) == "order numbers up to 125 of 999"
    with pytest.raises(ConfigurationError, match=r"has the entity_id '\d+': number_length 4 leaves room for 1 "):
        numbers(installation, number_length=4, number_prefix="300")
    with pytest.raises(ConfigurationError) as caught:
        numbers(installation, number_from="increment_id", number_length=8)
    assert all("takes digits only" in problem for problem in caught.value.problems)
    assert numbers(installation, number_from="increment_id", number_length=14).startswith("order numbers up to ")
