"""Settings: one TOML file for addresses and mappings, secrets from outside it.

The file is named by `MAGENTO_PRIMA_CONFIG`. Everything wrong or missing is reported at once, each problem with file,
key and what is expected. Secrets never stand in the file: `SECRETS` lists their names, and `Secrets` looks each up in
the environment (`MAGENTO_CONSUMER_KEY`) and then with the look-up that the caller gives (Prefect Secret blocks).
"""

from tasks.settings.daily_report import DailyReportSettings
from tasks.settings.desk import DeskSettings
from tasks.settings.file import CONFIG_VARIABLE, OrderStatusName, Settings
from tasks.settings.fulfilment import FulfilmentSettings, MarkSettings, PollTierSettings
from tasks.settings.magento import MagentoSettings
from tasks.settings.mappings import (
    CarrierSettings,
    DeliverySettings,
    PaymentMethodSettings,
    ServiceSettings,
    SkuSettings,
    StoreSettings,
)
from tasks.settings.order_checks import ChildrensSizeSettings, TenderSettings, VatRateSettings
from tasks.settings.prima import (
    ErrorClassSettings,
    PrimaOrderSettings,
    PrimaReportingSettings,
    PrimaRequestSettings,
    PrimaSettings,
    PrimaTrackingSettings,
    StockTupleSettings,
)
from tasks.settings.refunds import RefundSettings
from tasks.settings.rules import (
    LedgerSettings,
    OrderRuleSettings,
    ReconciliationSettings,
    VerificationSettings,
    WarehouseSettings,
)
from tasks.settings.secrets import SECRETS, SecretLookup, Secrets, no_lookup
from tasks.settings.section import Section
from tasks.settings.stock import BrakeSettings, StockRuleSettings

__all__ = [
    "CONFIG_VARIABLE",
    "SECRETS",
    "BrakeSettings",
    "CarrierSettings",
    "ChildrensSizeSettings",
    "DailyReportSettings",
    "DeliverySettings",
    "DeskSettings",
    "ErrorClassSettings",
    "FulfilmentSettings",
    "LedgerSettings",
    "MagentoSettings",
    "MarkSettings",
    "OrderRuleSettings",
    "OrderStatusName",
    "PaymentMethodSettings",
    "PollTierSettings",
    "PrimaOrderSettings",
    "PrimaReportingSettings",
    "PrimaRequestSettings",
    "PrimaSettings",
    "PrimaTrackingSettings",
    "ReconciliationSettings",
    "RefundSettings",
    "SecretLookup",
    "Secrets",
    "Section",
    "ServiceSettings",
    "Settings",
    "SkuSettings",
    "StockRuleSettings",
    "StockTupleSettings",
    "StoreSettings",
    "TenderSettings",
    "VatRateSettings",
    "VerificationSettings",
    "WarehouseSettings",
    "no_lookup",
]
