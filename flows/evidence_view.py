"""What is kept as evidence about an order, as plain values; the ledger is the source."""

from typing import Any

from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger import ErasedError


def evidence_of(
    settings: Settings, order_number: str, *, payloads: bool = False, with_customer: bool = False
) -> list[dict[str, Any]]:
    """Return each payload about an order, oldest first: id, kind, time, bytes, hash, and what became of it.

    With `payloads` also the payload, its personal values as lengths alone unless `with_customer` is given and they are
    not erased. Acts of erasure are rows of their own, with who and why.
    """
    rows = []
    with connect.open_ledger(settings) as ledger:
        order = ledger.order(order_number) or ledger.order_by_prima_number(order_number)
        number = order.order_number if order is not None else order_number
        for each in ledger.evidence_for(f"order {number}"):
            shown = ledger.shown_evidence(each.id)
            row = {
                "id": each.id,
                "kind": each.kind,
                "kept_at": each.kept_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "bytes": each.size,
                "sha256": each.payload_sha256,
                "state": "kept" if shown.is_kept and not shown.is_erased else "erased" if shown.is_kept else "expired",
            }
            if payloads or each.kind == "erasure":
                body = shown.body
                if with_customer:
                    try:
                        body = ledger.evidence(each.id)
                    except ErasedError as error:
                        row["note"] = error.message
                row["payload"] = body.decode("utf-8", errors="replace")
            rows.append(row)
    return rows


def lines_of_text(rows: list[dict[str, Any]]) -> list[str]:
    """Return the rows for a terminal, each with its payload below it where it has one."""
    found = []
    for row in rows:
        size, proof = f"{row['bytes']} bytes", f"sha256 {row['sha256'][:16]}"
        found.append(f"{row['id']}  {row['kept_at']}  {row['kind']}  {size}  {proof}  {row['state']}")
        found += [f"    {text}" for text in (row.get("note"), row.get("payload")) if text]
    return found
