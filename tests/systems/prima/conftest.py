"""A PRIMA installation on 127.0.0.1 with two items, and a client that is set up for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.prima import Item, PrimaStandIn
from tasks.settings import Secrets
from tasks.systems.prima import PrimaClient
from tests.systems.prima.builders import prima_settings

ClientFor = Callable[..., PrimaClient]


@pytest.fixture
def prima(tmp_path: Path) -> Iterator[PrimaStandIn]:
    with PrimaStandIn(tmp_path / "prima") as stand_in:
        stand_in.add_items(
            [
                Item("BOOT-F-075", "HARBRN", "F", "075", available=9),
                Item("BOOT-F-080", "HARBRN", "F", "080", available=0),
                Item("WAX", "WAXTIN", "NONE", "ONE", available=12),
            ]
        )
        yield stand_in


@pytest.fixture
def client_for(prima: PrimaStandIn) -> Iterator[ClientFor]:
    """Make clients of the stand-in with the given settings; all of them are closed at the end."""
    made: list[PrimaClient] = []

    def make(secrets: Secrets | None = None, **changes: object) -> PrimaClient:
        client = PrimaClient(prima_settings(**{"wsdl_url": prima.wsdl_url, **changes}), secrets or Secrets())
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(client_for: ClientFor) -> PrimaClient:
    return client_for()
