"""What a person decided about one held order: released, its findings hold it no longer; refused, it stays here."""

from datetime import UTC, datetime

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.documents import ExceptionNote
from schemas.order_checks import DEFAULT_ACTIONS, ORDER_REFUSAL, ORDER_RELEASE, REFUSED, Released
from tasks import connect
from tasks.errors import ConfigurationError, NotFoundError
from tasks.settings import Settings
from tasks.systems.ledger import OrderRecord, OrderStateName

# An order in one of these has not left for PRIMA, and cannot leave once it is held.
HERE: frozenset[OrderStateName] = frozenset({"seen", "excluded", "held", "ready", "refused"})


@task(cache_policy=NO_CACHE)
def record_release(order_number: str, by: str, because: str) -> Released:
    """Release what a held order is held for, and note who did it and why on its exception; a refusal ends by it.

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
        refusal = ledger.mapping(ORDER_REFUSAL, order_number)
        codes = {note.code for note in notes if note.code in DEFAULT_ACTIONS} | set(refusal["codes"] if refusal else ())
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
        ledger.drop_mapping(ORDER_REFUSAL, order_number, by)
        for note in notes:
            if note.code in (*codes, REFUSED):
                ledger.note_on_exception(note.id, by=by, text=f"released: {because}")
    return Released(order_number, tuple(sorted(codes)), by, because)


@task(cache_policy=NO_CACHE)
def record_refusal(order_number: str, by: str, because: str) -> bool:
    """Keep a held order from PRIMA until somebody releases it; note who did it and why on its exception.

    False, and nothing is changed, when no check holds it any more: it went on, or was cancelled.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        notes = [note for note in ledger.exceptions(order_number=order_number) if note.code in DEFAULT_ACTIONS]
        # In one statement with the look at its state: a run that is about to post it finds it held, or has it already.
        if not notes or not ledger.set_order_states([order_number], "held", expected={"held", "refused"}):
            return False
        at = datetime.now(UTC).isoformat(timespec="seconds")
        codes = sorted({note.code for note in notes})
        ledger.set_mapping(ORDER_REFUSAL, order_number, {"codes": codes, "because": because, "by": by, "at": at}, by)
        ledger.drop_mapping(ORDER_RELEASE, order_number, by)
        for note in notes:
            ledger.note_on_exception(note.id, by=by, text=f"refused: {because}")
    return True


@task(cache_policy=NO_CACHE)
def record_withdrawal(order_number: str, by: str, because: str) -> Released:
    """Let a release count no longer: the order is held again for what was released, until a run looks at it anew.

    Raises NotFoundError for an order that was never seen, ConfigurationError, with what to do instead, when nothing was
    released or the order has left for PRIMA. Then nothing is changed.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        order = ledger.order(order_number)
        if order is None:
            raise NotFoundError(
                "it was never seen here.", system="ledger", operation="withdraw release", reference=order_number
            )
        release = ledger.mapping(ORDER_RELEASE, order_number)
        if release is None:
            raise _not_withdrawn(order, "nothing of it was released", "Look at `magento-prima exceptions list`.")
        # In one statement with the look at its state: a run that is about to post it finds it held, or has it already.
        if not ledger.set_order_states([order_number], "held", expected=HERE):
            raise _not_withdrawn(
                ledger.order(order_number) or order,
                "it is not here any more",
                "Cancel it in Magento; where PRIMA has it, the next run says what to do there.",
            )
        ledger.drop_mapping(ORDER_RELEASE, order_number, by)
        codes = tuple(str(code) for code in release["codes"])
        detail = f"its release was withdrawn: {because}"
        notes = [
            ExceptionNote(
                code,
                f"order {order_number}",
                detail,
                order_number=order_number,
                value_at_risk_pence=order.gross_pence,
                currency=order.currency,
            )
            for code in codes
        ]
        ledger.raise_exceptions("", notes)
        for note in ledger.exceptions(order_number=order_number):
            if note.code in codes:
                ledger.note_on_exception(note.id, by=by, text=f"release withdrawn: {because}")
    return Released(order_number, codes, by, because)


def _not_withdrawn(order: OrderRecord, why: str, next_step: str) -> ConfigurationError:
    number = f", {order.order_number_prima} in PRIMA" if order.order_number_prima else ""
    return ConfigurationError(
        f"its release cannot be withdrawn: {why}; it is {order.state}{number}.",
        system="magento-prima",
        operation="withdraw release",
        reference=f"order {order.order_number}",
        next_step=next_step,
    )


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
