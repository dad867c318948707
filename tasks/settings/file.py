"""The settings file as a whole, and each mistake in it as a sentence."""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from tasks.errors import ConfigurationError
from tasks.settings import profiles
from tasks.settings.alerts import AlertSettings
from tasks.settings.daily_report import DailyReportSettings
from tasks.settings.desk import DeskSettings
from tasks.settings.fulfilment import FulfilmentSettings
from tasks.settings.health import HealthSettings
from tasks.settings.magento import MagentoSettings
from tasks.settings.mappings import (
    CarrierSettings,
    DeliverySettings,
    PaymentMethodSettings,
    SkuSettings,
    StoreSettings,
)
from tasks.settings.order_checks import ChildrensSizeSettings, TenderSettings, VatRateSettings
from tasks.settings.payments import PaymentSettings
from tasks.settings.prima import PrimaSettings
from tasks.settings.refunds import RefundSettings
from tasks.settings.rules import (
    LedgerSettings,
    OrderRuleSettings,
    ReconciliationSettings,
    VerificationSettings,
    WarehouseSettings,
)
from tasks.settings.secrets import OAUTH_SECRETS
from tasks.settings.section import Section
from tasks.settings.stock import StockRuleSettings

CONFIG_VARIABLE = "MAGENTO_PRIMA_CONFIG"
OrderStatusName = Literal["accepted", "part_dispatched", "dispatched", "cancelled"]
STATUSES: Mapping[str, OrderStatusName] = {
    "Despatched": "dispatched",
    "Part Despatched": "part_dispatched",
    "Cancelled": "cancelled",
}


class Settings(Section):
    """Everything the product is told from outside, read once by the task that needs it."""

    profile: str = Field(default="", description="which of the tables [profiles.NAME] is put over the others")
    magento: MagentoSettings = Field(description="the table [magento]")
    prima: PrimaSettings = Field(description="the table [prima] with [prima.orders]")
    ledger: LedgerSettings = LedgerSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    sku: SkuSettings = Field(description="the table [sku]")
    stores: list[StoreSettings] = Field(min_length=1, description="one [[stores]] entry for each store view")
    payment_methods: dict[str, PaymentMethodSettings] = Field(
        min_length=1, description="one [payment_methods.CODE] table for each payment method of the shop"
    )
    delivery_methods: dict[str, DeliverySettings] = Field(
        min_length=1, description="one [delivery_methods.CODE] table for each shipping method of the shop"
    )
    carriers: dict[str, CarrierSettings] = Field(default_factory=dict)
    statuses: dict[str, OrderStatusName] = Field(
        default_factory=lambda: dict(STATUSES),
        description="PRIMA's status words and ours; dispatched and cancelled are the last ones of an order",
    )
    vat_rates: list[VatRateSettings] = Field(min_length=1, description="one [[vat_rates]] entry for each destination")
    childrens_sizes: ChildrensSizeSettings | None = None
    tender: TenderSettings = TenderSettings()
    orders: OrderRuleSettings = OrderRuleSettings()
    stock: StockRuleSettings = StockRuleSettings()
    fulfilment: FulfilmentSettings = FulfilmentSettings()
    refunds: RefundSettings = RefundSettings()
    verification: VerificationSettings = VerificationSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    payments: PaymentSettings = PaymentSettings()
    alerts: AlertSettings = AlertSettings()
    desk: DeskSettings = DeskSettings()
    health: HealthSettings = HealthSettings()
    daily_report: DailyReportSettings = DailyReportSettings()

    @field_validator("stores")
    @classmethod
    def _stores_once(cls, stores: list[StoreSettings]) -> list[StoreSettings]:
        twice = sorted(store_id for store_id, count in Counter(store.id for store in stores).items() if count > 1)
        if twice:
            raise ValueError(f"each id may stand only once, but not so {', '.join(map(str, twice))}")
        return stores

    @field_validator("daily_report")
    @classmethod
    def _report_has_channels(cls, report: DailyReportSettings, info: ValidationInfo) -> DailyReportSettings:
        alerts = info.data.get("alerts")
        unknown = sorted(set(report.channels) - {channel.name for channel in alerts.channels}) if alerts else []
        if unknown:
            raise ValueError(f"channels: no alert channel has the name {', '.join(unknown)}")
        return report

    def secret_names(self) -> list[str]:
        """Return the names of the secrets that these settings need."""
        names = ["MAGENTO_ACCESS_TOKEN"] if self.magento.auth == "bearer" else [*OAUTH_SECRETS]
        if self.prima.basic_auth_user:
            names.append("PRIMA_PASSWORD")
        if self.prima.secret_header:
            names.append("PRIMA_HEADER_VALUE")
        if self.prima.proxy_user:
            names.append("PRIMA_PROXY_PASSWORD")
        if self.alerts.mail is not None and self.alerts.mail.user:
            names.append("MAIL_PASSWORD")
        if re.match(r"[\w+]+://[^:/@\s]+@", self.prima.reporting.url):
            names.append("PRIMA_REPORTING_PASSWORD")
        return names

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the file that `MAGENTO_PRIMA_CONFIG` names; raises ConfigurationError with every problem at once."""
        named = os.environ.get(CONFIG_VARIABLE, "")
        if not named:
            raise ConfigurationError(
                f"{CONFIG_VARIABLE} is not set: it must name the settings file (TOML).", system="settings"
            )
        return cls.from_file(Path(named))

    @classmethod
    def from_file(cls, path: Path) -> "Settings":
        """Read one TOML file; raises ConfigurationError with every problem at once."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ConfigurationError(f"{path} does not exist.", system="settings") from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{path} cannot be read as TOML: {error}.", system="settings") from error
        name, whole, wrong = profiles.chosen(content)
        problems = [f"{path}: {problem}" for problem in wrong]
        read: dict[str, Settings] = {}
        for each, tables in whole.items():  # those that are not chosen as well: they are wanted one day
            own = content["profiles"][each] if each else {}
            try:
                read[each] = cls.model_validate(tables)
            except ValidationError as error:
                problems += [_sentence(path, problem, f"profiles.{each}", own) for problem in error.errors()]
        if problems:
            problems = list(dict.fromkeys(problems))
            listed = "\n".join(f"  - {problem}" for problem in problems)
            raise ConfigurationError(
                f"{len(problems)} problem(s) in the settings:\n{listed}", problems=problems, system="settings"
            ) from None  # the cause would show every value of the file, secrets that do not belong there included
        return read[name]


def _sentence(path: Path, problem: Mapping[str, Any], profile: str, own: Mapping[str, Any]) -> str:
    """Return one mistake as a sentence: file, key, what is wrong, what is expected. A password is left out of it.

    A key that stands in `own`, the tables of a profile, is named there.
    """
    location = problem["loc"]
    key = ".".join(str(part) for part in location) or "(file)"
    if profiles.stands_in(own, location):
        key = f"{profile}.{key}"
    text = str(problem["msg"]).removeprefix("Value error, ")
    expected = _expected(location)
    if problem["type"] == "extra_forbidden":
        return f"{path}: {key}: is not a known setting"
    if problem["type"] == "missing":
        return f"{path}: {key}: is missing" + (f": {expected}" if expected else "")
    given = problem.get("input")
    if isinstance(given, str | int | float | bool) and "headers" not in location:
        text += f" (given: {_without_password(repr(given))})"
    return f"{path}: {key}: {text}" + (f"; expected: {expected}" if expected and expected not in text else "")


def _without_password(text: str) -> str:
    """Return text without what stands before an @ in an address, and without what follows `password=`."""
    return re.sub(r"(?i)(password|secret|token)=[^&\s']*", r"\1=...", re.sub(r"([\w+]+://)?[^\s']*@", r"\1...@", text))


def _expected(location: tuple[str | int, ...]) -> str:
    """Return what the settings model says of a key: its description and, where there are only some, its choices."""
    model: Any = Settings
    field: FieldInfo | None = None
    for part in location:
        fields: Mapping[str, FieldInfo] = getattr(model, "model_fields", {})
        if str(part) in fields:
            field = fields[str(part)]
            model = field.annotation
        else:
            field = None
            model = next((choice for choice in get_args(model) if hasattr(choice, "model_fields")), None)
    if field is None:
        return ""
    choices = ", ".join(repr(choice) for choice in get_args(field.annotation) if isinstance(choice, str))
    return "; ".join(part for part in (field.description or "", f"one of {choices}" if choices else "") if part)
