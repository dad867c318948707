"""Which alerts go out now: grouped, escalated after the delay of the code, quiet at night, each once. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from schemas.alerts import Alert, AlertPlan, AlertRules, HeldBack, Matter, PastAlert, Why
from schemas.reasons import REASONS, Reason

LONDON = ZoneInfo("Europe/London")
SUBJECTS_NAMED = 5
Key = tuple[str, str, int]
"""Channel, topic and level: what one message is about."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The open exceptions of one topic that one channel is to know of, at one level."""

    reason: Reason
    matters: Sequence[Matter]
    untold: int


def alerts(matters: Iterable[Matter], past: Sequence[PastAlert], rules: AlertRules, now: datetime) -> AlertPlan:
    """Return the messages that are due at `now`, what is held back, and the pending alerts that nobody needs.

    `past` are the alerts about these exceptions, those that are pending, and those of the last `rules.pause`. A pending
    one (its channel was out of reach, or the run was killed) is sent with what is open now, under its old number.
    """
    pending = {_key(alert): alert for alert in past if alert.state == "pending"}
    to_send, held = [], []
    groups = _groups(matters, past, rules, now)
    for key, group in sorted(groups.items()):
        waiting = pending.get(key)
        if not group.untold and waiting is None:
            continue
        why = _held_back(key, group, past, waiting, rules, now)
        if why is None:
            to_send.append(_alert(key, group, waiting.id if waiting else 0, rules, now))
        else:
            held.append(HeldBack(*key, why))
    return AlertPlan(to_send, held, [alert.id for key, alert in sorted(pending.items()) if key not in groups])


def is_quiet(rules: AlertRules, now: datetime) -> bool:
    """Tell whether people sleep, by London's clock; quiet hours may go over midnight."""
    if rules.quiet_from is None or rules.quiet_until is None:
        return False
    local: time = now.astimezone(LONDON).time()
    if rules.quiet_from <= rules.quiet_until:
        return rules.quiet_from <= local < rules.quiet_until
    return local >= rules.quiet_from or local < rules.quiet_until


def level_of(reason: Reason, since: datetime, now: datetime) -> int:
    """Return how many of the delays of its code have passed: 0 for the owner, 1 for the next person, and so on."""
    hours = (now - since).total_seconds() / 3600
    return sum(delay <= hours for delay in reason.escalate_hours)


def _groups(
    matters: Iterable[Matter], past: Iterable[PastAlert], rules: AlertRules, now: datetime
) -> dict[Key, _Group]:
    """Return the groups by channel, topic and level. A channel is told of an exception at its highest level only."""
    told: dict[tuple[str, int], int] = {}
    for alert in past:
        if alert.state == "sent":
            for member in alert.members:
                seen = (alert.channel, member)
                told[seen] = max(told.get(seen, -1), alert.level)
    found: dict[Key, list[Matter]] = {}
    untold: dict[Key, int] = {}
    for matter in matters:
        reason = REASONS.get(matter.code)
        if reason is None:
            continue  # a code of another version: it stays on the desk
        for channel, level in _channels(reason, level_of(reason, matter.since, now), rules).items():
            key = (channel, _topic(matter, rules), level)
            found.setdefault(key, []).append(matter)
            untold[key] = untold.get(key, 0) + (told.get((channel, matter.id), -1) < level)
    return {key: _Group(REASONS[group[0].code], group, untold[key]) for key, group in found.items()}


def _channels(reason: Reason, level: int, rules: AlertRules) -> Mapping[str, int]:
    """Return the channels that are to know, with the level at which they are told.

    A team for which nobody is named as next is told again itself.
    """
    own = [
        channel.name
        for channel in rules.channels
        if reason.owner in channel.teams and reason.severity in channel.severities
    ]
    further = rules.next.get(reason.owner, ())
    reached = dict.fromkeys(own, 0)
    for step in range(1, level + 1):
        names = [further[min(step, len(further)) - 1]] if further else own
        reached.update(dict.fromkeys(names, step))
    return reached


def _topic(matter: Matter, rules: AlertRules) -> str:
    return f"{matter.code} {matter.sku}" if rules.group_by == "cause" and matter.sku else matter.code


def _held_back(
    key: Key, group: _Group, past: Sequence[PastAlert], waiting: PastAlert | None, rules: AlertRules, now: datetime
) -> Why | None:
    if group.reason.severity not in rules.wakes and is_quiet(rules, now):
        return "quiet hours"
    if _is_small(group, rules):
        return "below the floor"
    if waiting is None and any(
        _key(alert) == key and alert.sent_at is not None and now - alert.sent_at < rules.pause for alert in past
    ):
        return "told a short while ago"
    return None


def _is_small(group: _Group, rules: AlertRules) -> bool:
    """Tell whether a group reaches none of the floors that are set; what is critical or has no value is never small."""
    if group.reason.severity == "critical" or group.reason.value_rule == "none":
        return False
    reached = []
    if rules.floor_pence:
        reached.append(max(_values(group.matters).values()) >= rules.floor_pence)
    if rules.floor_count:
        reached.append(len(group.matters) >= rules.floor_count)
    return bool(reached) and not any(reached)


def _alert(key: Key, group: _Group, number: int, rules: AlertRules, now: datetime) -> Alert:
    channel, topic, level = key
    reason = group.reason
    dearest = sorted(group.matters, key=lambda matter: (-matter.value_pence, matter.since, matter.id))
    names = list(dict.fromkeys(matter.name for matter in dearest))
    command = f"magento-prima exceptions list --code {reason.code}"
    return Alert(
        number=number,
        channel=channel,
        topic=topic,
        level=level,
        code=reason.code,
        team=reason.owner,
        severity=reason.severity,
        sentence=reason.sentence,
        next_step=reason.next_step,
        members=frozenset(matter.id for matter in group.matters),
        new=group.untold,
        value_pence=_values(group.matters),
        oldest_at=min(matter.since for matter in group.matters),
        subjects=names[:SUBJECTS_NAMED],
        as_at=now,
        link=rules.link.replace("{code}", reason.code) if rules.link else command,
        after_hours=reason.escalate_hours[level - 1] if level else 0,
    )


def _values(matters: Iterable[Matter]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for matter in matters:
        sums[matter.currency] = sums.get(matter.currency, 0) + matter.value_pence
    return sums


def _key(alert: PastAlert) -> Key:
    return alert.channel, alert.topic, alert.level
