"""How far PRIMA is with an order, on the Magento order itself; where the settings of its store want that."""

from flows.passing import whole
from tasks.decide import marks as decide
from tasks.extract import marks as extract
from tasks.post import marks as post
from tasks.record import marks as record
from tasks.settings import Settings
from tasks.settings.fulfilment_rules import mark_rules


def mark_orders(settings: Settings) -> None:
    """Write accepted, part dispatched, dispatched and problem on the orders whose mark has changed."""
    requests = decide.marks(extract.fetch_marked_orders(), mark_rules(settings))
    if requests:
        record.close_marks(whole(post.post_marks(whole(requests))))
