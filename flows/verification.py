"""After PRIMA accepted an order: its figures equal ours, and a cancellation on one side reaches the other."""

from prefect import flow

from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.reporting import PrimaSalesOrderLines, PrimaSalesOrders
from tasks import connect
from tasks.decide import acceptance as decide
from tasks.decide import cancellations as decide_cancellations
from tasks.errors import SystemUnavailableError
from tasks.extract import acceptance as extract
from tasks.extract import cancellations as extract_states
from tasks.normalise.reporting import extract_rows
from tasks.post import cancellations as post
from tasks.record import acceptance as record
from tasks.record.acceptance import Carried, VerificationSummary
from tasks.settings import Settings
from tasks.validate import check_batch


@flow(name="verification", description="Accepted orders: PRIMA's figures equal ours; cancellations reach both sides.")
@desk_after_run("verification")
@slots_of_both_systems()
def verify_orders() -> VerificationSummary:
    """Compare PRIMA's figures of accepted orders with ours, line by line, and carry cancellations both ways.

    Raises SystemUnavailableError at the end when a system was out of reach; what was left waits for the next run.
    """
    rules = connect.acceptance_rules(Settings.from_env())
    batch = extract.fetch_accepted_orders()
    orders = check_batch(PrimaSalesOrders, whole(extract_rows("sales_orders", batch.orders)))
    lines = check_batch(PrimaSalesOrderLines, whole(extract_rows("sales_order_lines", batch.lines)))
    asked = extract_states.fetch_states(whole(batch.to_ask))
    plan = decide.acceptance(orders, lines, batch.accepted, asked, rules)
    counts = record.close_comparison(batch.batch_id, whole(batch.accepted), whole(plan))
    cancelled = decide_cancellations.cancellations(orders, lines, batch.accepted, asked, rules)
    carried = Carried(
        post.cancel_in_magento(whole(cancelled.in_magento)), post.cancel_in_prima(whole(cancelled.in_prima))
    )
    summary = record.close_cancellations(
        batch.batch_id,
        batch.watermark,
        whole(batch.accepted),
        whole(cancelled),
        whole(carried),
        counts,
        asked.is_out_of_reach,
    )
    record.show_verification(summary, [*plan.exceptions, *cancelled.exceptions])
    if summary.is_out_of_reach:
        raise SystemUnavailableError(summary.is_out_of_reach, system="magento-prima", operation="verification")
    return summary
