"""What is known of a batch of orders beside their records, gathered before anything is decided about them."""

import pandas as pd

from flows.passing import whole
from schemas.order_checks import Circumstances
from schemas.orders import OrderFrames
from schemas.rules import OrderRules
from tasks.decide.order_checks.duplicates import baskets
from tasks.decide.order_checks.numbers import prima_numbers
from tasks.extract import order_checks as extract
from tasks.normalise import orders as normalise


def circumstances(
    accepted: pd.DataFrame, frames: OrderFrames, posted: dict[str, str], rules: OrderRules
) -> Circumstances:
    """Return what people released or refused, the numbers given away, and orders that look like one of the batch."""
    undecided = accepted[~accepted["order_number"].isin(list(posted))]
    if undecided.empty:
        return Circumstances()
    beside = extract.fetch_beside(whole(baskets(frames, undecided)), whole(prima_numbers(undecided, rules)))
    return Circumstances(beside.released, baskets(normalise.orders(beside.records)), beside.numbers, beside.refused)
