"""Stock levels into Magento's sources, batch by batch: a refused one is split to the culprit, a lost one read back."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from schemas.batches import PostingResult, PostingState, chunks
from schemas.documents import SourceKey, StockLevel
from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError
from tasks.post.stock_pace import BatchSize, quiet_until
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tasks.systems.magento import SOURCE_UNKNOWN, BusyError, InputLimitError, MagentoClient

SKUS_A_QUESTION = 100
# So many levels refused one by one, and none taken in between: then it is not the levels.
REFUSED_IN_A_ROW = 25


class StockWriter:
    """Writes levels in the order given, each batch recorded as `pending` before its call leaves.

    `read_at` is when PRIMA was asked: figures older than `stock.oldest_figure_minutes` are never written. `keep_lane`
    holds the lane for longer; it raises SystemUnavailableError when another writer has it by now.
    """

    def __init__(
        self,
        ledger: Ledger,
        magento: MagentoClient,
        settings: Settings,
        batch_id: str,
        read_at: datetime,
        keep_lane: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._magento = magento
        self._settings = settings.stock
        self._batch_id = batch_id
        self._read_at = read_at
        self._keep_lane = keep_lane
        self._quiet = [(quiet.start, quiet.end) for quiet in settings.stock.quiet_times]
        self._size = BatchSize(settings.magento.stock_batch_size)
        self._attempts = settings.stock.push_attempts
        # A batch of one that fails is the last halving; only then has nothing helped.
        self._hopeless = self._attempts + settings.magento.stock_batch_size.bit_length()
        self._sources: frozenset[str] | None = None
        self._troubles = 0
        self._refusals = 0
        self._is_smooth = False  # the last batch went well, so the next one is likely to leave as it is
        self._taken: list[StockLevel] = []  # by Magento, and not in the ledger yet: that comes with the next batch
        self._ahead: list[StockLevel] = []  # recorded as `pending` while the batch before it is under way
        self.results: list[PostingResult] = []

    def write(self, levels: Sequence[StockLevel]) -> None:
        """Write all of them; `results` then has one result for each. What is not written now stays `waiting`.

        While Magento answers one batch, the one before it is recorded as taken and the next one as `pending`, in one
        transaction. A crash in between leaves them `pending`, and the next run reads what became of them.
        """
        with ThreadPoolExecutor(1, "stock-call") as caller:
            try:
                self._write(levels, caller)
            finally:
                self._record([])

    def _write(self, levels: Sequence[StockLevel], caller: Executor) -> None:
        groups = deque([list(levels)] if levels else [])
        while groups:
            batch = self._next_batch(groups)
            pause = self.reason_to_pause()
            if pause is not None:
                self._wait([batch, *groups], *pause)
                return
            try:
                self._keep_lane()
                groups.extendleft(reversed(self._send(batch, groups, caller)))
            except SystemUnavailableError as error:
                self._wait([batch, *groups], "UNAVAILABLE", str(error))
                return
            if self._refusals >= REFUSED_IN_A_ROW:
                last = self.results[-1]
                words = f"Magento refused {self._refusals} levels one after another; the last was {last.subject}"
                self._wait(groups, "UNAVAILABLE", f"{words}: {last.detail}")
                return

    def _next_batch(self, groups: deque[list[StockLevel]]) -> list[StockLevel]:
        """Take the next batch off the groups: the one that is recorded already, where it still is the next one."""
        group = groups.popleft()
        most, ahead = self._size.size, len(self._ahead)
        if ahead and ahead <= most and group[:ahead] == self._ahead:
            most = ahead
        batch, rest = group[:most], group[most:]
        if rest:
            groups.appendleft(rest)
        return batch

    def reason_to_pause(self) -> tuple[str, str] | None:
        """Return code and words why nothing may be written now, or None."""
        now = datetime.now(UTC)
        until = quiet_until(now, self._quiet)
        if until is not None:
            return "QUIET", f"no stock is written before {until:%H:%M} (stock.quiet_times)"
        if now - self._read_at > timedelta(minutes=self._settings.oldest_figure_minutes):
            return "STALE", f"PRIMA's figures of {self._read_at:%Y-%m-%d %H:%M} UTC are too old to be written"
        return None

    def _send(
        self, batch: list[StockLevel], groups: deque[list[StockLevel]], caller: Executor
    ) -> list[list[StockLevel]]:
        """Write one batch; returns the groups of it that are to be sent again."""
        if batch != self._ahead:
            self._record(batch)
        self._ahead = []
        call = caller.submit(
            self._magento.write_source_items, [(level.sku, level.source_code, level.source_qty) for level in batch]
        )
        if self._is_smooth:
            self._record(groups[0][: self._size.size] if groups else [], is_ahead=True)
        self._is_smooth = False
        try:
            call.result()
        except InputLimitError as error:
            self._ledger.record_push(batch, "refused", batch_id=self._batch_id)
            if error.limit >= len(batch):
                return self._split(batch, error)
            self._size.is_limited_to(error.limit)
            return [list(batch)]
        except CallRefusedError as error:
            self._ledger.record_push(batch, "refused", batch_id=self._batch_id)
            return self._split(batch, error)
        except SystemUnavailableError as error:
            self._ledger.record_push(batch, "refused", batch_id=self._batch_id)
            self._trouble(len(batch), error, most=self._attempts)
            return [list(batch)]
        except OutcomeUnknownError as error:
            return self._as_read_back(batch, error)
        self._taken = batch
        self._is_smooth = True
        self._size.went_well()
        self._troubles = self._refusals = 0
        self.results += [result_of(level, "posted") for level in batch]
        return []

    def _record(self, pending: list[StockLevel], *, is_ahead: bool = False) -> None:
        """Record what Magento took last, and what is about to be sent; what was to be sent and is not is withdrawn."""
        taken, self._taken = self._taken, []
        withdrawn, self._ahead = self._ahead, pending if is_ahead else []
        self._ledger.record_pushes(
            [(taken, "posted"), (withdrawn, "withdrawn"), (pending, "pending")], batch_id=self._batch_id
        )

    def _split(self, batch: Sequence[StockLevel], error: CallRefusedError) -> list[list[StockLevel]]:
        """Cut a refused batch by source or in half; a level that is refused alone, or whose source is none, is told."""
        if error.code == SOURCE_UNKNOWN:
            known = self._known_sources()
            nowhere = [level for level in batch if level.source_code not in known]
            if nowhere:
                self.results += [
                    result_of(level, "refused", "STOCK_SOURCE_UNKNOWN", error.message) for level in nowhere
                ]
                return [left] if (left := [level for level in batch if level.source_code in known]) else []
        if len(batch) == 1:
            self._refusals += 1
            self.results.append(result_of(batch[0], "refused", "STOCK_PUSH_FAILED", error.message))
            return []
        half = len(batch) // 2
        return [list(batch[:half]), list(batch[half:])]

    def _as_read_back(self, batch: Sequence[StockLevel], error: OutcomeUnknownError) -> list[list[StockLevel]]:
        """Tell by what Magento holds now which levels of a batch with a lost answer arrived; the others go again."""
        self._ledger.record_push(batch, "unknown", batch_id=self._batch_id)
        held = read_back(self._ledger, self._magento, batch)
        arrived = [level for level in batch if held.get((level.sku, level.source_code)) == level.source_qty]
        self.results += [result_of(level, "posted") for level in arrived]
        left = [level for level in batch if held.get((level.sku, level.source_code)) != level.source_qty]
        if not left:
            self._size.was_too_much(len(batch))
            self._troubles = self._refusals = 0
            return []
        if len(batch) == 1 and self._size.size == 1 and self._troubles >= self._attempts - 1:
            self.results.append(result_of(left[0], "unknown", "STOCK_PUSH_FAILED", str(error)))
            self._refusals += 1
            return []
        self._trouble(len(batch), error, most=self._hopeless)
        return [left]

    def _trouble(self, sent: int, error: SystemUnavailableError | OutcomeUnknownError, *, most: int) -> None:
        """Make the next batch smaller and wait a little; raises SystemUnavailableError when that has not helped."""
        self._size.was_too_much(sent)
        self._troubles += 1
        if self._troubles >= most:
            if isinstance(error, SystemUnavailableError):
                raise error
            raise SystemUnavailableError(
                error.message, system=error.system, operation=error.operation, reference=error.reference
            ) from error
        asked_for = error.retry_after if isinstance(error, BusyError) else None
        pause = self._settings.push_pause_seconds * 2 ** min(self._troubles - 1, 4)
        time.sleep(pause if asked_for is None else max(pause, min(asked_for, 60.0)))

    def _known_sources(self) -> frozenset[str]:
        if self._sources is None:
            self._sources = frozenset(str(source["source_code"]) for source in self._magento.sources())
        return self._sources

    def _wait(self, groups: Iterable[Sequence[StockLevel]], code: str, detail: str) -> None:
        """Leave what has no result yet to the next run."""
        told = {result.key for result in self.results}
        left = [result_of(level, "waiting", code, detail) for group in groups for level in group]
        self.results += [result for result in left if result.key not in told]


def read_back(ledger: Ledger, magento: MagentoClient, levels: Sequence[StockLevel]) -> dict[SourceKey, int]:
    """Return what Magento's sources hold of these levels now, fractions cut off; the ledger then knows it as well."""
    held: dict[SourceKey, int] = {}
    for source in sorted({level.source_code for level in levels}):
        read_at = datetime.now(UTC)
        found = {
            (str(record["sku"]), source): int(record["quantity"])
            for some in chunks([level.sku for level in levels if level.source_code == source], SKUS_A_QUESTION)
            for page in magento.source_items(some, source)
            for record in page
        }
        ledger.confirm_levels((*key, quantity, read_at) for key, quantity in found.items())
        held |= found
    return held


def result_of(level: StockLevel, state: PostingState, code: str = "", detail: str = "") -> PostingResult:
    """Return how the push of a level ended."""
    key = f"magento/stock/{level.source_code}/{level.sku}"
    return PostingResult(key, level.sku, state, reference=level.source_code, code=code, detail=detail)
