"""`[refunds]`: how PRIMA hears of Magento's refunds, and whether its credit notes become refunds in Magento."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.settings.section import Section


class RefundSettings(Section):
    """`[refunds]`: the channel of refunds, its folder, and the clock of credit notes."""

    to_prima: Literal["exception", "export"] = Field(
        default="exception",
        description="how PRIMA hears of a refund: exception = finance enters the credit note; export = a file for each "
        "refund in export_folder",
    )
    export_folder: str = Field(
        default="", description="folder into which refunds are written (a folder of this machine or a mount, no URL)"
    )
    request_type: str = Field(
        default="",
        description="a slot for a request type that is not public: nothing can be sent under it, so it must stay empty",
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
        if self.alert_days <= self.warn_days:
            raise ValueError("alert_days must be more than warn_days")
        return self
