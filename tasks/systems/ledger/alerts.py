"""Alerts: pending before the message leaves, sent once the channel took it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from schemas.alerts import Message, PastAlert
from tasks.systems.ledger.database import Database, chunks
from tasks.systems.ledger.models import alert_members, alerts


class Alerts(Database):
    """At most one alert is pending for a channel, a topic and a level. What was sent stays as proof."""

    def alerts_about(self, exception_ids: Sequence[int], *, since: datetime) -> list[PastAlert]:
        """Return the alerts about these exceptions, those that are pending, and all that began since then."""
        found: dict[int, PastAlert] = {}
        with self._reading("alerts") as connection:
            wanted: list[ColumnElement[bool]] = [or_(alerts.c.state == "pending", alerts.c.begun_at >= since)]
            for part in chunks(sorted(set(exception_ids))):
                told = select(alert_members.c.alert_id).where(alert_members.c.exception_id.in_(part))
                wanted.append(alerts.c.id.in_(told))
            for condition in wanted:
                rows = connection.execute(select(alerts).where(condition)).all()
                found.update((past.id, past) for past in _with_members(connection, rows))
        return [found[number] for number in sorted(found)]

    def begin_alert(self, alert: Message) -> int:
        """Write an alert down as pending, or one more attempt on it, and return its number. Then call the channel."""
        now = self._now()
        with self._writing("begin alert") as connection:
            self._locked(connection, "alerts")
            same = (alerts.c.channel == alert.channel, alerts.c.topic == alert.topic, alerts.c.level == alert.level)
            number: int | None = connection.execute(
                update(alerts)
                .where(*same, alerts.c.state == "pending")
                .values(tried_at=now, attempts=alerts.c.attempts + 1)
                .returning(alerts.c.id)
            ).scalar_one_or_none()
            if number is None:
                row = {"channel": alert.channel, "topic": alert.topic, "level": alert.level, "state": "pending"}
                new = alerts.insert().values(**row, begun_at=now, tried_at=now, attempts=1, problem="")
                number = connection.execute(new.returning(alerts.c.id)).scalar_one()
            members = [{"alert_id": number, "exception_id": member} for member in sorted(alert.members)]
            if members:
                connection.execute(self._insert(alert_members).on_conflict_do_nothing(), members)
        return number

    def was_told(self, channel: str, topic: str) -> bool:
        """Tell whether a channel took a message of this topic."""
        query = select(alerts.c.id).where(
            alerts.c.channel == channel, alerts.c.topic == topic, alerts.c.state == "sent"
        )
        with self._reading("was told") as connection:
            return connection.execute(query.limit(1)).first() is not None

    def end_alert(self, number: int) -> None:
        """Note that the channel took a pending alert; another state is left alone."""
        self._end_alert(number, {"state": "sent", "sent_at": self._now(), "problem": ""})

    def fail_alert(self, number: int, problem: str) -> None:
        """Note why a channel did not take an alert; it stays pending."""
        self._end_alert(number, {"problem": problem})

    def withdraw_alerts(self, numbers: Sequence[int]) -> None:
        """End pending alerts that nobody needs any more: what they were about was closed before it could be told."""
        for number in numbers:
            self._end_alert(number, {"state": "withdrawn"})

    def _end_alert(self, number: int, values: dict[str, object]) -> None:
        ending = update(alerts).where(alerts.c.id == number, alerts.c.state == "pending").values(**values)
        with self._writing("end alert") as connection:
            connection.execute(ending)


def _with_members(connection: Connection, rows: Sequence[Row[tuple[object, ...]]]) -> list[PastAlert]:
    members: dict[int, set[int]] = {row.id: set() for row in rows}
    for part in chunks(sorted(members)):
        query = select(alert_members).where(alert_members.c.alert_id.in_(part))
        for alert_id, exception_id in connection.execute(query):
            members[alert_id].add(exception_id)
    return [
        PastAlert(
            id=row.id,
            channel=row.channel,
            topic=row.topic,
            level=row.level,
            state=row.state,
            begun_at=row.begun_at,
            sent_at=row.sent_at,
            attempts=row.attempts,
            problem=row.problem,
            members=frozenset(members[row.id]),
        )
        for row in rows
    ]
