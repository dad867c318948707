"""The states of orders and postings, and which may follow which."""

from typing import Literal, get_args

OrderStateName = Literal[
    "seen",
    "excluded",
    "held",
    "ready",
    "posting",
    "refused",
    "unknown",
    "accepted",
    "part_dispatched",
    "dispatched",
    "closed",
    "cancelled",
]
PostingState = Literal["pending", "unknown", "posted", "refused"]
PushState = Literal["pending", "unknown", "posted", "refused", "withdrawn"]
ExceptionState = Literal["open", "closed"]

ORDER_STATES: tuple[OrderStateName, ...] = get_args(OrderStateName)

# Any state may also become `cancelled`. Until an order is posted, every run decides anew whether it is ready, held or
# left out: rules, mappings and the order itself change. `ready` goes back to `refused` without a call while it is not
# time to try again what PRIMA refused. A full dispatch goes from `accepted` to `dispatched` at once.
_DECIDED: frozenset[OrderStateName] = frozenset({"ready", "held", "excluded"})
FOLLOWERS: dict[OrderStateName, frozenset[OrderStateName]] = {
    "seen": _DECIDED,
    "excluded": _DECIDED | {"seen"},
    "held": _DECIDED,
    "ready": _DECIDED | {"posting", "refused"},
    "posting": frozenset({"accepted", "refused", "unknown"}),
    "refused": _DECIDED,
    "unknown": frozenset({"accepted", "ready"}),
    "accepted": frozenset({"part_dispatched", "dispatched"}),
    "part_dispatched": frozenset({"dispatched"}),
    "dispatched": frozenset({"closed"}),
    "closed": frozenset(),
    "cancelled": frozenset(),
}

# PRIMA has, or had, the order.
AFTER_ACCEPTANCE: tuple[OrderStateName, ...] = ("accepted", "part_dispatched", "dispatched", "closed", "cancelled")

# At most one attempt of a posting key may be in one of these: a second one could write twice.
LIVE_POSTING_STATES: tuple[PostingState, ...] = ("pending", "unknown", "posted")


def may_become(state: OrderStateName, following: OrderStateName) -> bool:
    """Tell whether an order may go from one state to another; staying where it is is always allowed."""
    return state == following or following == "cancelled" or following in FOLLOWERS[state]


def states_before(state: OrderStateName) -> frozenset[OrderStateName]:
    """Return the states that an order may come from, the state itself among them."""
    return frozenset(earlier for earlier in ORDER_STATES if may_become(earlier, state))
