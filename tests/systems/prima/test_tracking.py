"""`[prima.tracking]`: tracking numbers out of OrderStatus, or out of a request of their own."""

from typing import Any

import pytest

from sandbox.prima import PrimaStandIn
from schemas.documents import Parcel
from tasks.errors import CallRefusedError
from tests.systems.prima.builders import an_order
from tests.systems.prima.conftest import ClientFor

POINTERS = {
    "number": "Data/Despatch/Parcel/@TrackingNumber",
    "carrier": "data/despatch/@carrier",
    "service": "Data/Despatch/Parcel/@CarrServ",
}
TWO_PARCELS = (Parcel("T1", "DPD", "NEXTDAY"), Parcel("T2", "RM", "24"))


@pytest.fixture(autouse=True)
def an_order_in_two_parcels(prima: PrimaStandIn, client_for: ClientFor) -> None:
    client = client_for()
    client.send_order(client.prepare_order(an_order()))
    prima.dispatch("30000042", {1: 1}, tracking=["T1"])
    prima.dispatch("30000042", {1: 2}, carrier="RM", service="24", tracking=["T2"])


def test_pointers_find_each_parcel_with_its_own_carrier(prima: PrimaStandIn, client_for: ClientFor) -> None:
    prima.settings.tells_tracking = "status"
    client = client_for(tracking={"source": "order_status", **POINTERS})

    state = client.order_status("30000042")

    assert state is not None
    assert state.tracking == TWO_PARCELS
    assert client.tracking("30000042") == TWO_PARCELS
    assert client.tracking("30000099") == ()


def test_a_request_of_its_own_tells_tracking_where_the_settings_name_one(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    prima.settings.tells_tracking = "request"
    client = client_for(tracking={"source": "request", **POINTERS}, requests={"despatch": "DespatchStatus"})

    assert client.tracking("30000042") == TWO_PARCELS
    state = client.order_status("30000042")
    assert state is not None
    assert state.tracking == ()
    with pytest.raises(CallRefusedError):
        client.tracking("30000099")


@pytest.mark.parametrize("changes", [
    {}, {"tracking": {"source": "order_status", "number": "Data/Box/@TrackingNumber"}},
])  # fmt: skip
def test_what_is_not_pointed_to_is_not_found(
    prima: PrimaStandIn, client_for: ClientFor, changes: dict[str, Any]
) -> None:
    prima.settings.tells_tracking = "status"
    assert client_for(**changes).tracking("30000042") == ()
