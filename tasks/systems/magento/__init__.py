"""Everything that speaks to Magento."""

from tasks.systems.magento.bulk import BulkOperation, BulkStatus
from tasks.systems.magento.client import MagentoClient
from tasks.systems.magento.errors import SOURCE_UNKNOWN, BusyError, FailedInsideError, InputLimitError
from tasks.systems.magento.fulfilment import DISPATCH_COMMENT, NOT_SAVED
from tasks.systems.magento.prices import BasePrice, PriceProblem
from tasks.systems.magento.readings import Reading, Unreadable
from tasks.systems.magento.streams import StreamName

__all__ = [
    "DISPATCH_COMMENT",
    "NOT_SAVED",
    "SOURCE_UNKNOWN",
    "BasePrice",
    "BulkOperation",
    "BulkStatus",
    "BusyError",
    "FailedInsideError",
    "InputLimitError",
    "MagentoClient",
    "PriceProblem",
    "Reading",
    "StreamName",
    "Unreadable",
]
