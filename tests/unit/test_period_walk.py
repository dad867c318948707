"""A month from its preview through both signatures, lock, late documents and reopening, as finance walks it."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.periods import PeriodRecord, PriorItem, closing_period
from tasks.errors import ConfigurationError, UnexpectedResponseError
from tasks.reconcile import period_steps
from tasks.systems.ledger import Ledger, LedgerStateError
from tests.unit.reconcile_cases import Case

MONTHS = {name: closing_period(name) for name in ("2026-11", "2026-12")}
NOVEMBER, DECEMBER = (datetime(2026, month, 22, 12, tzinfo=UTC) for month in (11, 12))
# Long after both months, so that no document is late and both periods are over.
LATER = datetime(2027, 1, 20, 2, tzinfo=UTC)
PEOPLE = {"preparer": "Ada", "approver": "Grace"}


@dataclass
class Finance:
    """Both sides, the warehouse and a ledger; `reads` counts the runs."""

    case: Case
    ledger: Ledger
    reads: int = 0

    def reconcile(self, name: str) -> str:
        """Reconcile a month of what both sides hold now; return the run's id."""
        self.reads += 1
        span, run_id = MONTHS[name], f"run-{self.reads}"
        self.case.run = replace(
            self.case.run,
            from_date=span.from_date,
            to_date=span.to_date,
            run_id=run_id,
            run_at=LATER.replace(minute=self.reads),
            magento_as_at=LATER,
            prima_as_at=LATER,
        )
        self.case.result()
        return run_id

    def preview(self, name: str) -> PeriodRecord:
        run_id = self.reconcile(name)
        page = self.case.warehouse.folder / "page.html"
        page.write_text("<p>the report</p>", encoding="utf-8")
        return period_steps.preview(
            self.ledger, self.case.warehouse, MONTHS[name], run_id, {"report.html": page}, PEOPLE["preparer"]
        )

    def sign(self, name: str, role: Any, by: str = "") -> PeriodRecord:
        return self.ledger.sign_period(
            name, role, by=by or PEOPLE[role], figures_hash=self.ledger.period(name).figures_hash, comment="looked at"
        )

    def lock(self, name: str) -> PeriodRecord:
        return period_steps.lock_signed(self.ledger, name, "Grace", LATER)

    def close(self, name: str) -> PeriodRecord:
        self.preview(name)
        self.sign(name, "preparer")
        self.sign(name, "approver")
        return self.lock(name)

    def check(self, name: str) -> tuple[bool, list[PriorItem]]:
        run_id = self.reconcile(name)
        record, found, items = period_steps.compare_with_lock(self.ledger, self.case.warehouse, name, run_id, "Ada")
        return found == record.figures_hash, items


@pytest.fixture
def finance(tmp_path: Path) -> Iterator[Finance]:
    """Two months with an order each, invoiced on both sides; in November PRIMA holds a penny more VAT."""
    case = Case(tmp_path / "warehouse")
    for number, at, vat in ((101, NOVEMBER, 1000), (201, DECEMBER, 999)):
        case.magento(number, placed_at=at)
        case.prima(number, ordered_at=at)
        case.magento_invoice(f"M{number}", number, at=at)
        case.prima_invoice(f"P{number}", number, ("20", 5997, vat), at=at)
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", now=lambda: LATER) as ledger:
        ledger.migrate()
        yield Finance(case, ledger)


def events(finance: Finance, name: str) -> list[tuple[str, str]]:
    return [(each.actor, each.event) for each in finance.ledger.period_events(name)]


def test_a_month_is_previewed_signed_by_two_people_locked_and_packed(finance: Finance) -> None:
    seen = finance.preview("2026-11")
    assert (seen.state, seen.figures["open_breaks"], seen.figures["open_value_pence"]) == ("open", 1, 1)
    invoices = {row["side"]: row["vat_pence"] for row in seen.figures["totals"] if row["level"] == "invoices"}
    assert invoices == {"magento": 999 + 66, "prima": 1000 + 66}
    with pytest.raises(LedgerStateError, match="preparer signs first"):
        finance.sign("2026-11", "approver")
    finance.sign("2026-11", "preparer")
    with pytest.raises(LedgerStateError, match="a second person"):
        finance.sign("2026-11", "approver", by="ADA")
    with pytest.raises(LedgerStateError, match="the approver signs next"):
        finance.lock("2026-11")
    finance.sign("2026-11", "approver")
    locked = finance.lock("2026-11")
    assert (locked.state, locked.preparer, locked.approver) == ("locked", "Ada", "Grace")
    assert period_steps.evidence_problems(finance.ledger, "2026-11") == []
    with zipfile.ZipFile(locked.pack) as pack:
        manifest = json.loads(pack.read("manifest.json"))
        assert {each["file"] for each in manifest["files"]} == {*pack.namelist()} - {"manifest.json"}
        assert {"report.html", "audit.json", "tables/vat_charges.parquet", "staged/prima_lines.parquet"} <= {
            *pack.namelist()
        }
        assert [each["what"] for each in json.loads(pack.read("audit.json"))] == [
            "preview",
            "signed as preparer",
            "signed as approver",
        ]
    assert (manifest["figures_hash"], manifest["preparer"]) == (locked.figures_hash, "Ada")
    with pytest.raises(LedgerStateError, match="locked"):
        finance.preview("2026-11")
    assert events(finance, "2026-11")[-1] == ("Grace", "locked")


def test_the_same_inputs_give_the_same_hash_and_an_edited_invoice_is_named_with_its_figures(finance: Finance) -> None:
    finance.close("2026-11")
    assert finance.check("2026-11") == (True, [])
    finance.case.magento_refund("R101", 101, ("20", 1999, 333, 1), at=NOVEMBER)
    (row,) = [row for row in finance.case._rows["invoices_prima"] if row["invoice_number"] == "P101"]
    (goods,) = [
        row for row in finance.case._rows["invoice_lines"] if row["product"] == "P1" and row["vat_pence"] == 1000
    ]
    for each in (row, goods):
        each |= {"vat_pence": each["vat_pence"] - 1, "net_pence": each["net_pence"] + 1}
    is_same, items = finance.check("2026-11")
    assert not is_same
    assert {
        (item.change.document_number, item.change.kind, item.change.net_pence, item.change.vat_pence) for item in items
    } == {
        ("P101", "changed", 1, -1),
        ("R101", "new", 1666, 333),
    }
    assert {item.change.order_key for item in items} == {"000000101"}
    assert finance.check("2026-11") == (False, [])


def test_a_late_refund_is_a_prior_period_item_of_the_next_month_and_in_its_own_month_alone(finance: Finance) -> None:
    finance.close("2026-11")
    finance.case.magento_refund("R-LATE", 101, ("20", 1999, 333, 1), at=NOVEMBER)
    finance.case.magento_refund("R-DECEMBER", 101, ("20", 1999, 333, 1), at=DECEMBER)
    _, (late,) = finance.check("2026-11")
    assert (late.change.document_number, late.carried_into) == ("R-LATE", "")
    december = finance.close("2026-12")
    refunds = [row for row in december.figures["totals"] if row["level"] == "refunds"]
    assert [(row["documents"], row["gross_pence"]) for row in refunds] == [(1, 1999)]
    (taken,) = finance.ledger.prior_items(carried_into="2026-12")
    assert taken.item_id == late.item_id
    with zipfile.ZipFile(december.pack) as pack:
        assert b"R-LATE" in pack.read("prior-period-items.csv")
    assert finance.check("2026-12") == (True, [])


def test_a_break_that_was_open_at_the_lock_is_found_again_until_it_is_mended(finance: Finance) -> None:
    finance.close("2026-11")
    with finance.case.warehouse.read() as reader:
        (row,) = reader.rows("select order_key, level from breaks")
    assert row == {"order_key": "000000101", "level": "invoices"}
    assert finance.ledger.period("2026-11").figures["open_breaks"] == 1
    finance.reconcile("2026-11")
    with finance.case.warehouse.read() as reader:
        assert reader.rows("select order_key, level from breaks") == [row]


def test_signatures_are_void_when_the_figures_change_before_the_lock(finance: Finance) -> None:
    finance.preview("2026-11")
    finance.sign("2026-11", "preparer")
    assert finance.preview("2026-11").state == "prepared"
    finance.case.magento_refund("R101", 101, at=NOVEMBER)
    again = finance.preview("2026-11")
    assert (again.state, again.preparer) == ("open", "")
    assert "signatures void" in {event for _, event in events(finance, "2026-11")}


def test_a_period_is_reopened_with_a_reason_signed_anew_and_its_first_evidence_stays(finance: Finance) -> None:
    first = finance.close("2026-11")
    finance.case.magento_refund("R101", 101, at=NOVEMBER)
    finance.check("2026-11")
    with pytest.raises(LedgerStateError, match="the reason"):
        finance.ledger.reopen_period("2026-11", by="Ada", reason="")
    reopened = finance.ledger.reopen_period("2026-11", by="Ada", reason="a refund was missed")
    assert (reopened.state, reopened.revision, reopened.preparer) == ("open", 2, "")
    second = finance.close("2026-11")
    assert second.figures_hash != first.figures_hash
    assert Path(first.pack).is_file()
    assert Path(first.folder).is_dir()
    assert finance.check("2026-11") == (True, [])
    assert finance.ledger.prior_items(carried_into="") == []
    reasons = [each.text for each in finance.ledger.period_events("2026-11") if each.event == "reopened"]
    assert reasons == ["a refund was missed"]
    assert period_steps.evidence_problems(finance.ledger, "2026-11") == []
    finance.close("2026-12")
    with pytest.raises(LedgerStateError, match="2026-12 after it is locked"):
        finance.ledger.reopen_period("2026-11", by="Ada", reason="once more")


def test_figures_and_packs_that_were_touched_are_not_believed(finance: Finance) -> None:
    locked = finance.close("2026-11")
    pack = Path(locked.pack)
    pack.write_bytes(pack.read_bytes() + b" ")
    charges = Path(locked.folder) / "tables" / "vat_charges.parquet"
    charges.write_bytes((Path(locked.folder) / "tables" / "vat_charges.parquet").read_bytes())
    (only,) = period_steps.evidence_problems(finance.ledger, "2026-11")
    assert "the ledger says" in only
    finance.reconcile("2026-12")
    with finance.case.warehouse.read() as reader:
        reader.export("vat_charges", charges)
    assert len(period_steps.evidence_problems(finance.ledger, "2026-11")) == 2
    with pytest.raises(ConfigurationError, match=r"does not hold the figures.*reopen"):
        finance.check("2026-11")
    charges.unlink()
    with pytest.raises(ConfigurationError, match="is not there"):
        finance.check("2026-11")


def test_a_run_that_was_published_meanwhile_is_never_taken_for_the_period(finance: Finance) -> None:
    run_id = finance.reconcile("2026-11")
    finance.reconcile("2026-12")
    with pytest.raises(UnexpectedResponseError, match="published meanwhile"):
        period_steps.preview(finance.ledger, finance.case.warehouse, MONTHS["2026-11"], run_id, {}, "Ada")
    assert finance.ledger.periods() == []


def test_a_month_that_is_not_over_is_not_locked(finance: Finance) -> None:
    finance.preview("2026-11")
    finance.sign("2026-11", "preparer")
    finance.sign("2026-11", "approver")
    with pytest.raises(LedgerStateError, match="not over before 2026-11-30"):
        period_steps.lock_signed(finance.ledger, "2026-11", "Grace", datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
