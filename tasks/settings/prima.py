"""`[prima]`: the web service, how orders are written, and the reporting source."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import NO_DEFAULT, Section, without_user


class StockTupleSettings(Section):
    """PRIMA's five-part stock tuple."""

    product: str = Field(min_length=1, description="PRIMA's product code")
    mtrx1: str = ""
    mtrx2: str = ""
    mtrx3: str = ""
    mtrx4: str = ""


class PrimaOrderSettings(Section):
    """`[prima.orders]`: how a Magento order is written as a PRIMA order.

    `number_prefix`, `price_meaning`, `vat_lock` and `delivery_as` have no default: a wrong guess corrupts values
    silently.
    """

    number_prefix: str = Field(
        pattern=r"^\d{0,6}$", description=f"digits put before the shop's number; '' for none; {NO_DEFAULT}"
    )
    number_from: Literal["entity_id", "increment_id"] = "entity_id"
    number_length: int = Field(
        default=8, ge=4, le=20, validate_default=True, description="digits of the whole number, zero-filled"
    )
    price_meaning: Literal["line_gross", "unit_gross", "line_net", "unit_net"] = Field(
        description=f"what PRIMA takes the Price of an order line for; {NO_DEFAULT}"
    )
    vat_lock: Literal["ext_tax_val", "none"] = Field(
        description="where Magento's VAT is locked: ExtTaxVal of each line, or nowhere (PRIMA calculates); "
        + NO_DEFAULT
    )
    delivery_as: Literal["charge", "line"] = Field(
        description="delivery as OrderChargeData (PRIMA works out its VAT) or as an order line with locked VAT; "
        + NO_DEFAULT
    )
    delivery_product: StockTupleSettings | None = Field(
        default=None,
        validate_default=True,
        description="the stock tuple of the delivery line, when delivery_as is line",
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

    @field_validator("delivery_product")
    @classmethod
    def _product_of_line(cls, product: StockTupleSettings | None, info: ValidationInfo) -> StockTupleSettings | None:
        if product is None and info.data.get("delivery_as") == "line":
            raise ValueError("is needed when delivery_as is line: { product = ... }, the item that stands for delivery")
        return product

    @field_validator("number_length")
    @classmethod
    def _room(cls, length: int, info: ValidationInfo) -> int:
        prefix = info.data.get("number_prefix", "")
        if len(prefix) >= length:
            raise ValueError(f"must be more than the {len(prefix)} digits of number_prefix: the order's own come after")
        return length


class PrimaReportingSettings(Section):
    """`[prima.reporting]`: a database (SQLAlchemy URL), or a folder of CSV/Parquet files (fsspec URL); or neither."""

    url: str = Field(
        default="", repr=False, description="SQLAlchemy URL; a password belongs in the secret PRIMA_REPORTING_PASSWORD"
    )
    folder: str = Field(default="", description="folder of files named after the extracts, such as dispatches.csv")
    queries: dict[str, str] = Field(default_factory=dict, description="SQL for an extract, instead of its default")
    lag_minutes: int = Field(default=0, ge=0, description="how old the reporting source may be against PRIMA itself")

    @field_validator("folder")
    @classmethod
    def _one_of_both(cls, folder: str, info: ValidationInfo) -> str:
        if folder and info.data.get("url"):
            raise ValueError("give url or folder, not both")
        return folder


class PrimaRequestSettings(Section):
    """`[prima.requests]`: names of request types that PRIMA's documentation does not give; empty = feature off."""

    cancel: str = Field(
        default="",
        pattern=r"^\w*$",
        description="request type that cancels an order, sent with Data/@OrderNumber alone; empty: people do it",
    )


class PrimaSettings(Section):
    """`[prima]`: the web service, and what is particular to the installation (prima section 13 of the handbook)."""

    wsdl_url: str = Field(pattern=r"^https?://\S+", description="address of the WSDL, with its ?targetURI=")
    endpoint_url: str = Field(default="", description="POST address, when the WSDL names a wrong one")
    operation: Literal["wsomhandler", "comwsomhandler"] = "wsomhandler"
    company_id: str = Field(default="", validate_default=True, description="needed for the operation comwsomhandler")
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
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    allow_plain_http: bool = Field(default=False, description="permit http:// to an address outside private networks")
    status_not_found_text: str = Field(
        default="", description="how an OrderStatus error begins when the order does not exist; empty = unknown: stop"
    )
    lowest_stock_rows: int = Field(default=0, ge=0, description="fewer rows than this in a full snapshot: held")
    largest_stock_shrink_percent: int = Field(default=20, ge=0, le=100)
    attempt_limit: int = Field(
        default=5, ge=1, description="an order that PRIMA refused this often in the same words is parked"
    )
    retry_minutes: list[int] = Field(
        default_factory=lambda: [5, 15, 60, 240, 1440],
        min_length=1,
        description="how long a refused order rests after its first, second ... refusal; the last one goes on",
    )
    orders: PrimaOrderSettings = Field(description="the table [prima.orders]")
    reporting: PrimaReportingSettings = PrimaReportingSettings()
    requests: PrimaRequestSettings = PrimaRequestSettings()

    @field_validator("wsdl_url", "endpoint_url")
    @classmethod
    def _without_user(cls, url: str) -> str:
        return without_user(url)

    @field_validator("company_id")
    @classmethod
    def _company(cls, company_id: str, info: ValidationInfo) -> str:
        if not company_id and info.data.get("operation") == "comwsomhandler":
            raise ValueError("is needed when operation is comwsomhandler")
        return company_id
