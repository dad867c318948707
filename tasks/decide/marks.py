"""Which orders in Magento are to show another mark than they do, and in which words. Pure."""

from collections.abc import Sequence

from schemas.marks import Mark, MarkedOrder, MarkRequest, MarkRule, MarkRules
from tasks.decide.dispatches import shown

NOTHING = MarkRule("", frozenset(), has_comment=False, is_visible=False)
WORDS: dict[Mark, str] = {
    "accepted": "accepted as {number}",
    "part_dispatched": "a part is dispatched",
    "dispatched": "dispatched",
    "problem": "needs attention",
}


def marks(orders: Sequence[MarkedOrder], rules: MarkRules) -> list[MarkRequest]:
    """Return what is to be written on each order whose mark has changed.

    A problem stands above how far the order is, and is cleared when its last exception closes: the status that stood
    before comes back, unless the mark that the order has reached has one of its own. A mark without a rule is not
    written. Magento's state is never asked for: a status is written only under the states that its rule names.
    """
    found = []
    for order in orders:
        of_store = rules.get(order.store_id, {})
        mark: Mark = "problem" if order.problems and "problem" in of_store else order.reached
        if mark == order.told:
            continue
        is_cleared = order.told == "problem"
        rule = of_store.get(mark, NOTHING)
        if mark not in of_store and not is_cleared:
            continue
        has_comment = rule.has_comment or (is_cleared and of_store.get("problem", NOTHING).has_comment)
        gives_back = is_cleared and bool(order.status) and not rule.status
        found.append(
            MarkRequest(
                order_number=order.order_number,
                entity_id_magento=order.entity_id_magento,
                mark=mark,
                turn=order.turn,
                status=order.status_before if gives_back else rule.status,
                in_states=of_store["problem"].in_states if gives_back and "problem" in of_store else rule.in_states,
                comment=text(order, mark, is_cleared=is_cleared) if has_comment else "",
                is_visible=rule.is_visible,
                # What somebody else wrote over our status is not ours to take back.
                status_to_replace=order.status if gives_back else "",
            )
        )
    return found


def text(order: MarkedOrder, mark: Mark, *, is_cleared: bool) -> str:
    """Return the comment: codes and parcels, never anything about the customer."""
    words = WORDS[mark].format(number=order.order_number_prima)
    if mark == "problem":
        words += f": {', '.join(order.problems)}"
    if mark in ("part_dispatched", "dispatched") and order.parcels:
        words += ": " + "; ".join(
            " ".join(filter(None, (parcel.title, shown(parcel.number), parcel.url))) for parcel in order.parcels
        )
    return f"PRIMA: problem solved, {words}" if is_cleared else f"PRIMA: {words}"
