"""PRIMA: its web service (`PrimaClient`) and its figures for reports (`ReportingSource`).

What is known of PRIMA's wire comes from one installation's traffic; whatever differs between installations is a
setting under `[prima]`.
"""

from tasks.systems.prima.as_read import ExtractAsRead, StockAnswer
from tasks.systems.prima.client import PrimaClient
from tasks.systems.prima.records import OrderState, PreparedRequest, StockSnapshot
from tasks.systems.prima.refusals import DuplicateOrderError, ErrorBlock, PrimaRefusedError, UnclearAnswerError
from tasks.systems.prima.reporting import ReportingSource

__all__ = [
    "DuplicateOrderError",
    "ErrorBlock",
    "ExtractAsRead",
    "OrderState",
    "PreparedRequest",
    "PrimaClient",
    "PrimaRefusedError",
    "ReportingSource",
    "StockAnswer",
    "StockSnapshot",
    "UnclearAnswerError",
]
