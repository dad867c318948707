"""`[prima.tracking]`: where the tracking numbers stand, for installations without a reporting source."""

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import Section

_POINTER = re.compile(r"^(?:\w+/)*@\w+$")


class PrimaTrackingSettings(Section):
    """`[prima.tracking]`: pointers into an answer, in the form `Data/Despatch/@TrackingNumber`.

    A pointer starts below `Result`, names are compared without case, and it finds the attribute on every element of
    that path. `carrier` and `service` are read beside each number: on the element that holds it, or above it.
    """

    source: Literal["none", "order_status", "request"] = Field(
        default="none",
        description="order_status: the answer of prima.requests.status; request: that of prima.requests.despatch; "
        "none: only the reporting source tells",
    )
    number: str = Field(
        default="", validate_default=True, description="pointer to the tracking number: Data/Despatch/@TrackingNumber"
    )
    carrier: str = Field(default="", description='code of the carrier; empty = that of [carriers.""]')
    service: str = Field(default="", description="pointer to the carrier's service code")

    @field_validator("number", "carrier", "service")
    @classmethod
    def _pointer(cls, pointer: str, info: ValidationInfo) -> str:
        if pointer and not _POINTER.match(pointer):
            raise ValueError("must be a path of element names that ends in an attribute: Data/Despatch/@TrackingNumber")
        if not pointer and info.field_name == "number" and info.data.get("source", "none") != "none":
            raise ValueError(f"is needed when source is {info.data['source']}")
        return pointer
