"""A period that is closed: its name and dates, who may sign, lock and reopen, and what is new after a lock."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.periods import (
    Change,
    Figures,
    PeriodRecord,
    PriorItem,
    closing_period,
    lock_problem,
    new_changes,
    reopen_problem,
    signature_problem,
)

HASH = "0123456789abcdef" * 4
NOVEMBER = PeriodRecord("2026-11", "month", date(2026, 11, 1), date(2026, 11, 30), "open", 1, HASH)
OCTOBER = replace(NOVEMBER, name="2026-10", from_date=date(2026, 10, 1), to_date=date(2026, 10, 31))
DECEMBER = replace(NOVEMBER, name="2026-12", from_date=date(2026, 12, 1), to_date=date(2026, 12, 31))
QUARTER = replace(NOVEMBER, name="vat-2026-09", kind="vat_quarter", from_date=date(2026, 7, 1), to_date=OCTOBER.to_date)
AFTER = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("vat-2026-11", date(2026, 9, 1), date(2026, 11, 30)),
        ("vat-2027-01", date(2026, 11, 1), date(2027, 1, 31)),
        ("vat-2027-02", date(2026, 12, 1), date(2027, 2, 28)),
        ("vat-2027-12", date(2027, 10, 1), date(2027, 12, 31)),
    ],
)
def test_a_month_and_a_vat_quarter_are_named_by_their_last_month(name: str, first: date, last: date) -> None:
    period = closing_period(name)
    assert (period.name, period.from_date, period.to_date) == (name, first, last)


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "Q4 2026", "", "vat-2026", "2026-11-01", "../2026-11"])
def test_another_name_is_refused_with_the_two_forms_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"2026-11 is a month, vat-2026-11 the VAT quarter"):
        closing_period(name)


def test_the_preparer_signs_first_and_then_a_second_person() -> None:
    prepared = replace(NOVEMBER, state="prepared", preparer="Ada  Lovelace")
    assert signature_problem(NOVEMBER, "preparer", "Ada Lovelace", HASH[:12], "") == ""
    assert "preparer signs first" in signature_problem(NOVEMBER, "approver", "Grace", HASH, "")
    assert "second person" in signature_problem(prepared, "approver", " ada lovelace ", HASH, "")
    assert signature_problem(prepared, "approver", "Grace", HASH.upper(), "") == ""
    assert "names who" in signature_problem(NOVEMBER, "preparer", "  ", HASH, "")


@pytest.mark.parametrize("given_hash", ["", "01234567", "f" * 64, HASH + "0"])
def test_who_signs_names_the_figures_that_were_looked_at(given_hash: str) -> None:
    assert HASH[:12] in signature_problem(NOVEMBER, "preparer", "Ada", given_hash, "")
    assert "preview first" in signature_problem(replace(NOVEMBER, figures_hash=""), "preparer", "Ada", "", "")


@pytest.mark.parametrize("figures", [{"open_breaks": 1}, {"not_reconciled": 1}])
def test_open_breaks_and_unread_parts_are_signed_with_a_comment_only(figures: dict[str, int]) -> None:
    record = replace(NOVEMBER, figures=figures)
    assert "comment" in signature_problem(record, "preparer", "Ada", HASH, " ")
    assert signature_problem(record, "preparer", "Ada", HASH, "one penny, being looked at") == ""


def test_a_period_is_locked_when_both_signed_it_is_over_and_the_one_before_is_locked() -> None:
    approved = replace(NOVEMBER, state="approved")
    others = [replace(OCTOBER, state="locked"), approved, QUARTER]
    assert lock_problem(approved, "Ada", AFTER, others) == ""
    assert "prepared" in lock_problem(replace(NOVEMBER, state="prepared"), "Ada", AFTER, others)
    assert "not over" in lock_problem(approved, "Ada", NOVEMBER.to_date, others)
    assert "2026-10 before it is not locked" in lock_problem(approved, "Ada", AFTER, [OCTOBER, approved])
    assert "names who" in lock_problem(approved, "", AFTER, others)


def test_a_period_is_reopened_with_a_reason_and_only_before_a_later_one_is_locked() -> None:
    locked = replace(NOVEMBER, state="locked")
    assert reopen_problem(locked, "Ada", "invoice missed", [locked, DECEMBER]) == ""
    assert "the reason" in reopen_problem(locked, "Ada", " ", [])
    assert "not locked" in reopen_problem(NOVEMBER, "Ada", "why", [])
    assert "2026-12 after it" in reopen_problem(locked, "Ada", "why", [replace(DECEMBER, state="locked")])


def figures(net: int, vat: int = 0) -> Figures:
    return Figures(net, vat, "GB", date(2026, 11, 22))


def change(document: str, before: Figures | None, now: Figures | None) -> Change:
    return Change("magento", "refunds", document, "20.00", "000000101", "GBP", before, now)


def items(changes: list[Change]) -> list[PriorItem]:
    found = datetime(2026, 12, 3, tzinfo=UTC)
    return [
        PriorItem(number, "2026-11", 1, found + timedelta(days=number), "b", HASH, each)
        for number, each in enumerate(changes)
    ]


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Figures | None]]:
    """The figures of some documents at the lock and at each check after it."""
    amounts = st.one_of(st.none(), st.builds(figures, st.integers(-500, 500), st.integers(-99, 99)))
    return draw(st.lists(st.fixed_dictionaries(dict.fromkeys("abc", amounts)), min_size=2, max_size=6))


@given(histories())
def test_the_lock_and_all_items_after_it_always_add_up_to_the_figures_of_today(history: list[dict[str, Any]]) -> None:
    locked, *checks = history
    known: list[PriorItem] = []
    for now in checks:
        against_lock = [change(each, locked[each], now[each]) for each in "abc" if locked[each] != now[each]]
        found = new_changes(against_lock, known)
        known = items([item.change for item in known] + found)
        assert new_changes(against_lock, known) == []
        for each in "abc":
            of_document = [item.change for item in known if item.change.document_number == each]
            for amount in ("net_pence", "vat_pence"):
                before, after = (getattr(at[each], amount) if at[each] else 0 for at in (locked, now))
                assert before + sum(getattr(item, amount) for item in of_document) == after


def test_a_change_that_is_undone_is_an_item_of_its_own() -> None:
    first = change("a", figures(100), figures(70))
    (undone,) = new_changes([], items([first]))
    assert (undone.net_pence, undone.kind) == (30, "changed")
    assert change("b", None, figures(1)).kind == "new"
    assert change("b", figures(1), None).kind == "gone"
