"""`[[prima.errors]]`: what the error texts of an installation mean, beside those that are known."""

from typing import Any

import pytest

from sandbox.prima import PrimaStandIn
from schemas.documents import StockTuple
from tasks.errors import SystemUnavailableError
from tasks.systems.prima import DuplicateOrderError, PrimaRefusedError
from tests.systems.prima.builders import a_line, an_order
from tests.systems.prima.conftest import ClientFor

GHOST = an_order(lines=(a_line(item=StockTuple("GHOST")),))


def refused(client_for: ClientFor, *errors: dict[str, Any]) -> PrimaRefusedError:
    client = client_for(errors=list(errors))
    with pytest.raises(PrimaRefusedError) as caught:
        client.send_order(client.prepare_order(GHOST))
    return caught.value


def test_a_text_of_the_installation_becomes_noise_and_another_the_cause(client_for: ClientFor) -> None:
    assert refused(client_for).blocks[1].text.startswith("Product does not exist")
    error = refused(client_for, {"begins": "product  DOES not exist", "kind": "noise"})
    assert "There were no Valid Order Lines" in error.message
    assert [block.kind for block in error.blocks] == ["summary", "noise", "noise"]


def test_what_passes_by_itself_is_unavailable_and_not_refused(prima: PrimaStandIn, client_for: ClientFor) -> None:
    client = client_for(errors=[{"code": "E:194", "begins": "Product does not exist", "kind": "unavailable"}])
    with pytest.raises(SystemUnavailableError, match=r"cannot do it now: \(E:194\)"):
        client.send_order(client.prepare_order(GHOST))
    assert prima.order_numbers() == []


def test_another_duplicate_error_is_looked_into_like_e_21(client_for: ClientFor) -> None:
    client = client_for(errors=[{"begins": "Product does not exist", "kind": "duplicate"}])
    with pytest.raises(DuplicateOrderError) as caught:
        client.send_order(client.prepare_order(GHOST))
    assert caught.value.code == "E:21"


def test_an_entry_for_another_code_changes_nothing(client_for: ClientFor) -> None:
    error = refused(client_for, {"code": "E:548", "begins": "Product does not exist", "kind": "noise"})
    assert "Product does not exist" in error.message


def test_a_known_class_is_overruled_by_the_settings(client_for: ClientFor) -> None:
    error = refused(client_for, {"begins": "There were no Valid Order Lines", "kind": "retry"})
    assert "There were no Valid Order Lines" in error.message
