"""The ledger: orders, postings, exceptions, watermarks, stock, evidence and leases, in SQLite or PostgreSQL."""

from tasks.systems.ledger.breaks import BreakEvent
from tasks.systems.ledger.errors import ErasedError, LedgerStateError, PostingExistsError
from tasks.systems.ledger.order_postings import Begun, EndedOrder, NotBegun, WantedOrder
from tasks.systems.ledger.placed import PlacedLines, PlacedOrder
from tasks.systems.ledger.records import (
    BatchRecord,
    DispatchLink,
    DispatchTrack,
    Evidence,
    EvidenceItem,
    EvidenceProblem,
    ExceptionEvent,
    ExceptionRecord,
    LineProgress,
    MappingVersion,
    MovedLine,
    OpenLine,
    OrderLineRecord,
    OrderRecord,
    Posting,
    SeenOrders,
    StockLevelRecord,
    StockPush,
)
from tasks.systems.ledger.refunds import KeptCreditNote, KeptRefund
from tasks.systems.ledger.states import ORDER_STATES, OrderStateName, PostingState
from tasks.systems.ledger.store import Ledger

__all__ = [
    "ORDER_STATES",
    "BatchRecord",
    "Begun",
    "BreakEvent",
    "DispatchLink",
    "DispatchTrack",
    "EndedOrder",
    "ErasedError",
    "Evidence",
    "EvidenceItem",
    "EvidenceProblem",
    "ExceptionEvent",
    "ExceptionRecord",
    "KeptCreditNote",
    "KeptRefund",
    "Ledger",
    "LedgerStateError",
    "LineProgress",
    "MappingVersion",
    "MovedLine",
    "NotBegun",
    "OpenLine",
    "OrderLineRecord",
    "OrderRecord",
    "OrderStateName",
    "PlacedLines",
    "PlacedOrder",
    "Posting",
    "PostingExistsError",
    "PostingState",
    "SeenOrders",
    "StockLevelRecord",
    "StockPush",
    "WantedOrder",
]
