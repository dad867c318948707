"""What Magento would not ship because its source holds too little: the right quantity is pushed, then it ships.

A source runs short when somebody lowered it by hand, or a push came between a dispatch and its shipment.
"""

from prefect import get_run_logger

from flows.passing import whole
from flows.stocking import carry_stock
from schemas.batches import PostingResult
from schemas.dispatches import DispatchEvidence, DispatchPlan
from tasks.decide import shortages as decide
from tasks.errors import IntegrationError
from tasks.post import shipments as post
from tasks.record import dispatches as record
from tasks.settings import Settings


def ship(plan: DispatchPlan, evidence: DispatchEvidence, settings: Settings) -> list[PostingResult]:
    """Ship what is planned; what Magento refuses for want of stock is shipped once more after a push of its SKUs.

    When the push fails the refusal stands: an exception, and the next run tries again.
    """
    results = post.post_shipments(whole(plan.to_ship))
    short = decide.without_stock(plan.to_ship, results)
    if not short:
        return results
    skus = decide.skus_of(short, evidence)
    record.doubt_levels(skus)
    try:
        carry_stock(settings, skus)
    except IntegrationError as error:
        get_run_logger().warning(f"stock of {len(skus)} SKUs could not be pushed: {error}")
    return decide.replaced(results, post.post_shipments(whole(short)))
