"""Periods in the ledger, on both databases: the states, the audit trail and its seals, items after the lock."""

from dataclasses import replace
from datetime import date

import pytest

from schemas.periods import Change, Figures, closing_period
from tasks.errors import NotFoundError
from tasks.systems.ledger import Ledger, LedgerStateError
from tasks.systems.ledger.periods import first_broken
from tests.systems.ledger.conftest import TestClock

MONTH = closing_period("2026-10")
HASH = "ab" * 32
REFUND = Change("magento", "refunds", "R1", "", "000000101", "GBP", None, Figures(1666, 333, "GB", date(2026, 10, 30)))


def previewed(ledger: Ledger, name: str = "2026-10", figures_hash: str = HASH) -> None:
    ledger.preview_period(
        closing_period(name), figures_hash=figures_hash, run_id="run", folder="f", figures={"open_breaks": 0}, by="Ada"
    )


def locked(ledger: Ledger, name: str = "2026-10") -> None:
    previewed(ledger, name)
    ledger.sign_period(name, "preparer", by="Ada", figures_hash=HASH)
    ledger.sign_period(name, "approver", by="Grace \x00\ud800", figures_hash=HASH)
    ledger.lock_period(name, by="Grace", today=date(2026, 12, 24), pack="p.zip", pack_sha256="cd")


def test_a_period_nobody_previewed_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError, match="preview first"):
        ledger.period("2026-10")


def test_each_step_is_a_sealed_line_of_the_audit_trail(ledger: Ledger, clock: TestClock) -> None:
    locked(ledger)
    clock.passes(days=1)
    ledger.check_period("2026-10", [REFUND], figures_hash="ef" * 32, batch_id="b2", by="Ada")
    ledger.reopen_period("2026-10", by="Ada", reason="refund missed")
    trail = ledger.period_events("2026-10")
    assert [each.event for each in trail] == [
        "preview",
        "signed as preparer",
        "signed as approver",
        "locked",
        "checked",
        "reopened",
    ]
    assert first_broken(trail) is None
    trail[2] = replace(trail[2], actor="Ada")
    assert first_broken(trail) == 2
    assert first_broken(trail[:1] + trail[3:]) == 1


def test_items_are_kept_once_and_taken_by_the_next_period_of_the_same_kind(ledger: Ledger) -> None:
    locked(ledger)
    (item,) = ledger.check_period("2026-10", [REFUND], figures_hash="ef" * 32, batch_id="b2", by="Ada")
    assert (item.change, item.period, item.carried_into) == (REFUND, "2026-10", "")
    assert ledger.check_period("2026-10", [REFUND], figures_hash="ef" * 32, batch_id="b3", by="Ada") == []
    (undone,) = ledger.check_period("2026-10", [], figures_hash=HASH, batch_id="b4", by="Ada")
    assert undone.change.gross_pence == -1999
    locked(ledger, "2026-11")
    assert [each.carried_into for each in ledger.prior_items(of="2026-10")] == ["2026-11", "2026-11"]
    ledger.reopen_period("2026-11", by="Ada", reason="why not")
    assert len(ledger.prior_items(carried_into="")) == 2


def test_only_a_locked_period_is_checked(ledger: Ledger) -> None:
    previewed(ledger)
    with pytest.raises(LedgerStateError, match="it is open, not locked"):
        ledger.check_period("2026-10", [], figures_hash=HASH, batch_id="b", by="Ada")
