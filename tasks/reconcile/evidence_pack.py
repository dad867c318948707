"""The evidence pack of a period: one zip with report, workbook, tables, audit trail and a manifest of their hashes."""

import csv
import hashlib
import io
import json
import os
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from schemas.money import to_pounds
from schemas.periods import PeriodEvent, PeriodRecord, PriorItem

MANIFEST = "manifest.json"
# The same content gives the same bytes, whenever it is packed.
_PACKED_AT = (1980, 1, 1, 0, 0, 0)
_READ_AT_A_TIME = 1 << 20


def write(
    record: PeriodRecord, folder: Path, events: Sequence[PeriodEvent], items: Sequence[PriorItem]
) -> tuple[Path, str]:
    """Pack a frozen folder with the audit trail and the prior-period items it takes; return the file and its SHA-256.

    The file appears complete or not at all, beside the folder.
    """
    target = folder.with_name(f"{record.name}-r{record.revision}-{record.figures_hash[:12]}.zip")
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    hashes: dict[str, dict[str, object]] = {}
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = path.relative_to(folder).as_posix()
                hashes[name] = _add_file(pack, name, path)
            for name, text in (("audit.json", audit(events)), ("prior-period-items.csv", items_table(items))):
                hashes[name] = _add_text(pack, name, text)
            _add_text(pack, MANIFEST, manifest(record, hashes))
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target, sha256_of(target)


def problems(path: Path, sha256: str) -> list[str]:
    """Return what is wrong with a pack, as sentences: gone, other bytes, or a file that its manifest does not fit."""
    if not path.is_file():
        return [f"{path} is not there"]
    found = sha256_of(path)
    if found != sha256:
        return [f"{path} has the SHA-256 {found}; the ledger says {sha256}"]
    wrong = []
    with zipfile.ZipFile(path) as pack:
        listed = {each["file"]: each["sha256"] for each in json.loads(pack.read(MANIFEST))["files"]}
        names = {name for name in pack.namelist() if name != MANIFEST}
        wrong += [f"{name} stands in only one of pack and manifest" for name in sorted(names ^ set(listed))]
        for name in sorted(names & set(listed)):
            with pack.open(name) as content:
                if _digest(iter(lambda: content.read(_READ_AT_A_TIME), b"")) != listed[name]:
                    wrong.append(f"{name} has another SHA-256 than its manifest says")
    return wrong


def manifest(record: PeriodRecord, hashes: Mapping[str, Mapping[str, object]]) -> str:
    """Return the manifest: what was locked, by whom it was signed, and SHA-256 and size of every file."""
    content = {
        "period": record.name,
        "from_date": record.from_date.isoformat(),
        "to_date": record.to_date.isoformat(),
        "revision": record.revision,
        "figures_hash": record.figures_hash,
        "run_id": record.run_id,
        "preparer": record.preparer,
        "approver": record.approver,
        "files": [{"file": name, **facts} for name, facts in sorted(hashes.items())],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def audit(events: Sequence[PeriodEvent]) -> str:
    """Return the audit trail as JSON, oldest first, each line with its seal."""
    lines = [
        {
            "at": each.at.isoformat(),
            "who": each.actor,
            "what": each.event,
            "text": each.text,
            "revision": each.revision,
            "figures_hash": each.figures_hash,
            "sha256": each.sha256,
        }
        for each in events
    ]
    return json.dumps(lines, indent=2, ensure_ascii=False) + "\n"


ITEM_COLUMNS = (
    "item", "period", "revision", "found_at", "side", "documents", "document", "order", "vat_rate", "currency", "kind",
    "net_change", "vat_change", "gross_change", "carried_into",
)  # fmt: skip


def items_table(items: Sequence[PriorItem]) -> str:
    """Return prior-period items as CSV; amounts are changes since the lock, in whole pounds and pence."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ITEM_COLUMNS)
    for item in items:
        change = item.change
        amounts = (to_pounds(pence) for pence in (change.net_pence, change.vat_pence, change.gross_pence))
        writer.writerow(
            (
                item.item_id,
                item.period,
                item.revision,
                item.found_at.isoformat(),
                change.side,
                change.level,
                change.document_number,
                change.order_key,
                change.rate,
                change.currency,
                change.kind,
                *amounts,
                item.carried_into,
            )
        )
    return text.getvalue()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as content:
        return _digest(iter(lambda: content.read(_READ_AT_A_TIME), b""))


def _digest(parts: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _add_file(pack: zipfile.ZipFile, name: str, path: Path) -> dict[str, object]:
    info = zipfile.ZipInfo(name, _PACKED_AT)
    info.compress_type = zipfile.ZIP_DEFLATED
    with path.open("rb") as content, pack.open(info, "w", force_zip64=True) as target:
        for part in iter(lambda: content.read(_READ_AT_A_TIME), b""):
            target.write(part)
    return {"sha256": sha256_of(path), "bytes": path.stat().st_size}


def _add_text(pack: zipfile.ZipFile, name: str, text: str) -> dict[str, object]:
    info = zipfile.ZipInfo(name, _PACKED_AT)
    info.compress_type = zipfile.ZIP_DEFLATED
    content = text.encode()
    pack.writestr(info, content)
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
