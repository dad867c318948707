"""`[prima]`: the web service, and what is particular to the installation."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.prima.check import PrimaCheckSettings
from tasks.settings.prima.errors import ErrorClassSettings
from tasks.settings.prima.http import PrimaHttpSettings
from tasks.settings.prima.orders import PrimaOrderSettings
from tasks.settings.prima.reporting import PrimaReportingSettings
from tasks.settings.prima.requests import PrimaRequestSettings
from tasks.settings.prima.soap import PrimaSoapSettings
from tasks.settings.prima.stock import PrimaStockSettings
from tasks.settings.prima.tracking import PrimaTrackingSettings


class PrimaSettings(PrimaHttpSettings):
    """`[prima]`: the web service, and what is particular to the installation (`docs/prima-settings.md`)."""

    declaration: Literal["none", "plain", "iso-8859-1"] = Field(
        default="iso-8859-1", description="XML declaration of the request document"
    )
    character_policy: Literal["reject", "transliterate", "charref"] = Field(
        default="transliterate", description="what happens to characters outside ISO-8859-1"
    )
    request_size_limit: int = Field(default=30_000, ge=1_000, description="characters of a request document")
    skus_per_stock_request: int = Field(default=15, ge=1, description="items that one stock request lists")
    orders_per_request: int = Field(
        default=1,
        ge=1,
        le=1,
        description="always 1: PRIMA acts on each order as it reads it, so a request that breaks in the middle would "
        "leave orders that nobody was told of",
    )
    expected_company: str = Field(default="", description="Result/@Company expected in answers; empty = any")
    development_answers: Literal["stop", "allow"] = Field(
        default="stop",
        description="an answer with DEV MODE in it comes from a development installation: stop = post no more orders, "
        "allow = for a test installation",
    )
    lowest_stock_rows: int = Field(default=0, ge=0, description="fewer rows than this in a full snapshot: held")
    largest_stock_shrink_percent: int = Field(
        default=20, ge=0, le=100, description="a full snapshot that has lost more of its rows than this: held"
    )
    status_not_found_text: str = Field(
        default="", description="how an OrderStatus error begins when the order does not exist; empty = unknown: stop"
    )
    unknown_status: Literal["report", "ignore"] = Field(
        default="report",
        description="a status word that [statuses] does not name changes nothing: report = with an exception, ignore",
    )
    attempt_limit: int = Field(
        default=5, ge=1, description="an order that PRIMA refused this often in the same words is parked"
    )
    retry_minutes: list[int] = Field(
        default_factory=lambda: [5, 15, 60, 240, 1440],
        min_length=1,
        description="how long a refused order rests after its first, second ... refusal; the last one goes on",
    )
    errors: list[ErrorClassSettings] = Field(
        default_factory=list, description="[[prima.errors]] entries: what the error texts of this installation mean"
    )
    orders: PrimaOrderSettings = Field(description="the table [prima.orders]")
    soap: PrimaSoapSettings = Field(default=PrimaSoapSettings(), validate_default=True)
    stock: PrimaStockSettings = PrimaStockSettings()
    tracking: PrimaTrackingSettings = PrimaTrackingSettings()
    reporting: PrimaReportingSettings = PrimaReportingSettings()
    requests: PrimaRequestSettings = Field(default=PrimaRequestSettings(), validate_default=True)
    check: PrimaCheckSettings = PrimaCheckSettings()

    @field_validator("soap")
    @classmethod
    def _by_hand(cls, soap: PrimaSoapSettings, info: ValidationInfo) -> PrimaSoapSettings:
        if soap.style == "auto":
            return soap
        if "endpoint_url" in info.data and not info.data["endpoint_url"] and not info.data.get("base_url", "-"):
            raise ValueError(f"style {soap.style} reads no WSDL: prima.endpoint_url or prima.base_url is needed")
        if info.data.get("operation") == "comwsomhandler" and not soap.company_part:
            raise ValueError(f"style {soap.style} reads no WSDL: company_part is needed for comwsomhandler")
        return soap

    @field_validator("requests")
    @classmethod
    def _despatch_of_tracking(cls, requests: PrimaRequestSettings, info: ValidationInfo) -> PrimaRequestSettings:
        tracking = info.data.get("tracking")
        if tracking is not None and tracking.source == "request" and not requests.despatch:
            raise ValueError("despatch is needed when prima.tracking.source is request")
        return requests
