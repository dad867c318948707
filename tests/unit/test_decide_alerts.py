"""Who is told of what and when: pure decisions, with the clock handed in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Alert, AlertPlan, AlertRules, ChannelRule, Matter, PastAlert
from schemas.reasons import REASONS
from tasks.decide import alerts as decide

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ALL = frozenset({"operations", "finance", "ecommerce", "customer service", "integration"})
OPS = ChannelRule("ops", frozenset({"operations", "ecommerce"}), frozenset({"problem", "critical"}))
HEAD = ChannelRule("head", ALL, frozenset())
DIRECTOR = ChannelRule("director", ALL, frozenset())
CODE = "CARRIER_UNKNOWN"
RULES = AlertRules([OPS, HEAD, DIRECTOR], next={"operations": ["head", "director"]})


def a_matter(number: int, *, code: str = CODE, since: datetime = NOON, pence: int = 1000, sku: str = "") -> Matter:
    return Matter(number, code, f"subject {number}", f"{number:09d}", sku, pence, "GBP", since)


def sent(plan: AlertPlan, at: datetime, past: Sequence[PastAlert] = ()) -> list[PastAlert]:
    """What the ledger holds after the channels took everything."""
    return [
        *(alert for alert in past if alert.state == "sent"),
        *(
            PastAlert(n, each.channel, each.topic, each.level, "sent", at, at, 1, "", each.members)
            for n, each in enumerate(plan.to_send, 1 + len(past))
        ),
    ]


def channels(plan: AlertPlan) -> list[tuple[str, int, int]]:
    return [(alert.channel, alert.level, alert.count) for alert in plan.to_send]


def test_the_code_that_these_tests_use_is_escalated_twice() -> None:
    reason = REASONS[CODE]
    assert (reason.owner, reason.severity, reason.escalate_hours) == ("operations", "problem", (8, 24))


def test_exceptions_of_one_code_are_one_message_to_the_channel_of_their_team() -> None:
    old = NOON - timedelta(hours=3)
    plan = decide.alerts([a_matter(1), a_matter(2, since=old, pence=250), a_matter(3)], [], RULES, NOON)

    (alert,) = plan.to_send
    assert (alert.channel, alert.count, alert.new, alert.value_pence) == ("ops", 3, 3, {"GBP": 2250})
    assert alert.title == f"3 x {CODE}, £22.50 at risk, oldest 3 h"
    assert REASONS[CODE].next_step in alert.text
    assert "order 000000001, order 000000003, order 000000002" in alert.text
    assert f"magento-prima exceptions list --code {CODE}" in alert.text


def test_what_was_told_is_not_told_again_and_what_is_new_waits_for_the_pause() -> None:
    past = sent(decide.alerts([a_matter(1)], [], RULES, NOON), NOON)

    assert not decide.alerts([a_matter(1)], past, RULES, NOON + timedelta(hours=7)).to_send
    soon = decide.alerts([a_matter(1), a_matter(2)], past, RULES, NOON + timedelta(minutes=59))
    assert (soon.to_send, [held.why for held in soon.held_back]) == ([], ["told a short while ago"])
    (later,) = decide.alerts([a_matter(1), a_matter(2)], past, RULES, NOON + timedelta(minutes=60)).to_send
    assert (later.count, later.new) == (2, 1)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (7.9, [("ops", 0, 1)]),
        (8, [("head", 1, 1), ("ops", 0, 1)]),
        (24, [("director", 2, 1), ("head", 1, 1), ("ops", 0, 1)]),
    ],
)
def test_the_next_person_is_told_after_each_delay_of_the_code(
    hours: float, expected: list[tuple[str, int, int]]
) -> None:
    assert channels(decide.alerts([a_matter(1)], [], RULES, NOON + timedelta(hours=hours))) == expected


def test_an_escalation_goes_out_once_and_names_the_delay() -> None:
    past = sent(decide.alerts([a_matter(1)], [], RULES, NOON), NOON)
    at = NOON + timedelta(hours=8)

    plan = decide.alerts([a_matter(1)], past, RULES, at)
    assert channels(plan) == [("head", 1, 1)]
    assert "nobody ended it within 8 h" in plan.to_send[0].text
    assert not decide.alerts([a_matter(1)], sent(plan, at, past), RULES, at + timedelta(hours=2)).to_send


def test_a_team_without_a_next_person_is_told_again_itself_and_not_at_every_level_at_once() -> None:
    rules = replace(RULES, next={})

    assert channels(decide.alerts([a_matter(1)], [], rules, NOON + timedelta(hours=30))) == [("ops", 2, 1)]


def test_a_closed_exception_is_never_told_and_its_pending_alert_is_withdrawn() -> None:
    pending = PastAlert(7, "ops", CODE, 0, "pending", NOON, None, 1, "", frozenset({1}))

    assert decide.alerts([], [pending], RULES, NOON) == AlertPlan([], [], [7])


def test_a_pending_alert_is_sent_under_its_number_with_what_is_open_now() -> None:
    pending = PastAlert(7, "ops", CODE, 0, "pending", NOON, None, 1, "", frozenset({1, 2}))

    plan = decide.alerts([a_matter(2), a_matter(3)], [pending], RULES, NOON + timedelta(minutes=5))

    assert [(alert.number, alert.members) for alert in plan.to_send] == [(7, frozenset({2, 3}))]
    assert not plan.to_withdraw


def test_quiet_hours_are_londons_hold_back_and_are_made_up_for_in_the_morning() -> None:
    rules = replace(RULES, quiet_from=time(22), quiet_until=time(7))
    summer_night = datetime(2026, 7, 1, 21, 30, tzinfo=UTC)  # half past ten in London
    matter = a_matter(1, since=summer_night)

    night = decide.alerts([matter], [], rules, summer_night)
    assert (night.to_send, [held.why for held in night.held_back]) == ([], ["quiet hours"])
    assert not decide.alerts([matter], [], rules, datetime(2026, 7, 2, 5, 59, tzinfo=UTC)).to_send
    assert channels(decide.alerts([matter], [], rules, datetime(2026, 7, 2, 6, 0, tzinfo=UTC))) == [
        ("head", 1, 1),  # eight hours and a half are over as well: not so at six in the morning of the winter
        ("ops", 0, 1),
    ]


def test_what_is_critical_wakes_people() -> None:
    critical = next(each.code for each in REASONS.values() if (each.owner, each.severity) == ("operations", "critical"))
    rules = replace(RULES, quiet_from=time(0), quiet_until=time(23, 59), floor_pence=10**9, floor_count=99)

    assert channels(decide.alerts([a_matter(1, code=critical)], [], rules, NOON)) == [("ops", 0, 1)]


@pytest.mark.parametrize(
    ("floors", "pence", "count", "is_told"),
    [
        ((500, 3), 499, 1, False),
        ((500, 3), 500, 1, True),
        ((500, 3), 1, 3, True),
        ((500, 3), 1, 2, False),
        ((500, 0), 249, 2, False),
        ((500, 0), 250, 2, True),
        ((0, 3), 10**6, 2, False),
        ((0, 3), 0, 3, True),
        ((0, 0), 0, 1, True),
    ],
)
def test_a_group_that_reaches_none_of_the_floors_that_are_set_is_not_told(
    floors: tuple[int, int], pence: int, count: int, is_told: bool
) -> None:
    rules = replace(RULES, floor_pence=floors[0], floor_count=floors[1])

    plan = decide.alerts([a_matter(n, pence=pence) for n in range(count)], [], rules, NOON)

    assert bool(plan.to_send) == is_told
    assert [held.why for held in plan.held_back] == ([] if is_told else ["below the floor"])


def test_what_has_no_value_by_its_code_is_told_whatever_the_floors_are() -> None:
    rules = replace(RULES, floor_pence=10**9, floor_count=99)

    assert REASONS["FLOW_LATE"].value_rule == "none"
    assert channels(decide.alerts([a_matter(1, code="FLOW_LATE", pence=0)], [], rules, NOON)) == [("ops", 0, 1)]


@pytest.mark.parametrize(
    ("code", "owner", "severity", "told"),
    [
        ("CARRIER_UNKNOWN", "operations", "problem", ["goods"]),
        ("SKU_UNKNOWN", "ecommerce", "problem", ["goods"]),
        ("SHIPPED_BY_HAND", "operations", "warning", []),
        ("PRIMA_OUTCOME_UNKNOWN", "operations", "critical", ["everything-critical", "goods"]),
        ("TOTALS_DISAGREE", "finance", "problem", ["money"]),
        ("REFUND_CREDIT_DUE", "finance", "warning", ["money"]),
        ("REFUND_CREDIT_OVERDUE", "finance", "critical", ["everything-critical"]),
        ("ADDRESS_INCOMPLETE", "customer service", "problem", []),
    ],
)
def test_a_channel_is_told_of_its_teams_and_severities_alone(
    code: str, owner: str, severity: str, told: list[str]
) -> None:
    rules = AlertRules(
        [
            replace(OPS, name="goods"),
            ChannelRule("money", frozenset({"finance"}), frozenset({"warning", "problem"})),
            ChannelRule("everything-critical", ALL, frozenset({"critical"})),
        ]
    )

    assert (REASONS[code].owner, REASONS[code].severity) == (owner, severity)
    assert [channel for channel, _, _ in channels(decide.alerts([a_matter(1, code=code)], [], rules, NOON))] == told


def test_by_cause_each_sku_is_a_message_of_its_own() -> None:
    matters = [a_matter(1, sku="A"), a_matter(2, sku="A"), a_matter(3, sku="B"), a_matter(4)]

    plan = decide.alerts(matters, [], replace(RULES, group_by="cause"), NOON)

    assert [(alert.topic, alert.count) for alert in plan.to_send] == [(CODE, 1), (f"{CODE} A", 2), (f"{CODE} B", 1)]


@given(
    opened=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 3000)), min_size=1, max_size=12),
    has_quiet_hours=st.booleans(),
    fails=st.sets(st.integers(0, 200), max_size=20),
)
def test_every_exception_is_told_at_each_level_once_whatever_fails(
    opened: list[tuple[int, int]], has_quiet_hours: bool, fails: set[int]
) -> None:
    """Runs every quarter of an hour for two days and a half; exceptions open and close; some runs reach nobody."""
    quiet = {"quiet_from": time(22), "quiet_until": time(7)} if has_quiet_hours else {}
    rules = replace(RULES, **quiet)  # type: ignore[arg-type]
    matters = [a_matter(n, since=NOON + timedelta(minutes=minute)) for n, (minute, _) in enumerate(opened)]
    closed_at = [NOON + timedelta(minutes=minute + lasts) for minute, lasts in opened]
    past: list[PastAlert] = []
    told: list[tuple[str, int, int]] = []
    for run in range(240):
        now = NOON + timedelta(minutes=15 * run)
        is_open = [m for m, end in zip(matters, closed_at, strict=True) if m.since <= now < end]
        plan = decide.alerts(is_open, past, rules, now)
        assert all(alert.members <= {matter.id for matter in is_open} for alert in plan.to_send)
        past = [alert for alert in past if alert.id not in plan.to_withdraw]
        for alert in plan.to_send:
            number = alert.number or 1 + max((each.id for each in past), default=0)
            past = [each for each in past if each.id != number]
            if run in fails:
                past.append(_past(number, alert, now, is_sent=False))
                continue
            news = [key for m in sorted(alert.members) if (key := (alert.channel, m, alert.level)) not in told]
            assert alert.new == len(news)
            assert news or alert.number
            told += news
            past.append(_past(number, alert, now, is_sent=True))
    if not fails and not has_quiet_hours:
        for number, (_, lasts) in enumerate(opened):
            if lasts > 90:  # a pause and two runs
                assert ("ops", number, 0) in told
            if lasts > 8 * 60 + 90:
                assert ("head", number, 1) in told


def _past(number: int, alert: Alert, now: datetime, *, is_sent: bool) -> PastAlert:
    state = "sent" if is_sent else "pending"
    return PastAlert(
        number, alert.channel, alert.topic, alert.level, state, now, now if is_sent else None, 1, "", alert.members
    )
