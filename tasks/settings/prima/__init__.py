"""`[prima]` and its tables: the web service, how orders are written, its stock, its errors, the reporting source.

PRIMA's documentation is not public, so nearly everything of it is a setting; `docs/prima-settings.md` shows each with
its default and the reason why it is one.
"""

from tasks.settings.prima.attributes import ConsentSettings, ConstantSettings
from tasks.settings.prima.check import PrimaCheckSettings
from tasks.settings.prima.errors import ErrorClassSettings
from tasks.settings.prima.orders import PrimaOrderSettings, StockTupleSettings
from tasks.settings.prima.reporting import PrimaReportingSettings
from tasks.settings.prima.requests import PrimaRequestSettings
from tasks.settings.prima.service import PrimaSettings
from tasks.settings.prima.soap import PrimaSoapSettings
from tasks.settings.prima.stock import PrimaStockSettings
from tasks.settings.prima.tracking import PrimaTrackingSettings

__all__ = [
    "ConsentSettings",
    "ConstantSettings",
    "ErrorClassSettings",
    "PrimaCheckSettings",
    "PrimaOrderSettings",
    "PrimaReportingSettings",
    "PrimaRequestSettings",
    "PrimaSettings",
    "PrimaSoapSettings",
    "PrimaStockSettings",
    "PrimaTrackingSettings",
    "StockTupleSettings",
]
