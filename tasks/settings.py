"""Settings: one TOML file for addresses and mappings, secrets from outside it.

The file is named by `MAGENTO_PRIMA_CONFIG`. Everything wrong or missing is reported at once, each problem with file,
key and what is expected. Secrets never stand in the file: `SECRETS` lists their names, and `Secrets` looks each up in
the environment (`MAGENTO_CONSUMER_KEY`) and then with the look-up that the caller gives (Prefect Secret blocks).
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tasks.errors import ConfigurationError

OrderStatusName = Literal["accepted", "part_dispatched", "dispatched", "cancelled"]
CONFIG_VARIABLE = "MAGENTO_PRIMA_CONFIG"


def _decimal_from_text(value: object) -> object:
    if isinstance(value, float):
        raise ValueError('must be written as text in quotes, for instance "17.5"')
    return value


ExactDecimal = Annotated[Decimal, BeforeValidator(_decimal_from_text)]


class Section(BaseModel):
    """A table of the settings file: unknown keys are mistakes, not decoration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MagentoSettings(Section):
    """`[magento]`: where the shop is and how gently it is called."""

    base_url: str = Field(pattern=r"^https?://[^/\s]+", description="address of the shop, without /rest")
    auth: Literal["oauth1", "bearer"] = "oauth1"
    store_code: str = Field(default="", description="store code put in the path; empty = default view")
    connect_timeout_seconds: float = Field(default=5, gt=0)
    read_timeout_seconds: float = Field(default=60, gt=0)
    max_connections: int = Field(default=2, ge=1, le=8)
    calls_per_second: float = Field(default=10, gt=0, le=15, description="Magento's nonce table deadlocks near 18/s")
    page_size: int = Field(default=50, ge=1, le=300)
    overlap_minutes: int = Field(default=10, ge=0, description="how far each stream reads back behind its watermark")
    read_attempts: int = Field(default=4, ge=1, description="attempts of a read that met 429, 503 or no connection")
    ca_file: str = Field(default="", description="CA bundle for TLS; empty = the system's")
    stock_id: int = Field(default=1, ge=1, description="the stock whose salable quantity is read back")
    source_code: str = Field(default="default", description="the source that stock levels are written to")
    stock_batch_size: int = Field(default=250, ge=1, le=2000)

    @model_validator(mode="after")
    def _without_rest(self) -> "MagentoSettings":
        if "/rest" in self.base_url:
            raise ValueError("base_url must stop before /rest, for instance https://shop.example")
        return self


class StockTupleSettings(Section):
    """PRIMA's five-part stock tuple."""

    product: str = Field(min_length=1)
    mtrx1: str = ""
    mtrx2: str = ""
    mtrx3: str = ""
    mtrx4: str = ""


class PrimaOrderSettings(Section):
    """`[prima.orders]`: how a Magento order is written as a PRIMA order.

    `number_prefix`, `price_meaning`, `vat_lock` and `delivery_as` have no default: a wrong guess corrupts values
    silently.
    """

    number_prefix: str = Field(pattern=r"^\d{0,6}$", description="digits put before the shop's number; '' for none")
    number_from: Literal["entity_id", "increment_id"] = "entity_id"
    number_length: int = Field(default=8, ge=4, le=20, description="digits of the whole number, zero-filled")
    price_meaning: Literal["line_gross", "unit_gross", "line_net", "unit_net"]
    vat_lock: Literal["ext_tax_val", "none"] = Field(
        description="where Magento's VAT is locked: ExtTaxVal of each line, or nowhere (PRIMA calculates)"
    )
    delivery_as: Literal["charge", "line"] = Field(
        description="delivery as OrderChargeData (PRIMA works out its VAT) or as an order line with locked VAT"
    )
    delivery_product: StockTupleSettings | None = Field(
        default=None, description="the stock tuple of the delivery line, when delivery_as is line"
    )
    vat_inclusive: bool = Field(default=True, description="VatInclusive; must agree with PRIMA's price book (E:548)")
    order_channel: str = "MailOrder"
    unique_id: Literal["random", "order_number"] = "random"
    send_empty_attributes: bool = True
    send_currency: bool = True
    send_zero_charge: bool = True
    address_line_length: int = Field(default=80, ge=10)
    name_length: int = Field(default=30, ge=5)
    note_length: int = Field(default=200, ge=0)
    hold_orders: bool = Field(default=False, description="HoldOrder: everything arrives held in PRIMA")

    @model_validator(mode="after")
    def _consistent(self) -> "PrimaOrderSettings":
        if self.delivery_as == "line" and self.delivery_product is None:
            raise ValueError("delivery_product is needed when delivery_as is line")
        if len(self.number_prefix) >= self.number_length:
            raise ValueError("number_prefix leaves no digit of number_length for the shop's own number")
        return self


class PrimaReportingSettings(Section):
    """`[prima.reporting]`: a database (SQLAlchemy URL), or a folder of CSV/Parquet files (fsspec URL); or neither."""

    url: str = Field(
        default="", description="SQLAlchemy URL; a password belongs in the secret PRIMA_REPORTING_PASSWORD"
    )
    folder: str = Field(default="", description="folder of files named after the extracts, such as dispatches.csv")
    queries: dict[str, str] = Field(default_factory=dict, description="SQL for an extract, instead of its default")
    lag_minutes: int = Field(default=0, ge=0, description="how old the reporting source may be against PRIMA itself")

    @model_validator(mode="after")
    def _one_of_both(self) -> "PrimaReportingSettings":
        if self.url and self.folder:
            raise ValueError("give url or folder, not both")
        return self


class PrimaSettings(Section):
    """`[prima]`: the web service, and what is particular to the installation (prima section 13 of the handbook)."""

    wsdl_url: str = Field(pattern=r"^https?://\S+", description="address of the WSDL, with its ?targetURI=")
    endpoint_url: str = Field(default="", description="POST address, when the WSDL names a wrong one")
    operation: Literal["wsomhandler", "comwsomhandler"] = "wsomhandler"
    company_id: str = ""
    expected_company: str = Field(default="", description="Result/@Company expected in answers; empty = any")
    declaration: Literal["none", "plain", "iso-8859-1"] = "iso-8859-1"
    character_policy: Literal["reject", "transliterate", "charref"] = "transliterate"
    request_size_limit: int = Field(default=30_000, ge=1_000)
    skus_per_stock_request: int = Field(default=15, ge=1)
    concurrency: int = Field(default=1, ge=1, le=8)
    connect_timeout_seconds: float = Field(default=10, gt=0)
    status_timeout_seconds: float = Field(default=30, gt=0)
    order_timeout_seconds: float = Field(default=60, gt=0)
    stock_timeout_seconds: float = Field(default=300, gt=0)
    ca_file: str = ""
    basic_auth_user: str = Field(default="", description="HTTP Basic user; its password is the secret PRIMA_PASSWORD")
    headers: dict[str, str] = Field(default_factory=dict)
    allow_plain_http: bool = Field(default=False, description="permit http:// to an address outside private networks")
    status_not_found_text: str = Field(
        default="", description="how an OrderStatus error begins when the order does not exist; empty = unknown: stop"
    )
    lowest_stock_rows: int = Field(default=0, ge=0, description="fewer rows than this in a full snapshot: held")
    largest_stock_shrink_percent: int = Field(default=20, ge=0, le=100)
    attempt_limit: int = Field(default=5, ge=1)
    orders: PrimaOrderSettings
    reporting: PrimaReportingSettings = PrimaReportingSettings()

    @model_validator(mode="after")
    def _company(self) -> "PrimaSettings":
        if self.operation == "comwsomhandler" and not self.company_id:
            raise ValueError("company_id is needed for the operation comwsomhandler")
        return self


class LedgerSettings(Section):
    """`[ledger]`: SQLAlchemy URL; SQLite by default, PostgreSQL (`postgresql+psycopg://`) in production."""

    url: str = Field(default="sqlite:///var/ledger.db", pattern=r"^(sqlite|postgresql\+psycopg)://")


class WarehouseSettings(Section):
    """`[warehouse]`: the folder that receives reconciliation.duckdb, Parquet and reports."""

    folder: str = "var/warehouse"


class SkuSettings(Section):
    """`[sku]`: how a Magento SKU becomes PRIMA's stock tuple. `mapped` wins over the source."""

    source: Literal["items", "file", "pattern"] = Field(
        description="items = PRIMA's items extract; file = CSV with sku,product,mtrx1..mtrx4; pattern = a regex"
    )
    file: str = ""
    pattern: str = ""
    mapped: dict[str, StockTupleSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> "SkuSettings":
        if self.source == "file" and not self.file:
            raise ValueError("file is needed when source is file")
        if self.source == "pattern":
            try:
                groups = set(re.compile(self.pattern).groupindex)
            except re.error as error:
                raise ValueError(f"pattern is no regular expression: {error}") from error
            if "product" not in groups:
                raise ValueError("pattern must have a named group (?P<product>...)")
        return self


class StoreSettings(Section):
    """`[[stores]]`: one Magento store view."""

    id: int = Field(ge=1)
    code: str
    website: str
    is_imported: bool = True
    order_channel: str = ""
    brand: str = ""


class PaymentMethodSettings(Section):
    """`[payment_methods.CODE]`: PRIMA's codes for a Magento payment method, and when its orders are imported."""

    pay_method: str
    sub_pay_method: str = ""
    pay_provider: str = "NONE"
    order_category: str = ""
    import_when: Literal["always", "paid", "authorised", "never"] = "always"


class DeliverySettings(Section):
    """`[delivery_methods.CODE]`: PRIMA's charge, carrier and service codes for a Magento shipping method."""

    charge: str
    carrier: str = ""
    service: str = ""


class CarrierSettings(Section):
    """`[carriers.CODE]`: how a PRIMA carrier is told to the customer."""

    title: str
    magento_carrier_code: str = "custom"
    tracking_url: str = Field(default="", description="template with {tracking_number}")


class VatRateSettings(Section):
    """`[[vat_rates]]`: the rates that a line may carry for a destination, from a date on."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    rates: list[ExactDecimal]
    from_date: date | None = None


class OrderRuleSettings(Section):
    """`[orders]`: which Magento orders are imported."""

    import_states: list[str] = ["new", "processing", "complete"]
    start_date: date | None = Field(default=None, description="orders placed before this date are left alone")
    chunk_size: int = Field(default=50, ge=1, le=500)
    shipped_before_posting: Literal["hold", "post_on_hold", "post"] = Field(
        default="hold",
        description="orders shipped in Magento before PRIMA had them: an exception, or posted (HoldOrder=Yes, or as usual)",
    )
    amounts: Literal["order", "base"] = Field(default="order", description="which of Magento's currencies is posted")
    allow_rounding_line: bool = False


class StockRuleSettings(Section):
    """`[stock]`: the safety buffer in units, for all SKUs and for single ones."""

    buffer: int = Field(default=0, ge=0)
    buffers: dict[str, int] = Field(default_factory=dict)


class FulfilmentSettings(Section):
    """`[fulfilment]`: what to do with a carrier that no mapping names, and how far back dispatches are read."""

    unknown_carrier: Literal["hold", "ship_without_tracking"] = "hold"
    notify_customer: bool = True
    look_back_days: int = Field(default=14, ge=1)


class ReconciliationSettings(Section):
    """`[reconciliation]`: tolerance in pence and the lag in which a missing document is only late."""

    tolerance_pence: int = Field(default=0, ge=0)
    lag_hours: int = Field(default=24, ge=0)


class Settings(Section):
    """Everything the product is told from outside, read once by the task that needs it."""

    magento: MagentoSettings
    prima: PrimaSettings
    ledger: LedgerSettings = LedgerSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    sku: SkuSettings
    stores: list[StoreSettings] = Field(min_length=1)
    payment_methods: dict[str, PaymentMethodSettings] = Field(min_length=1)
    delivery_methods: dict[str, DeliverySettings] = Field(min_length=1)
    carriers: dict[str, CarrierSettings] = Field(default_factory=dict)
    statuses: dict[str, OrderStatusName] = {
        "Despatched": "dispatched",
        "Part Despatched": "part_dispatched",
        "Cancelled": "cancelled",
    }
    vat_rates: list[VatRateSettings] = Field(min_length=1)
    orders: OrderRuleSettings = OrderRuleSettings()
    stock: StockRuleSettings = StockRuleSettings()
    fulfilment: FulfilmentSettings = FulfilmentSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()

    @model_validator(mode="after")
    def _stores_once(self) -> "Settings":
        ids = [store.id for store in self.stores]
        if len(ids) != len(set(ids)):
            raise ValueError("stores: each id may stand only once")
        return self

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
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            problems = [_sentence(path, problem) for problem in error.errors()]
            listed = "\n".join(f"  - {problem}" for problem in problems)
            raise ConfigurationError(
                f"{len(problems)} problem(s) in the settings:\n{listed}", problems=problems, system="settings"
            ) from error


def _sentence(path: Path, problem: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(file)"
    text = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        description = _description(problem["loc"])
        text = "is missing" + (f": {description}" if description else "")
    elif problem["type"] == "extra_forbidden":
        text = "is not a known setting"
    else:
        given = problem.get("input")
        if isinstance(given, str | int | float | bool):
            text = f"{text} (given: {given!r})"
    return f"{path}: {key}: {text}"


def _description(location: tuple[str | int, ...]) -> str:
    """Return what the settings model says of a key, so that a missing one is explained."""
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return ""
        model = field.annotation
    field = model.model_fields.get(str(location[-1]))
    if field is None:
        return ""
    choices = ", ".join(repr(choice) for choice in getattr(field.annotation, "__args__", ()) if isinstance(choice, str))
    return "; ".join(part for part in (field.description or "", f"one of {choices}" if choices else "") if part)


SECRETS = (
    "MAGENTO_CONSUMER_KEY",
    "MAGENTO_CONSUMER_SECRET",
    "MAGENTO_ACCESS_TOKEN",
    "MAGENTO_ACCESS_TOKEN_SECRET",
    "PRIMA_PASSWORD",
    "PRIMA_REPORTING_PASSWORD",
)

SecretLookup = Callable[[str], str | None]


def no_lookup(name: str) -> str | None:
    """The look-up of secrets that knows none: only the environment counts."""
    return None


class Secrets:
    """Secrets by name: the environment first, then the look-up; never printed, never logged."""

    def __init__(self, lookup: SecretLookup = no_lookup) -> None:
        self._lookup = lookup

    def __repr__(self) -> str:
        return "Secrets(...)"

    def get(self, name: str) -> str:
        """Return the secret, or an empty string where it is set nowhere."""
        if name not in SECRETS:
            raise KeyError(f"{name} is not a known secret")
        return os.environ.get(name, "") or self._lookup(name) or ""

    def require(self, *names: str) -> list[str]:
        """Return the secrets in order; raises ConfigurationError that names all that are set nowhere."""
        values = [self.get(name) for name in names]
        missing = [name for name, value in zip(names, values, strict=True) if not value]
        if missing:
            blocks = ", ".join(name.lower().replace("_", "-") for name in missing)
            raise ConfigurationError(
                f"{', '.join(missing)} not set: neither in the environment nor as Prefect Secret blocks ({blocks}).",
                problems=[f"{name} is not set" for name in missing],
                system="settings",
            )
        return values
