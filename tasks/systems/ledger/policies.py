"""The tolerance policy: every version that was ever in force, with who set it, when and why."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select

from schemas.breaks import TolerancePolicy
from schemas.causes import CAUSES
from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import tolerance_policies


class TolerancePolicies(Database):
    """Versions are appended, never changed."""

    def tolerance_policy(self) -> TolerancePolicy | None:
        """Return the policy in force; None while nobody has set one."""
        query = select(tolerance_policies).order_by(tolerance_policies.c.version.desc()).limit(1)
        with self._reading("tolerance policy") as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _policy(row)

    def tolerance_policies(self) -> list[TolerancePolicy]:
        """Return every version, oldest first."""
        query = select(tolerance_policies).order_by(tolerance_policies.c.version)
        with self._reading("tolerance policies") as connection:
            return [_policy(row) for row in connection.execute(query)]

    def set_tolerance_policy(self, policy: TolerancePolicy) -> TolerancePolicy:
        """Put a policy in force under the next version, now; return it.

        Raises ValueError for a limit below 0, a cause that does not exist, or without who and why.
        """
        limits = {"order": policy.order_pence, "line": policy.line_pence, "day": policy.day_pence}
        limits["materiality"] = policy.materiality_pence
        below = [name for name, pence in limits.items() if pence is not None and pence < 0]
        unknown = [method for method in policy.methods if method not in CAUSES]
        if below or unknown:
            raise ValueError(
                f"a limit may not be below 0 ({', '.join(below)})" if below else f"{', '.join(unknown)}: no such cause"
            )
        if not policy.set_by.strip() or not policy.set_because.strip():
            raise ValueError("a tolerance policy names who sets it, and why")
        now = self._now()
        values = {
            "order_pence": policy.order_pence,
            "line_pence": policy.line_pence,
            "day_pence": policy.day_pence,
            "methods": list(policy.methods),
            "materiality_pence": policy.materiality_pence,
            "set_by": policy.set_by,
            "set_at": now,
            "set_because": policy.set_because,
        }
        with self._writing("set tolerance policy") as connection:
            self._locked(connection, "tolerance policies")
            insert = tolerance_policies.insert().values(values).returning(tolerance_policies.c.version)
            version = connection.execute(insert).scalar_one()
        return replace(policy, version=version, set_at=now)


def _policy(row: Row[Any]) -> TolerancePolicy:
    return TolerancePolicy(**{**row._asdict(), "methods": tuple(row.methods)})
