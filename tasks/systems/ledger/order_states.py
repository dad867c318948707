"""The state of an order, and which worker has it in hand."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from tasks.errors import ConfigurationError, NotFoundError
from tasks.systems.ledger.database import SYSTEM, Database, chunks, distinct
from tasks.systems.ledger.errors import LedgerStateError
from tasks.systems.ledger.models import orders
from tasks.systems.ledger.states import OrderStateName, states_before


class OrderStates(Database):
    """Moves along the state machine of `states.py`, each one checked and written in a single statement."""

    def set_order_state(
        self,
        order_number: str,
        state: OrderStateName,
        *,
        expected: Collection[OrderStateName] | None = None,
        customer_code: str | None = None,
        order_number_prima: str | None = None,
        accepted_at: datetime | None = None,
    ) -> None:
        """Move an order to a state; to stay in it is allowed. `expected` narrows the states it may come from.

        The first move to `accepted` records `accepted_at` (now, unless given). Raises NotFoundError for an unknown
        order, LedgerStateError when the move is not allowed, ConfigurationError when another order has the PRIMA
        number.
        """
        values = self._values(state, accepted_at)
        if customer_code is not None:
            values["customer_code"] = customer_code
        if order_number_prima is not None:
            values["order_number_prima"] = order_number_prima
        this = orders.c.order_number == order_number
        move = update(orders).where(this, orders.c.state.in_(_allowed(state, expected))).values(values)
        with self._writing("set order state") as connection:
            try:
                if connection.execute(move).rowcount == 1:
                    return
            except IntegrityError as error:
                raise ConfigurationError(
                    f"PRIMA number {order_number_prima} already belongs to another order.",
                    system=SYSTEM,
                    operation="set order state",
                    reference=order_number,
                ) from error
            found = connection.execute(select(orders.c.state).where(this)).scalar_one_or_none()
        reference = f"order {order_number}"
        if found is None:
            raise NotFoundError("it was never seen.", system=SYSTEM, operation="set order state", reference=reference)
        only = f" (expected {' or '.join(sorted(expected))})" if expected is not None else ""
        raise LedgerStateError(
            f"it is {found} and may not become {state}{only}.",
            system=SYSTEM,
            operation="set order state",
            reference=reference,
        )

    def set_order_states(
        self,
        order_numbers: Sequence[str],
        state: OrderStateName,
        *,
        expected: Collection[OrderStateName] | None = None,
    ) -> list[str]:
        """Move many orders in one transaction and return those moved, sorted; those that may not move are left."""
        values = self._values(state, None)
        moved: list[str] = []
        with self._writing("set order states") as connection:
            for part in chunks(distinct(order_numbers)):
                # Locked in one order before they change, so that two such calls cannot deadlock.
                free = select(orders.c.order_number).where(
                    orders.c.order_number.in_(part), orders.c.state.in_(_allowed(state, expected))
                )
                numbers = connection.execute(free.order_by(orders.c.order_number).with_for_update()).scalars().all()
                connection.execute(update(orders).where(orders.c.order_number.in_(numbers)).values(values))
                moved.extend(numbers)
        return moved

    def claim_orders(
        self, owner: str, *, states: Collection[OrderStateName], limit: int, lease_seconds: int
    ) -> list[str]:
        """Take up to `limit` orders in these states that nobody has in hand; return their numbers, oldest first.

        A claim ends by `release_orders` or after `lease_seconds`; until then nobody else gets the order, not even the
        same owner. Claims share out work; a lane is still what keeps writes about one order apart.
        """
        now = self._now()
        free = (
            select(orders.c.order_number)
            .where(
                orders.c.state.in_(sorted(states)),
                or_(orders.c.claimed_until.is_(None), orders.c.claimed_until <= now),
            )
            .order_by(orders.c.placed_at, orders.c.order_number)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claim = {"claimed_by": owner, "claimed_until": now + timedelta(seconds=lease_seconds)}
        with self._writing("claim orders") as connection:
            numbers = list(connection.execute(free).scalars())
            for part in chunks(numbers):
                connection.execute(update(orders).where(orders.c.order_number.in_(part)).values(claim))
        return numbers

    def release_orders(self, owner: str, order_numbers: Sequence[str]) -> int:
        """Give claimed orders back before their lease ends; return how many the owner still had."""
        released = 0
        with self._writing("release orders") as connection:
            for number in distinct(order_numbers):
                mine = (orders.c.order_number == number, orders.c.claimed_by == owner)
                free = update(orders).where(*mine).values(claimed_by="", claimed_until=None)
                released += connection.execute(free).rowcount
        return released

    def _values(self, state: OrderStateName, accepted_at: datetime | None) -> dict[str, Any]:
        now = self._now()
        since: ColumnElement[Any] = case((orders.c.state == state, orders.c.state_since), else_=now)
        values: dict[str, Any] = {"state": state, "state_since": since}
        if state == "accepted":
            values["accepted_at"] = func.coalesce(orders.c.accepted_at, accepted_at or now)
        return values


def _allowed(state: OrderStateName, expected: Collection[OrderStateName] | None) -> list[str]:
    allowed = states_before(state)
    return sorted(allowed if expected is None else allowed & set(expected))
