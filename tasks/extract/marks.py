"""Orders whose mark in Magento may have to change: how far they are, their open problems, their parcels."""

from datetime import UTC, datetime, timedelta
from typing import cast

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.marks import Mark, MarkedOrder, Parcel
from tasks import connect
from tasks.settings import Settings

DAYS_BACK = 60
SEVERE = ("problem", "critical")


@task(cache_policy=NO_CACHE)
def fetch_marked_orders() -> list[MarkedOrder]:
    """Return the orders of the last 60 days whose mark is not what they have reached, and those with open problems.

    Source: the ledger. Exceptions of the severities problem and critical are problems. Where no store has marks the
    list is empty.
    """
    settings = Settings.from_env()
    if not any(store.marks for store in settings.stores):
        return []
    since = datetime.now(UTC) - timedelta(days=DAYS_BACK)
    with connect.open_ledger(settings) as ledger:
        problems: dict[str, set[str]] = {}
        for note in ledger.exceptions():
            if note.order_number and note.severity in SEVERE:
                problems.setdefault(note.order_number, set()).add(note.code)
        found = ledger.orders_to_mark(since, sorted(problems))
        parcels = {
            order.order_number: [
                Parcel(track.title, track.track_number, track.url)
                for tracks in ledger.dispatch_tracks(
                    [link.dispatch_number for link in ledger.dispatch_links_of(order.order_number)]
                ).values()
                for track in tracks
                if track.state == "told"
            ]
            for order in found
            if order.reached != "accepted"
        }
    return [
        MarkedOrder(
            order_number=order.order_number,
            entity_id_magento=order.entity_id_magento,
            store_id=order.store_id,
            reached=cast(Mark, order.reached),
            order_number_prima=order.order_number_prima,
            told=order.mark,
            status=order.status,
            status_before=order.status_before,
            turn=f"{order.told_at:%Y%m%d%H%M%S%f}" if order.told_at else "first",
            problems=tuple(sorted(problems.get(order.order_number, ()))),
            parcels=parcels.get(order.order_number, []),
        )
        for order in found
    ]
