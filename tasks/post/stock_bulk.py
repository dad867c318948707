"""Stock levels through Magento's asynchronous bulk: followed to the end of each operation, then read back."""

import time
from collections.abc import Callable, Sequence

from schemas.batches import PostingResult, chunks
from schemas.documents import StockLevel
from tasks.errors import (
    CallRefusedError,
    NotFoundError,
    OutcomeUnknownError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.post.stock_batches import read_back, result_of
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import BulkStatus, MagentoClient

ROUTE = "/V1/inventory/source-items"
OPERATIONS_A_BULK = 20
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.05, 5.0


def settle_bulks(ledger: Ledger, magento: MagentoClient) -> bool:
    """Look after bulks that were not seen to end; returns whether Magento has finished with all of them.

    They were open at their deadline, or the run that sent them ended before. What such a bulk wrote since is older than
    what was written after it: its levels count as not known any more. One that cannot be read is taken for open.
    """
    is_clear = True
    for uuid, levels in ledger.open_bulks().items():
        try:
            operations = magento.bulk_operations(uuid)
        except NotFoundError:
            operations = []
        except UnexpectedResponseError:
            is_clear = False
            continue
        if any(operation.status == BulkStatus.OPEN for operation in operations):
            is_clear = False
            continue
        ledger.forget_levels(levels)
        ledger.settle_bulk(uuid)
    return is_clear


class BulkWriter:
    """Writes levels by bulks of `magento.stock_batch_size` levels an operation; what they leave open is left over."""

    def __init__(
        self,
        ledger: Ledger,
        magento: MagentoClient,
        settings: Settings,
        batch_id: str,
        keep_lane: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._magento = magento
        self._batch_size = settings.magento.stock_batch_size
        self._deadline_seconds = settings.stock.bulk_deadline_seconds
        self._batch_id = batch_id
        self._keep_lane = keep_lane
        self.results: list[PostingResult] = []

    def write(self, levels: Sequence[StockLevel], reason_to_pause: Callable[[], object]) -> list[StockLevel]:
        """Send the levels in the order given and return those that are to be written directly instead.

        After the first bulk that Magento does not take or does not finish in time no other one is sent: its consumer
        does not run, or not fast enough.
        """
        operations = list(chunks(levels, self._batch_size))
        left: list[StockLevel] = []
        for position in range(0, len(operations), OPERATIONS_A_BULK):
            part = operations[position : position + OPERATIONS_A_BULK]
            rest = [level for later in operations[position:] for level in later]
            if reason_to_pause() is not None:
                return left + rest
            try:
                self._keep_lane()
                uuid = self._send(part)
            except (CallRefusedError, SystemUnavailableError):
                return left + rest
            except OutcomeUnknownError as error:
                # Nobody knows its number, so nobody can follow it: the next run reads what came of it.
                sent = [level for operation in part for level in operation]
                self.results += [result_of(level, "unknown", "STOCK_PUSH_FAILED", str(error)) for level in sent]
                return left + [level for later in operations[position + len(part) :] for level in later]
            unsettled, is_finished = self._follow(uuid, part)
            left += unsettled
            if not is_finished:
                return left + [level for later in operations[position + len(part) :] for level in later]
        return left

    def _send(self, operations: Sequence[Sequence[StockLevel]]) -> str:
        levels = [level for operation in operations for level in operation]
        self._ledger.record_push(levels, "pending", batch_id=self._batch_id)
        entries = [{"sourceItems": [_source_item(level) for level in operation]} for operation in operations]
        try:
            uuid = self._magento.bulk(ROUTE, entries)
        except (CallRefusedError, SystemUnavailableError):
            self._ledger.record_push(levels, "refused", batch_id=self._batch_id)
            raise
        except OutcomeUnknownError:
            self._ledger.record_push(levels, "unknown", batch_id=self._batch_id)
            raise
        # Magento may perform it at any time from here on, also when this run does not live to see that.
        self._ledger.open_bulk(uuid, {(level.sku, level.source_code) for level in levels})
        return uuid

    def _follow(self, uuid: str, operations: Sequence[Sequence[StockLevel]]) -> tuple[list[StockLevel], bool]:
        """Wait for a bulk; returns the levels that did not arrive, and whether Magento has finished with it."""
        statuses = self._statuses(uuid)
        is_finished = BulkStatus.OPEN not in statuses.values() and len(statuses) == len(operations)
        left: list[StockLevel] = []
        for number, levels in enumerate(operations):
            status = statuses.get(number, BulkStatus.OPEN)
            if status not in (BulkStatus.DONE, BulkStatus.OPEN):
                self._ledger.record_push(levels, "refused", batch_id=self._batch_id)
                left += levels
                continue
            held = read_back(self._ledger, self._magento, levels)
            arrived = [level for level in levels if held.get((level.sku, level.source_code)) == level.source_qty]
            self._ledger.record_push(arrived, "posted", batch_id=self._batch_id)
            self.results += [result_of(level, "posted") for level in arrived]
            left += [level for level in levels if held.get((level.sku, level.source_code)) != level.source_qty]
        if is_finished:
            self._ledger.settle_bulk(uuid)
        return left, is_finished

    def _statuses(self, uuid: str) -> dict[int, BulkStatus]:
        """Return the status of each operation once none is open any more, or at the deadline; empty if unreadable."""
        started = time.monotonic()
        pause = SHORTEST_LOOK_SECONDS
        while True:
            try:
                self._keep_lane()
                statuses = {each.id: each.status for each in self._magento.bulk_operations(uuid)}
            except NotFoundError:
                statuses = {}
            except (SystemUnavailableError, UnexpectedResponseError):
                return {}
            is_over = time.monotonic() - started + pause > self._deadline_seconds
            if is_over or (statuses and BulkStatus.OPEN not in statuses.values()):
                return statuses
            time.sleep(pause)
            pause = min(LONGEST_LOOK_SECONDS, pause * 2)


def _source_item(level: StockLevel) -> dict[str, object]:
    quantity = level.source_qty
    return {"sku": level.sku, "source_code": level.source_code, "quantity": quantity, "status": int(quantity > 0)}
