"""Where dispatches come from: dropped files, PRIMA asked order by order; and whose they are."""

from pathlib import Path
from typing import Literal

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from flows.fulfilment import sync_fulfilment
from flows.orders import sync_orders
from schemas.drops import DISPATCH_DROP
from tasks.errors import SystemUnavailableError
from tests.flows.shopping import (
    JEANS,
    TEE,
    Order,
    a_line,
    accepted_order,
    buy,
    in_prima,
    prima_number,
    ship_calls,
    shipped_units,
    state,
    stock_both,
    tracks,
)
from tests.installation import Installation

HEADER = ",".join(column.name for column in DISPATCH_DROP.columns)


@pytest.fixture
def order(installation: Installation) -> Order:
    """An order of 3 tees and 2 pairs of jeans that PRIMA has accepted."""
    return accepted_order(installation)


@pytest.fixture
def folder(installation: Installation) -> Path:
    """A folder into which PRIMA drops files, named in the settings."""
    dropped = installation.folder / "drop"
    dropped.mkdir()
    installation.configure(settle_seconds=f'0\ndrop_folder = "{dropped}"')
    return dropped


def a_file(order: Order, number: str, lines: dict[int, int], *, carrier: str = "DPD", tracking: str = "1550") -> str:
    """Return a file with one dispatch of an order."""
    common = f"{number},{prima_number(order)},2026-11-23 15:40:00,{carrier},NEXTDAY,{tracking}"
    rows = [f"{common},{place},{line},X,,,,,{units}" for place, (line, units) in enumerate(lines.items(), start=1)]
    return "\n".join([HEADER, *rows, f"END,{len(rows)}"]) + "\n"


def lying_in(folder: Path) -> list[str]:
    return sorted(path.parent.name + "/" + path.name for path in folder.rglob("*") if path.is_file())


def test_dropped_files_are_told_once_each_and_what_is_cut_is_refused_with_its_reason(
    installation: Installation, order: Order, folder: Path
) -> None:
    (folder / "a.csv").write_text(a_file(order, "D1", {1: 2}))
    (folder / "b.csv").write_text(a_file(order, "D2", {1: 1, 2: 2})[:-15])
    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert shipped_units(shipment, order) == {TEE: 2}
    assert installation.open_codes() == {"file b.csv": "DISPATCH_FILE_REFUSED"}
    assert [name for name in lying_in(folder) if name.startswith("refused/")] == [
        "refused/b.csv",
        "refused/b.csv.reason.txt",
    ]

    # The same file again, the whole of the one that was cut, and a carrier that nobody knows.
    (folder / "a-again.csv").write_text(a_file(order, "D1", {1: 2}))
    (folder / "b2.csv").write_text(a_file(order, "D2", {1: 1, 2: 2}, carrier="DPDX"))
    for path in (folder / "refused").iterdir():
        path.unlink()
    sync_fulfilment()
    assert ship_calls(installation) == 1
    assert installation.open_codes() == {"dispatch D2": "CARRIER_UNKNOWN"}
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
    assert note.suggestions == ("DPD",)

    # Nothing is dropped any more: what is held is still known.
    installation.add_settings('[carriers.DPDX]\ntitle = "DPD Express"')
    sync_fulfilment()
    _, second = installation.magento.shipments()
    assert (shipped_units(second, order), tracks(second)) == ({TEE: 1, JEANS: 2}, [("1550", "custom", "DPD Express")])
    assert len(installation.magento.emails) == 2
    assert (state(installation, order), installation.open_codes()) == ("dispatched", {})


def test_a_run_that_stopped_at_the_drop_folder_leaves_nothing_untold_and_nothing_told_twice(
    installation: Installation, order: Order, folder: Path
) -> None:
    (folder / "a.csv").write_text(a_file(order, "D1", {1: 2}))
    with installation.ledger() as ledger, ledger.lane("dispatch drop", owner="elsewhere:1:1", seconds=60):
        sync_fulfilment()
    assert lying_in(folder) == ["drop/a.csv"], "another worker is at the folder"
    sync_fulfilment()

    # Stopped when the dispatches were kept and their file not archived; when a file was set aside and nobody told.
    (archived,) = folder.glob("archive/*/a.csv")
    archived.rename(folder / "claimed" / "a.csv")
    (folder / "refused").mkdir()
    (folder / "refused" / "b.csv").write_text("half of a")
    (folder / "refused" / "b.csv.reason.txt").write_text("b.csv was refused: it is cut\n")
    sync_fulfilment()

    assert archived.exists()
    assert (ship_calls(installation), len(installation.magento.emails)) == (1, 1)
    with installation.ledger() as ledger:
        (note,) = ledger.exceptions()
        assert (note.code, note.subject) == ("DISPATCH_FILE_REFUSED", "file b.csv")
        assert "it is cut" in note.detail
        ledger.close_exception(note.id, by="jane", note="PRIMA writes it anew")
    sync_fulfilment()
    assert installation.open_codes() == {}, "told once; the file may go on lying there"


def test_where_nothing_else_tells_of_dispatches_prima_is_asked_for_open_orders(installation: Installation) -> None:
    order = accepted_order(installation)
    part = buy(installation, a_line(TEE, 2))
    still_open = buy(installation, a_line(TEE))
    sync_orders()
    installation.configure(
        settle_seconds='0\nsource = "order_status"\npoll_tiers = [{ up_to_hours = 48, every_minutes = 1 }]'
    )
    installation.prima.dispatch(prima_number(order))
    installation.prima.dispatch(prima_number(part), {1: 1})

    sync_fulfilment()
    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert (shipped_units(shipment, order), tracks(shipment)) == ({TEE: 3, JEANS: 2}, [])
    assert (state(installation, order), state(installation, still_open)) == ("dispatched", "accepted")
    assert installation.open_codes() == {f"order {part['increment_id']}": "DISPATCH_PART_UNTOLD"}
    asked = [each for each in installation.prima.requests() if each["request_type"] == "OrderStatus"]
    assert len(asked) == 3, "asked again before the minute was over"
    ours = ArtifactFilter(key=ArtifactFilterKey(any_=["fulfilment"]))
    with get_client(sync_client=True) as client:
        page = client.read_artifacts(artifact_filter=ours, sort=ArtifactSort.CREATED_DESC)[0]
    assert "tells neither carriers nor tracking numbers nor parts" in str(page.description)


def test_orders_of_which_prima_has_no_word_take_no_other_ones_turn_and_a_prima_that_is_away_is_no_quiet_day(
    installation: Installation,
) -> None:
    installation.configure(settle_seconds='0\nsource = "order_status"\npoll_calls = 1')
    stock_both(installation, {TEE: 100})
    lost, gone, leaves = (accepted_after(installation) for _ in range(3))
    for order in (lost, gone):
        in_prima(installation, f"delete from stand_in_orders where order_number = '{prima_number(order)}'")
    installation.prima.dispatch(prima_number(leaves))

    installation.prima.faults.add("OrderStatus", "status", status=503, times=None)
    with pytest.raises(SystemUnavailableError, match="PRIMA, OrderStatus"):
        sync_fulfilment()
    installation.prima.faults.clear()
    installation.configure(status_not_found_text='"words that PRIMA never says"')
    sync_fulfilment()
    installation.configure(status_not_found_text=f'"{installation.prima.not_found_text}"')
    sync_fulfilment()
    assert installation.magento.shipments() == [], "one question a run, the order that was accepted first before all"
    sync_fulfilment()
    assert len(installation.magento.shipments(leaves["increment_id"])) == 1


def accepted_after(installation: Installation) -> Order:
    """Return an order of a tee that PRIMA accepts after all others."""
    order = buy(installation, a_line(TEE))
    sync_orders()
    return order


@pytest.mark.parametrize(("source", "tells"), [("order_status", "status"), ("request", "request")])
def test_tracking_numbers_that_prima_points_to_reach_the_customer(
    installation: Installation, source: str, tells: Literal["status", "request"]
) -> None:
    order = accepted_order(installation)
    installation.prima.settings.tells_tracking = tells
    installation.configure(settle_seconds='0\nsource = "order_status"')
    installation.add_settings(
        f'[prima.tracking]\nsource = "{source}"\nnumber = "Data/Despatch/Parcel/@TrackingNumber"\n'
        'carrier = "Data/Despatch/@Carrier"\n[prima.requests]\ndespatch = "DespatchStatus"'
    )
    installation.prima.dispatch(prima_number(order), tracking=["T1", "T2"])

    sync_fulfilment()

    (shipment,) = installation.magento.shipments()
    assert tracks(shipment) == [("T1", "custom", "DPD"), ("T2", "custom", "DPD")]
    assert installation.open_codes() == {}


def test_dispatches_of_another_channel_are_counted_and_left_alone(installation: Installation, order: Order) -> None:
    installation.prima.dispatch(prima_number(order))
    in_prima(installation, "update stand_in_dispatches set order_number = '20999999'")
    in_prima(installation, "update stand_in_dispatch_lines set order_number = '20999999'")

    summary = sync_fulfilment()

    assert (summary.counts["read"], summary.counts["of other channels"], summary.counts["fetched"]) == (1, 1, 0)
    assert installation.open_codes() == {}
    assert installation.magento.shipments() == []
