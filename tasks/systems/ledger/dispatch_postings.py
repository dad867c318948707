"""Telling a dispatch as one commit before its call and one after: link, request, attempt, tracks together."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select, update

from schemas.documents import Track
from tasks.systems.ledger.database import chunks, distinct
from tasks.systems.ledger.dispatches import Dispatches
from tasks.systems.ledger.evidence import pack
from tasks.systems.ledger.models import dispatch_links, dispatch_tracks
from tasks.systems.ledger.postings import UNSETTLED
from tasks.systems.ledger.records import DispatchTrack, EvidenceItem, Posting
from tasks.systems.ledger.repeatable import RepeatablePostings

SHIPPED = "shipped"


class DispatchPostings(RepeatablePostings, Dispatches):
    """Each method is one transaction: all of it is committed, or nothing."""

    def begin_dispatch(
        self,
        key: str,
        *,
        operation: str,
        dispatch_number: str,
        order_number: str,
        request_hash: str,
        request: EvidenceItem,
    ) -> Posting:
        """Link a dispatch to its order, keep the request and record the attempt as pending, before the call leaves.

        Raises PostingExistsError when the key has a live attempt, LedgerStateError when the dispatch belongs to another
        order; nothing is written then.
        """
        row = {
            "key": key,
            "system": "magento",
            "operation": operation,
            "subject": f"dispatch {dispatch_number}",
            "request_hash": request_hash,
        }

        def begun() -> Posting:
            with self._writing("begin dispatch") as connection:
                self._refuse_second(connection, key)
                self._link(connection, dispatch_number, order_number, "", "to be told")
                evidence_id = self._chain(connection, [pack(request, self._now())])[0]
                return self._begin(connection, {**row, "request_evidence_id": evidence_id})

        return self._raced(begun, key)

    def finish_dispatch(
        self, posting: Posting, dispatch_number: str, order_number: str, shipment_id: str, tracks: Sequence[Track]
    ) -> None:
        """Record that Magento has the shipment of a dispatch, and the tracks that it was made with.

        Raises LedgerStateError when the attempt is settled already; nothing is written then.
        """
        with self._writing("finish dispatch") as connection:
            self._settle(connection, posting.id, UNSETTLED, "posted", {"reference": shipment_id}, None)
            self._link(connection, dispatch_number, order_number, shipment_id, SHIPPED)
            self._keep_tracks(connection, dispatch_number, tracks)

    def keep_tracks(self, dispatch_number: str, tracks: Sequence[Track]) -> None:
        """Record tracks that stand on the shipment of a dispatch."""
        with self._writing("keep tracks") as connection:
            self._keep_tracks(connection, dispatch_number, tracks)

    def withdraw_tracks(self, dispatch_number: str, numbers: Iterable[str]) -> None:
        """Record that PRIMA does not name these tracking numbers of a dispatch any more."""
        track = dispatch_tracks.c
        with self._writing("withdraw tracks") as connection:
            these = track.dispatch_number == dispatch_number, track.track_number.in_(sorted(numbers))
            connection.execute(update(dispatch_tracks).where(*these).values(state="withdrawn"))

    def dispatch_tracks(self, dispatch_numbers: Sequence[str]) -> dict[str, list[DispatchTrack]]:
        """Return the tracks of each of these dispatches that has any, in the order in which they were told."""
        found: dict[str, list[DispatchTrack]] = {}
        with self._reading("dispatch tracks") as connection:
            for part in chunks(distinct(dispatch_numbers)):
                query = select(dispatch_tracks).where(dispatch_tracks.c.dispatch_number.in_(part))
                for row in connection.execute(
                    query.order_by(dispatch_tracks.c.told_at, dispatch_tracks.c.track_number)
                ):
                    found.setdefault(row.dispatch_number, []).append(DispatchTrack(**row._asdict()))
        return found

    def note_content(self, content_of: dict[str, str]) -> None:
        """Remember what told dispatches looked like in PRIMA, so that they are looked at again only when it changes."""
        with self._writing("note content") as connection:
            for number, content in sorted(content_of.items()):
                this = dispatch_links.c.dispatch_number == number, dispatch_links.c.content != content
                connection.execute(update(dispatch_links).where(*this).values(content=content))

    def _keep_tracks(self, connection: Any, dispatch_number: str, tracks: Sequence[Track]) -> None:
        if not tracks:
            return
        insert = self._insert(dispatch_tracks)
        rows = [
            {
                "dispatch_number": dispatch_number,
                "track_number": track.number,
                "carrier_code": track.carrier_code,
                "title": track.title,
                "url": track.url,
                "state": "told",
                "told_at": self._now(),
            }
            for track in tracks
        ]
        told = {name: insert.excluded[name] for name in ("carrier_code", "title", "url", "state")}
        key = ["dispatch_number", "track_number"]
        connection.execute(insert.on_conflict_do_update(index_elements=key, set_=told), rows)
