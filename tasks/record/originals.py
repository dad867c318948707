"""Magento's record of each order that goes to PRIMA, kept as evidence: what was read, beside what was sent."""

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
    items = {
        number: EvidenceItem(KIND, f"order {number}", _as_text(record), "application/json")
        for record in records
        if (number := str(record.get("increment_id"))) in order_numbers
    }
    kept = ledger.records_kept(items)
    new = [number for number in items if number not in kept]
    ids: dict[str, int] = {}
    for some in chunks(new, RECORDS_A_COMMIT):
        ids.update(zip(some, ledger.keep_evidence_batch([items[number] for number in some]), strict=True))
    return ids


def _as_text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, default=str, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
