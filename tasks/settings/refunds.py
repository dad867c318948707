"""`[refunds]`: how PRIMA hears of Magento's refunds, and whether its credit notes become refunds in Magento."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.settings.section import NO_DEFAULT, Section


class RefundSettings(Section):
    """`[refunds]`: the channel of refunds, its folder, and the clock of credit notes."""

    to_prima: Literal["exception", "export"] = Field(
        default="exception",
        description="how PRIMA hears of a refund: exception = finance enters the credit note; export = a file for each "
        "refund in export_folder",
    )
    export_folder: str = Field(
        default="",
        description="folder into which refunds are written (a folder of this machine or a mount); it must exist",
    )
    request_type: str = Field(
        default="",
        description="a slot for a request type that is not public: nothing can be sent under it, so it must stay empty",
    )
    in_magento: Literal["never", "credit_notes"] = Field(
        default="never",
        description="credit_notes = a credit note of PRIMA without a refund becomes a credit memo in Magento (offline: "
        "no money moves through the payment gateway)",
    )
    delivery_amount: Literal["net", "gross"] | None = Field(
        default=None,
        description="what Magento takes shipping_amount of a refund for: gross where it shows delivery including tax "
        f"in sales (tax/sales_display/shipping), else net; {NO_DEFAULT}",
    )
    notify_customer: bool = Field(default=False, description="whether Magento mails the customer such a credit memo")
    settle_seconds: int = Field(
        default=120,
        ge=0,
        le=3600,
        description="how long a refund whose answer was lost may still take effect in Magento: no second one before",
    )
    look_back_days: int = Field(
        default=14, ge=1, description="how far behind the last one PRIMA's credit notes are read again"
    )
    warn_days: int = Field(default=10, ge=1, description="days after which a refund without a credit note is a warning")
    alert_days: int = Field(
        default=14, ge=1, description="days after which it is critical; the UK wants the credit note within 14 days"
    )

    @field_validator("request_type")
    @classmethod
    def _off(cls, name: str) -> str:
        if name:
            raise ValueError("must stay empty: the fields of such a request are not known, so nothing can send it yet")
        return name

    @field_validator("export_folder")
    @classmethod
    def _a_folder(cls, folder: str) -> str:
        if "://" in folder:
            raise ValueError("must be a folder of this machine or a mount: a file is moved into it in one step")
        return folder and str(Path(folder))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.to_prima == "export" and not self.export_folder:
            raise ValueError("export_folder is needed when to_prima is export")
        if self.in_magento == "credit_notes" and self.delivery_amount is None:
            raise ValueError(f"delivery_amount must be net or gross when in_magento is credit_notes; {NO_DEFAULT}")
        if self.alert_days <= self.warn_days:
            raise ValueError("alert_days must be more than warn_days")
        return self
