"""Personal data can be erased for good, and the chain, and whoever reads the ledger, can tell that it was."""

import hashlib
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, delete, select, text, update

from tasks.systems.ledger import ErasedError, EvidenceItem, Ledger
from tasks.systems.ledger.database import open_engine, parse_url
from tasks.systems.ledger.migration import configuration
from tasks.systems.ledger.models import evidence, evidence_head, exception_events, personal_data
from tests.systems.ledger.builders import a_note, an_order
from tests.systems.ledger.conftest import TestClock

NUMBER = "000000101"
RECORD = {
    "customer_email": "Zoe.Owl@Example.test",
    "customer_firstname": "Zoë",
    "customer_middlename": "Bo",
    "customer_id": 7,
    "grand_total": "59.97",
    "items": [{"name": "Dress", "sku": "DRESS-RED-10"}],
    "billing_address": {"city": "Llanfair", "country_id": "GB", "street": ["12 Owl Lane", "Flat 3"],
                        "telephone": "01632 960001"},
    "loyalty": {"nickname": "Owlet"},
}  # fmt: skip
REQUEST = (
    '<Request RequestType="MultiNewOrder"><Data CustomerSurname="Owl" OrderNumber="30000101" Country="GB"/></Request>'
)
NAMES = ("zoe", "zoë", "owl", "llanfair", "01632")
BY = {"actor": "Dana", "reason": "asked for on 24 November"}


def keep(ledger: Ledger, number: str = NUMBER, record: dict[str, object] = RECORD) -> tuple[int, int]:
    payload = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    read = ledger.keep_evidence("magento order", f"order {number}", payload, media="application/json")
    sent = ledger.keep_evidence("prima order request", f"order {number}", REQUEST, media="application/xml")
    return read, sent


def an_ended_order(ledger: Ledger, number: str = NUMBER) -> tuple[int, int]:
    ledger.see_orders([an_order(number)])
    ledger.set_order_states([number], "cancelled")
    return keep(ledger, number)


def intruder(url: str) -> Engine:
    return create_engine(url)


def test_what_is_personal_stands_in_the_table_of_personal_data_alone(ledger: Ledger, ledger_url: str) -> None:
    ids = keep(ledger)

    for number in ids:
        shown = ledger.shown_evidence(number).body.decode().lower()
        assert not [name for name in NAMES if name in shown]
    with intruder(ledger_url).connect() as connection:
        emails = connection.execute(select(personal_data.c.email).order_by(personal_data.c.evidence_id)).scalars().all()
    assert emails == ["zoe.owl@example.test", ""]
    assert json.loads(ledger.evidence(ids[0])) == RECORD
    assert ledger.evidence(ids[1]) == REQUEST.encode()


@pytest.mark.parametrize(
    "change",
    [
        update(personal_data).values(content=b"[]"),
        update(personal_data).values(salt=b"0" * 16),
        update(personal_data).values(salt=None),
        update(personal_data).values(content=None, salt=None, erasure_id=1),
        update(personal_data).values(content=None, salt=None),
        delete(personal_data),
    ],
)
def test_personal_data_that_was_changed_or_taken_away_is_found_and_named(
    ledger: Ledger, ledger_url: str, change: object
) -> None:
    an_ended_order(ledger)
    read, _ = keep(ledger, "000000102")
    with intruder(ledger_url).begin() as connection:
        connection.execute(change.where(personal_data.c.evidence_id == read))  # type: ignore[attr-defined]

    assert [(each.evidence_id, each.subject) for each in ledger.verify_evidence()] == [(read, "order 000000102")]


def test_an_erased_order_verifies_is_gone_and_says_by_whom(ledger: Ledger, ledger_url: str) -> None:
    read, sent = an_ended_order(ledger)
    others = keep(ledger, "000000102", RECORD | {"customer_email": "someone@example.test"})
    ledger.raise_exceptions("", [a_note("TEXT_CUT")])
    (raised,) = ledger.exceptions()
    ledger.note_on_exception(raised.id, by="Dana", text="Zoë Bo OWL moved from Llanfair; so do Bob's Owls")
    head = ledger.evidence_count()

    (done,) = ledger.erase_orders([NUMBER], **BY)

    assert (done.payloads, done.obstacle) == (2, "")
    assert ledger.verify_evidence() == []
    for number in (read, sent):
        assert ledger.shown_evidence(number).is_erased
        with pytest.raises(ErasedError, match=rf"order {NUMBER} was erased: evidence {head + 1}"):
            ledger.evidence(number)
    assert json.loads(ledger.evidence(head + 1)) == BY | {"payloads": 2, "subject": f"order {NUMBER}"}
    assert json.loads(ledger.evidence(others[0]))["customer_firstname"] == "Zoë"
    with intruder(ledger_url).connect() as connection:
        said = connection.execute(select(exception_events.c.text)).scalars().all()
        assert said[-1] == "[erased] [erased] [erased] moved from [erased]; so do Bob's Owls"
        left = connection.execute(select(personal_data).where(personal_data.c.evidence_id == read)).one()
    assert (left.content, left.salt, left.email) == (None, None, "")


def test_what_an_error_repeats_of_a_customer_is_taken_out_before_it_is_kept(ledger: Ledger) -> None:
    ledger.see_orders([an_order(NUMBER)])
    keep(ledger)
    posting = ledger.begin_posting("k", system="prima", operation="o", subject=f"order {NUMBER}", request_hash="h")
    said = "order 000000101 of ZOË OWL, 12 owl lane, is locked"

    kept = ledger.finish_posting(posting.id, "refused", error_text=said)
    ledger.raise_exceptions("", [a_note("PRIMA_REFUSED", detail=said), a_note("TEXT_CUT", detail=said)])

    hidden = "order 000000101 of [personal] [personal], [personal], is locked"
    assert kept.error_text == hidden
    assert {note.detail for note in ledger.exceptions()} == {hidden}
    assert {event.text for note in ledger.exceptions() for event in ledger.exception_events(note.id)} == {hidden}


def test_erasing_again_changes_nothing_and_what_comes_later_stays_away(ledger: Ledger) -> None:
    an_ended_order(ledger)
    ledger.erase_orders([NUMBER], **BY)
    count = ledger.evidence_count()

    (again,) = ledger.erase_orders([NUMBER], **BY)
    later, _ = keep(ledger)

    assert (again.payloads, again.acts) == (0, 1)
    assert ledger.evidence_count() == count + 2
    assert ledger.shown_evidence(later).is_erased
    assert ledger.verify_evidence() == []
    assert ledger.orders_of_customer("zoe.owl@example.test") == []


def test_a_customer_is_found_by_e_mail_in_whatever_case(ledger: Ledger) -> None:
    keep(ledger, "000000102")
    keep(ledger, "000000101")
    keep(ledger, "000000103", RECORD | {"customer_email": "someone@example.test"})

    assert ledger.orders_of_customer(" ZOE.OWL@example.test ") == ["000000101", "000000102"]
    assert ledger.orders_of_customer("") == []


def test_an_order_that_is_under_way_is_not_erased_and_no_other_with_it(ledger: Ledger) -> None:
    an_ended_order(ledger, "000000102")
    ledger.see_orders([an_order(NUMBER)])
    read, _ = keep(ledger)

    open_one, other = ledger.erase_orders([NUMBER, "000000102"], **BY)

    assert "it is seen" in open_one.obstacle
    assert (other.obstacle, other.payloads) == ("", 2)
    assert json.loads(ledger.evidence(read)) == RECORD
    assert ledger.evidence_count() == 4
    (unknown,) = ledger.erase_orders(["999"], **BY)
    assert unknown.obstacle == "the ledger has no such order"


def test_a_record_that_was_erased_counts_as_kept_and_one_that_changed_does_not(ledger: Ledger) -> None:
    read, _ = keep(ledger)
    ledger.see_orders([an_order(NUMBER, evidence_id=read)])
    ledger.set_order_states([NUMBER], "cancelled")

    def is_kept(record: dict[str, object]) -> bool:
        payload = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return ledger.records_kept(
            {NUMBER: EvidenceItem("magento order", f"order {NUMBER}", payload, "application/json")}
        ) == {NUMBER}

    assert is_kept(RECORD)
    assert not is_kept(RECORD | {"customer_firstname": "Ann"})
    assert not is_kept(RECORD | {"grand_total": "60.00"})
    ledger.erase_orders([NUMBER], **BY)
    assert is_kept(RECORD)
    assert not is_kept(RECORD | {"grand_total": "60.00"})


def test_old_payloads_expire_and_the_chain_still_verifies(ledger: Ledger, clock: TestClock) -> None:
    read, sent = an_ended_order(ledger)
    clock.passes(days=1)
    keep(ledger, "000000102")

    assert ledger.expirable(clock()) == 2
    assert ledger.expire_evidence(clock(), actor="Dana", reason="older than six years") == 2
    assert ledger.expirable(clock()) == 0
    assert ledger.expire_evidence(clock(), actor="Dana", reason="older than six years") == 0

    assert ledger.verify_evidence() == []
    for number in (read, sent):
        assert not ledger.shown_evidence(number).is_kept
        with pytest.raises(ErasedError, match="end of its time"):
            ledger.evidence(number)
    assert ledger.evidence(sent + 1)


def test_no_byte_of_an_erased_customer_is_left_in_the_files_of_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Ledger(url) as ledger:
        ledger.migrate()
        for number in range(300):
            an_ended_order(ledger, f"{number:09}")
        found = ledger.orders_of_customer("zoe.owl@example.test")
        assert _in_files(tmp_path, "Owl Lane")
        ledger.erase_orders(found, **BY)
        assert ledger.clear_deleted("personal_data") == ""
        assert [
            name for name in ("Owl Lane", "Llanfair", "example.test", "01632 96") if _in_files(tmp_path, name)
        ] == []
        assert ledger.verify_evidence() == []


def test_postgresql_writes_the_table_of_personal_data_anew(ledger: Ledger) -> None:
    an_ended_order(ledger)
    ledger.erase_orders([NUMBER], **BY)

    assert ledger.clear_deleted("personal_data") == ""
    assert ledger.verify_evidence() == []


def test_what_was_kept_before_is_split_and_sealed_anew_and_damage_stays_named(empty_url: str, tmp_path: Path) -> None:
    _a_ledger_of_before(empty_url)
    with intruder(empty_url).begin() as connection:
        connection.execute(text("UPDATE evidence SET subject = 'order 9' WHERE id = 2"))

    with Ledger(empty_url) as ledger:
        ledger.migrate()

        assert {(each.evidence_id, each.subject) for each in ledger.verify_evidence()} == {(2, "order 9")}
        assert json.loads(ledger.evidence(1)) == RECORD
        assert "Owl" not in ledger.shown_evidence(1).body.decode()
        said = json.loads(ledger.evidence(4))
        assert (said["damaged"], said["last_id"], said["revision"]) == ([2], 3, "0015")
        ledger.see_orders([an_order(NUMBER)])
        ledger.set_order_states([NUMBER], "cancelled")
        assert ledger.erase_orders([NUMBER], **BY)[0].payloads == 2
        assert {each.evidence_id for each in ledger.verify_evidence()} == {2}


def test_a_chain_that_was_cut_stays_cut(empty_url: str) -> None:
    _a_ledger_of_before(empty_url)
    with intruder(empty_url).begin() as connection:
        connection.execute(text("DELETE FROM evidence WHERE id = 3"))

    with Ledger(empty_url) as ledger:
        ledger.migrate()
        assert [each.problem for each in ledger.verify_evidence()] == [
            "the chain should end at evidence 3, and does not"
        ]


def _a_ledger_of_before(url: str) -> None:
    """Three rows as the version before sealed them."""

    def sealed(*parts: str) -> str:
        return hashlib.sha256("".join(f"{part}\n{len(part)}\n" for part in parts).encode()).hexdigest()

    engine = open_engine(parse_url(url))
    payload = json.dumps(RECORD, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    kept_at = datetime(2026, 11, 1, tzinfo=UTC)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0014")
        previous = "0" * 64
        for number in (1, 2, 3):
            packed, own = zlib.compress(payload), hashlib.sha256(payload).hexdigest()
            facts = (own, hashlib.sha256(packed).hexdigest(), "magento order", f"order {NUMBER}", "application/json")
            seal = sealed(previous, *facts, kept_at.isoformat(timespec="microseconds"))
            row = {
                "id": number, "kind": facts[2], "subject": facts[3], "media": facts[4], "payload": packed,
                "size": len(payload), "payload_sha256": own, "previous_hash": previous, "chain_hash": seal,
                "kept_at": kept_at,
            }  # fmt: skip
            connection.execute(evidence.insert().values(row))
            previous = seal
        connection.execute(update(evidence_head).values(last_id=3, chain_hash=previous))
    engine.dispose()


def _in_files(folder: Path, name: str) -> bool:
    wanted = name.encode().lower()
    return any(wanted in path.read_bytes().lower() for path in folder.iterdir())
