"""Magento's record of each order that goes to PRIMA, kept as evidence: what was read, beside what was sent."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from schemas.batches import chunks
from tasks.systems.ledger import Ledger
from tasks.systems.ledger.records import EvidenceItem

KIND = "magento order"
RECORDS_A_COMMIT = 50


def keep_originals(
    ledger: Ledger, records: Sequence[Mapping[str, Any]], order_numbers: Collection[str]
) -> dict[str, int]:
    """Keep the records of these orders, and return the evidence id of each that was not kept before as it is now.

    Amounts stand as the text that Magento sent, in quotes. Source: GET /rest/V1/orders.
    """
    wanted = {str(record["increment_id"]): record for record in records if record.get("increment_id") in order_numbers}
    kept = ledger.record_hashes(list(wanted))
    payloads = {number: _as_text(record) for number, record in wanted.items()}
    new = [number for number, payload in payloads.items() if _sha256(payload) != kept.get(number)]
    ids: dict[str, int] = {}
    for some in chunks(new, RECORDS_A_COMMIT):
        items = [EvidenceItem(KIND, f"order {number}", payloads[number], "application/json") for number in some]
        ids.update(zip(some, ledger.keep_evidence_batch(items), strict=True))
    return ids


def _as_text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, default=str, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _sha256(payload: str) -> str:
    return hashlib.sha256(payload.encode("utf-8")).hexdigest()
