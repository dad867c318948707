"""What stands for what in the other system: SKUs, store views, payment and delivery methods, carriers."""

import re
from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.fulfilment import Mark, MarkSettings
from tasks.settings.prima import StockTupleSettings
from tasks.settings.section import Section

ImportWhen = Literal["always", "paid", "authorised", "never"]


class SkuSettings(Section):
    """`[sku]`: how a Magento SKU becomes PRIMA's stock tuple. `mapped` wins over the source."""

    source: Literal["items", "file", "pattern"] = Field(
        description="items = PRIMA's items extract; file = CSV with sku,product,mtrx1..mtrx4; pattern = a regex"
    )
    file: str = Field(default="", validate_default=True, description="the CSV file, when source is file")
    pattern: str = Field(default="", validate_default=True, description="the regex, when source is pattern")
    mapped: dict[str, StockTupleSettings] = Field(
        default_factory=dict, description="single SKUs that are spelt differently: [sku.mapped.SKU]"
    )

    @field_validator("file")
    @classmethod
    def _file_named(cls, file: str, info: ValidationInfo) -> str:
        if not file and info.data.get("source") == "file":
            raise ValueError("is needed when source is file")
        return file

    @field_validator("pattern")
    @classmethod
    def _pattern_usable(cls, pattern: str, info: ValidationInfo) -> str:
        if info.data.get("source") == "pattern":
            try:
                groups = set(re.compile(pattern).groupindex)
            except re.error as error:
                raise ValueError(f"is no regular expression: {error}") from error
            if "product" not in groups:
                raise ValueError("must have a named group (?P<product>...)")
        return pattern


class StoreSettings(Section):
    """`[[stores]]`: one Magento store view."""

    id: int = Field(ge=1, description="Magento's number of the store view")
    code: str = Field(description="Magento's code of the store view")
    website: str = Field(description="Magento's code of its website")
    is_imported: bool = True
    import_states: list[str] | None = Field(default=None, description="instead of orders.import_states")
    import_statuses: list[str] | None = Field(default=None, description="instead of orders.import_statuses")
    start_date: date | None = Field(default=None, description="instead of orders.start_date")
    minimum_age_minutes: int | None = Field(
        default=None, ge=0, le=10_080, description="instead of orders.minimum_age_minutes"
    )
    expire_unpaid_days: int | None = Field(default=None, ge=1, description="instead of orders.expire_unpaid_days")
    import_when: dict[str, ImportWhen] = Field(
        default_factory=dict, description="by payment method, instead of payment_methods.<code>.import_when"
    )
    order_channel: str = Field(default="", description="instead of prima.orders.order_channel")
    brand: str = Field(default="", description="instead of prima.orders.brand")
    source_code: str = Field(default="", description="the source that ships its orders; empty = magento.source_code")
    marks: dict[Mark, MarkSettings] = Field(
        default_factory=dict, description="what is written on the Magento order; without it nothing is"
    )


class PaymentMethodSettings(Section):
    """`[payment_methods.CODE]`: PRIMA's codes for a Magento payment method, and when its orders are imported."""

    pay_method: str = Field(default="CSH", min_length=1, description="PRIMA's PayMethod")
    sub_pay_method: str = Field(default="", description="PRIMA's SubPayMethod")
    pay_provider: str = Field(default="NONE", description="PRIMA's PayProvider")
    order_category: str = Field(default="", description="PRIMA's OrderCategory")
    import_when: ImportWhen = Field(default="always", description="from when on orders with this method are imported")
    invoice_when: Literal["never", "accepted", "dispatched"] = Field(
        default="never", description="when the order is invoiced in Magento: what PRIMA accepted, or what left"
    )
    invoice_capture: bool = Field(default=False, description="take the money through the payment gateway as well")
    invoice_notify: bool = Field(default=False, description="send Magento's e-mail with the invoice")


class DeliverySettings(Section):
    """`[delivery_methods.CODE]`: PRIMA's charge, carrier and service codes for a Magento shipping method."""

    charge: str = Field(description="PRIMA's charge code of the delivery")
    carrier: str = Field(default="", description="PRIMA's Carrier")
    service: str = Field(default="", description="PRIMA's CarrServ")


def _checked_template(template: str) -> str:
    if template and (not template.startswith(("https://", "http://")) or "{tracking_number}" not in template):
        raise ValueError("must be an address with {tracking_number} in it")
    return template


class ServiceSettings(Section):
    """`[carriers.CODE.services.SERVICE]`: a service of a carrier that is told by a title or link of its own."""

    title: str = Field(default="", description="instead of the carrier's title")
    tracking_url: str = Field(default="", description="instead of the carrier's template")

    @field_validator("tracking_url")
    @classmethod
    def _template(cls, template: str) -> str:
        return _checked_template(template)


class CarrierSettings(Section):
    """`[carriers.CODE]`: how a PRIMA carrier is told to the customer."""

    title: str = Field(description="the carrier's name as the customer reads it")
    magento_carrier_code: str = "custom"
    tracking_url: str = Field(default="", description="template with {tracking_number}")
    services: dict[str, ServiceSettings] = Field(default_factory=dict)

    @field_validator("tracking_url")
    @classmethod
    def _template(cls, template: str) -> str:
        return _checked_template(template)
