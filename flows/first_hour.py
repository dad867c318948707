"""What a new installation of PRIMA tells about itself when it is asked, as lines of `magento-prima check`. Reads only.

The questions of `[prima.check]`, and one that needs no setting: what PRIMA says of an order that cannot exist.
"""

from collections.abc import Callable, Iterator

from schemas.documents import StockTuple
from tasks import connect
from tasks.errors import CallRefusedError, IntegrationError
from tasks.settings import Settings
from tasks.settings.tuples import stock_tuple
from tasks.systems.prima import PrimaClient, PrimaRefusedError

INVENTED_ITEM = StockTuple("ZZNOSUCHITEM", "ZZ", "ZZ")
Found = tuple[str, bool, str]


def first_hour(settings: Settings) -> Iterator[Found]:
    """Yield name, whether it is as it should be, and what was found, for each question that the settings ask."""
    asked = settings.prima.check
    questions: list[tuple[str, Callable[[PrimaClient, Settings], tuple[bool, str]]]] = [
        ("PRIMA on an invented order", _invented_order)
    ]
    if asked.order_number:
        questions.append(("PRIMA on an order", _order))
    if asked.product_from or asked.product_to:
        questions.append(("PRIMA stock of a range", _range))
    if asked.item is not None:
        questions.append(("PRIMA stock of an item", _item))
    with connect.open_prima(settings) as prima:
        for name, question in questions:
            try:
                yield (name, *question(prima, settings))
            except IntegrationError as error:
                answer = getattr(error, "answer", "")
                yield name, False, f"{error}{f' The whole answer: {answer}' if answer else ''}"


def invented_order_number(settings: Settings) -> str:
    """Return a number that no order has: the one of the settings, or the prefix followed by nines."""
    orders = settings.prima.orders
    nines = "9" * (orders.number_length - len(orders.number_prefix))
    return settings.prima.check.invented_order_number or f"{orders.number_prefix}{nines}"


def _invented_order(prima: PrimaClient, settings: Settings) -> tuple[bool, str]:
    number = invented_order_number(settings)
    try:
        state = prima.order_status(number)
    except PrimaRefusedError as refused:
        if settings.prima.status_not_found_text:
            said = "does not begin with prima.status_not_found_text"
            return False, f"the answer about order {number} {said}. The whole answer: {refused.answer}"
        begins = refused.blocks[0] if refused.blocks else None
        text = "" if begins is None else f"{f'({begins.code}) ' if begins.code else ''}{begins.text}"
        text = text.replace(number, "").strip()
        return True, (
            f'order {number} is not there, if this is what PRIMA says: put "{text}" into prima.status_not_found_text, '
            f"so that an order whose answer was lost can be posted again. The whole answer: {refused.answer}"
        )
    if state is None:
        return True, f"order {number} is not there, told by prima.status_not_found_text"
    return False, (
        f"order {number} exists, in the state {state.status_text!r}: name a number that no order has in "
        "prima.check.invented_order_number"
    )


def _order(prima: PrimaClient, settings: Settings) -> tuple[bool, str]:
    number = settings.prima.check.order_number
    state = prima.order_status(number)
    if state is None:
        return False, f"order {number} is not there: name one that exists in prima.check.order_number"
    meaning = state.status or "a word that [statuses] does not have"
    tracking = prima.tracking(number)
    parcels = f", {len(tracking)} tracking numbers" if settings.prima.tracking.source != "none" else ""
    return state.status is not None, (
        f"order {number} is {state.status_text!r} ({meaning}){parcels}. The whole answer: {state.answer}"
    )


def _range(prima: PrimaClient, settings: Settings) -> tuple[bool, str]:
    asked = settings.prima.check
    snapshot = prima.stock_snapshot(asked.product_from, asked.product_to)
    seconds = (snapshot.answered_at - snapshot.asked_at).total_seconds()
    dated = sum(bool(row.available_date) for row in snapshot.rows)
    return bool(snapshot.rows), (
        f"{len(snapshot.rows)} rows of products {asked.product_from} to {asked.product_to} in {seconds:.1f} s, "
        f"{dated} with a date, company {snapshot.company or 'not named'}"
    )


def _item(prima: PrimaClient, settings: Settings) -> tuple[bool, str]:
    item = settings.prima.check.item
    assert item is not None
    known = stock_tuple(item)
    found = prima.available_to_sell([known])
    if not found:
        return False, f"item {known} has no row: name one that exists in prima.check.item"
    try:
        both = prima.available_to_sell([known, INVENTED_ITEM])
    except CallRefusedError as error:
        return True, f"{found[0].quantity} available; an item that does not exist fails the whole request: {error}"
    kind = "has no row in the answer" if len(both) == 1 else f"has a row with quantity {both[-1].quantity!r}"
    return True, f"{found[0].quantity} available; an item that does not exist {kind}"
