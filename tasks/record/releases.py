"""Findings of one order that a person released: they hold it no longer, whatever the settings say."""

from datetime import UTC, datetime

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.order_checks import DEFAULT_ACTIONS, ORDER_RELEASE, Released
from tasks import connect
from tasks.errors import ConfigurationError, NotFoundError
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def record_release(order_number: str, by: str, because: str) -> Released:
    """Release what a held order is held for, and note who did it and why on its exception.

    Only findings of `schemas/order_checks` can be released, not what an order lacks. Raises NotFoundError for an order
    that was never seen, ConfigurationError, with what is open, for one that nothing releasable holds.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        order = ledger.order(order_number)
        if order is None:
            raise NotFoundError(
                "it was never seen here.", system="ledger", operation="release", reference=f"order {order_number}"
            )
        notes = ledger.exceptions(order_number=order_number)
        codes = {note.code for note in notes if note.code in DEFAULT_ACTIONS}
        if not codes or order.state not in ("held", "refused"):
            listed = ", ".join(sorted({note.code for note in notes})) or "none"
            raise ConfigurationError(
                f"nothing that can be released holds it: it is {order.state}, open exceptions: {listed}.",
                system="magento-prima",
                operation="release",
                reference=f"order {order_number}",
                next_step=f"Only these can be released: {', '.join(sorted(DEFAULT_ACTIONS))}.",
            )
        earlier = (ledger.mapping(ORDER_RELEASE, order_number) or {}).get("codes", [])
        value = {
            "codes": sorted({*codes, *earlier}),
            "because": because,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        ledger.set_mapping(ORDER_RELEASE, order_number, value, by)
        for note in notes:
            if note.code in codes:
                ledger.note_on_exception(note.id, by=by, text=f"released: {because}")
    return Released(order_number, tuple(sorted(codes)), by, because)


def show_release(released: Released) -> None:
    """Log what became of a released order and publish it as the artifact `release`."""
    counts = ", ".join(f"{step} {count}" for step, count in released.counts.items() if count)
    row = {
        "order": released.order_number,
        "released": ", ".join(released.codes),
        "by": released.by,
        "because": released.because,
        "what became of it": counts,
    }
    create_table_artifact(key="release", table=[row], description=f"Order {released.order_number}, released")
    get_run_logger().info("order %s released (%s): %s", released.order_number, ", ".join(released.codes), counts)
