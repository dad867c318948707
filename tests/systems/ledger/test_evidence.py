"""Evidence can be read again, and proves itself unchanged."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, select, update

from tasks.errors import NotFoundError
from tasks.systems.ledger import EvidenceItem, Ledger
from tasks.systems.ledger.models import evidence, evidence_head, personal_data
from tests.systems.ledger.conftest import TestClock

XML = "<Order><Name>Zoë</Name><Total>59.97</Total></Order>"


@pytest.fixture
def intruder(ledger_url: str) -> Iterator[Engine]:
    """Someone with a database tool."""
    engine = create_engine(ledger_url)
    yield engine
    engine.dispose()


def _keep_three(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        ledger.keep_evidence("prima order request", f"order {number}", XML * 20, media="application/xml")


def _problems(ledger: Ledger) -> list[tuple[int, str]]:
    return [(problem.evidence_id, problem.subject) for problem in ledger.verify_evidence()]


def test_a_payload_comes_back_byte_for_byte(ledger: Ledger, clock: TestClock) -> None:
    text = ledger.keep_evidence("prima order request", "order 1", XML, media="application/xml")
    raw = ledger.keep_evidence("magento order", "order 1", b"\x00\xff", media="application/json")
    nothing = ledger.keep_evidence("magento answer", "order 1", "", media="text/plain")
    assert [ledger.evidence(number) for number in (text, raw, nothing)] == [XML.encode(), b"\x00\xff", b""]
    kept = ledger.evidence_for("order 1")
    assert [(row.id, row.kind, row.size, row.kept_at) for row in kept] == [
        (text, "prima order request", len(XML.encode()), clock()),
        (raw, "magento order", 2, clock()),
        (nothing, "magento answer", 0, clock()),
    ]
    assert ledger.verify_evidence() == []
    with pytest.raises(NotFoundError, match="999"):
        ledger.evidence(999)


def test_payloads_are_stored_compressed(ledger: Ledger, intruder: Engine) -> None:
    ledger.keep_evidence("magento order", "order 1", XML * 100, media="application/xml")
    with intruder.connect() as connection:
        assert len(connection.execute(select(evidence.c.payload)).scalar_one()) < len(XML) * 5


def test_many_payloads_are_kept_in_one_call_in_order(ledger: Ledger) -> None:
    items = [EvidenceItem("magento order", f"order {number}", str(number), "text/plain") for number in range(1000)]
    ids = ledger.keep_evidence_batch(items)
    assert [ledger.evidence(number) for number in ids[::250]] == [b"0", b"250", b"500", b"750"]
    assert ledger.keep_evidence_batch([]) == []
    assert ledger.verify_evidence() == []


def test_eight_workers_append_to_one_unbroken_chain(ledger: Ledger) -> None:
    def worker(name: int) -> list[int]:
        return [ledger.keep_evidence("k", f"worker {name}", str(turn), media="text/plain") for turn in range(15)]

    with ThreadPoolExecutor(8) as pool:
        ids = [number for part in pool.map(worker, range(8)) for number in part]
    assert sorted(ids) == list(range(1, 121))
    assert ledger.verify_evidence() == []


def test_every_single_changed_byte_of_a_payload_is_found_and_named(ledger: Ledger, intruder: Engine) -> None:
    _keep_three(ledger)
    with intruder.begin() as connection:
        packed = bytes(connection.execute(select(evidence.c.payload).where(evidence.c.id == 2)).scalar_one())
    for position in range(len(packed)):
        changed = bytearray(packed)
        changed[position] ^= 0x46  # turns zlib's header 78 9C into 78 DA, which unpacks to the same text
        with intruder.begin() as connection:
            connection.execute(update(evidence).where(evidence.c.id == 2).values(payload=bytes(changed)))
        assert set(_problems(ledger)) == {(2, "order 2")}, f"byte {position}"


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "order 9"},
        {"kind": "prima order answer"},
        {"media": "text/plain"},
        {"size": 1},
        {"payload_sha256": "0" * 64},
        {"previous_hash": "0" * 64},
        {"chain_hash": "0" * 64},
        {"packed_sha256": "0" * 64},
        {"personal_sha256": "0" * 64},
        {"personal_sha256": ""},
        {"payload": b""},
    ],
)
def test_a_changed_column_is_found_and_named(ledger: Ledger, intruder: Engine, change: dict[str, Any]) -> None:
    _keep_three(ledger)
    with intruder.begin() as connection:
        connection.execute(update(evidence).where(evidence.c.id == 2).values(change))
    assert 2 in {number for number, _ in _problems(ledger)}


def test_a_changed_time_is_found(ledger: Ledger, intruder: Engine, clock: TestClock) -> None:
    _keep_three(ledger)
    with intruder.begin() as connection:
        connection.execute(update(evidence).where(evidence.c.id == 2).values(kept_at=clock() - timedelta(days=1)))
    assert _problems(ledger) == [(2, "order 2")]


def test_a_removed_row_is_found_wherever_it_was(ledger: Ledger, intruder: Engine) -> None:
    for removed in (1, 2, 3):
        _keep_three(ledger)
        with intruder.begin() as connection:
            connection.execute(delete(evidence).where(evidence.c.id == removed))
        assert ledger.verify_evidence() != [], f"row {removed}"
        with intruder.begin() as connection:
            connection.execute(delete(evidence))
            connection.execute(delete(personal_data))
            connection.execute(update(evidence_head).values(last_id=0, chain_hash="0" * 64))
        assert ledger.verify_evidence() == []


def test_a_row_rewritten_with_a_fitting_seal_breaks_the_chain_behind_it(ledger: Ledger, intruder: Engine) -> None:
    """Replacing row 2 by one that was honestly sealed on its own does not fit row 3."""
    _keep_three(ledger)
    with intruder.begin() as connection:
        row = dict(connection.execute(select(evidence).where(evidence.c.id == 3)).one()._mapping)
        connection.execute(delete(evidence).where(evidence.c.id == 3))
        connection.execute(update(evidence_head).values(last_id=2, chain_hash=row["previous_hash"]))
        connection.execute(delete(evidence).where(evidence.c.id == 2))
        values = dict(connection.execute(select(personal_data).where(personal_data.c.evidence_id == 3)).one()._mapping)
        connection.execute(delete(personal_data).where(personal_data.c.evidence_id > 1))
        first = connection.execute(select(evidence.c.chain_hash).where(evidence.c.id == 1)).scalar_one()
        connection.execute(update(evidence_head).values(last_id=1, chain_hash=first))
    ledger.keep_evidence("prima order request", "order 2", "forged", media="application/xml")
    with intruder.begin() as connection:
        connection.execute(evidence.insert().values(row))
        connection.execute(personal_data.insert().values(values))
        connection.execute(update(evidence_head).values(last_id=3, chain_hash=row["chain_hash"]))
    assert _problems(ledger) == [(3, "order 3")]
