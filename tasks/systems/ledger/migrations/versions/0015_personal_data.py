"""Personal data out of the evidence into a table of its own, and the chain sealed anew over what is left.

The old seals are checked on the way. A row that does not fit its seal keeps it, so that `evidence verify` goes on
naming it, and so does an end that is missing. The last row of the new chain says what the old one ended in.

This file keeps both ways of sealing as they were on the day; what counts as personal is the program's list of the day
on which it runs.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from schemas.personal import split
from tasks.systems.ledger.models.columns import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAMED = sa.text("email <> ''")
_ROWS = 200
_START = "0" * 64
_EVIDENCE = sa.table(
    "evidence",
    *(
        sa.column(name)
        for name in (
            "id", "kind", "subject", "media", "size", "payload_sha256", "packed_sha256", "personal_sha256",
            "previous_hash", "chain_hash",
        )
    ),
    sa.column("payload", sa.LargeBinary),
    sa.column("kept_at", UtcDateTime()),
)  # fmt: skip
_PERSONAL = sa.table(
    "personal_data",
    sa.column("evidence_id"),
    sa.column("content", sa.LargeBinary),
    sa.column("salt", sa.LargeBinary),
    sa.column("email"),
)
_HEAD = sa.table("evidence_head", sa.column("last_id"), sa.column("chain_hash"))


def upgrade() -> None:
    op.create_table(
        "personal_data",
        sa.Column("evidence_id", _ROW_ID, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("erasure_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("evidence_id", name="pk_personal_data"),
    )
    op.create_index("ix_personal_data_email", "personal_data", ["email"], sqlite_where=_NAMED, postgresql_where=_NAMED)
    for name in ("packed_sha256", "personal_sha256"):
        op.add_column("evidence", sa.Column(name, sa.Text(), server_default="", nullable=False))
    _seal_anew(op.get_bind())


def _seal_anew(connection: sa.Connection) -> None:
    """Split every payload and seal the chain over the bodies; rows that were changed keep a seal that does not fit."""
    head = connection.execute(sa.select(_HEAD)).one()
    if not head.last_id:
        return
    damaged: list[int] = []
    # The end of the old chain, the end of the new one, and the row that both have reached.
    old, new, at = _START, _START, 0
    while rows := connection.execute(
        sa.select(_EVIDENCE).where(_EVIDENCE.c.id > at).order_by(_EVIDENCE.c.id).limit(_ROWS)
    ).all():
        changed: list[dict[str, Any]] = []
        personal: list[dict[str, Any]] = []
        for row in rows:
            payload = _sound(row, old) if row.id == at + 1 else None
            old, at = row.chain_hash, row.id
            if payload is None:
                damaged.append(row.id)
                new = row.chain_hash
                continue
            facts = _facts(row, payload, new, personal)
            new = facts["to_chain_hash"]
            changed.append(facts)
        if changed:
            connection.execute(_SEAL, changed)
        if personal:
            connection.execute(_PERSONAL.insert(), personal)
    if (at, old) == (head.last_id, head.chain_hash):
        _append(connection, at + 1, new, {"chain_hash": old, "damaged": damaged, "last_id": at, "revision": revision})


_SEAL = (
    _EVIDENCE.update()
    .where(_EVIDENCE.c.id == sa.bindparam("row_id"))
    .values(
        {
            name: sa.bindparam(f"to_{name}")
            for name in (
                "payload", "payload_sha256", "packed_sha256", "personal_sha256", "previous_hash", "chain_hash",
            )
        }
    )
)  # fmt: skip


def _sound(row: Any, old: str) -> bytes | None:
    """Return the payload of a row that fits its old seal and follows the row before it; None when it does not."""
    try:
        payload = zlib.decompress(row.payload)
    except zlib.error:
        return None
    kept_at = row.kept_at.astimezone(UTC).isoformat(timespec="microseconds")
    packed = hashlib.sha256(row.payload).hexdigest()
    parts = (row.previous_hash, row.payload_sha256, packed, row.kind, row.subject, row.media, kept_at)
    is_same = hashlib.sha256(payload).hexdigest() == row.payload_sha256 and len(payload) == row.size
    return payload if is_same and row.previous_hash == old and row.chain_hash == _sealed(parts) else None


def _facts(row: Any, payload: bytes, previous: str, personal: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what becomes of a sound row; its personal values are added to `personal`."""
    parts = split(row.kind, row.media, payload)
    personal_sha256 = ""
    if parts.personal is not None:
        salt = os.urandom(16)
        personal_sha256 = hashlib.sha256(salt + parts.personal).hexdigest()
        personal.append({"evidence_id": row.id, "content": parts.personal, "salt": salt, "email": parts.email})
    packed = zlib.compress(parts.body)
    body_sha256, packed_sha256 = hashlib.sha256(parts.body).hexdigest(), hashlib.sha256(packed).hexdigest()
    kept_at = row.kept_at.astimezone(UTC).isoformat(timespec="microseconds")
    seal = _sealed(
        (previous, body_sha256, packed_sha256, personal_sha256, str(row.size), row.kind, row.subject, row.media,
         kept_at)
    )  # fmt: skip
    return {
        "row_id": row.id,
        "to_payload": packed,
        "to_payload_sha256": body_sha256,
        "to_packed_sha256": packed_sha256,
        "to_personal_sha256": personal_sha256,
        "to_previous_hash": previous,
        "to_chain_hash": seal,
    }


def _append(connection: sa.Connection, number: int, previous: str, said: dict[str, Any]) -> None:
    """Add the row that says what was sealed anew."""
    body = json.dumps(said, sort_keys=True).encode()
    packed = zlib.compress(body)
    facts = {
        "payload_sha256": hashlib.sha256(body).hexdigest(),
        "packed_sha256": hashlib.sha256(packed).hexdigest(),
        "personal_sha256": "",
        "size": len(body),
        "kind": "resealed",
        "subject": "ledger",
        "media": "application/json",
        "kept_at": datetime.now(UTC),
    }
    kept_at = facts["kept_at"].isoformat(timespec="microseconds")  # type: ignore[attr-defined]
    seal = _sealed([previous, *(str(value) for value in list(facts.values())[:-1]), kept_at])
    row = {"id": number, "payload": packed, "previous_hash": previous, "chain_hash": seal, **facts}
    connection.execute(_EVIDENCE.insert(), [row])
    connection.execute(_HEAD.update().values(last_id=number, chain_hash=seal))


def _sealed(parts: Iterable[str]) -> str:
    return hashlib.sha256("".join(f"{part}\n{len(part)}\n" for part in parts).encode("utf-8")).hexdigest()
