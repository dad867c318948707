"""`[prima.soap]`: the form of the envelope, for an installation whose WSDL cannot be had or does not tell the truth."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import Section

_PART = r"^([A-Za-z_][\w.-]*)?$"


class PrimaSoapSettings(Section):
    """`[prima.soap]`: `auto` reads everything from the WSDL; any other style is written by hand and reads no WSDL.

    With `auto` a part name given here wins over the guess from the WSDL, in which it must stand.
    """

    style: Literal["auto", "rpc_literal", "rpc_encoded", "document_wrapped"] = Field(
        default="auto", description="form of the envelope; all but auto do without the WSDL"
    )
    request_part: str = Field(
        default="",
        pattern=_PART,
        validate_default=True,
        description="name of the part that takes the request document; empty = from the WSDL",
    )
    company_part: str = Field(
        default="", pattern=_PART, description="name of the company id's part (comwsomhandler); empty = from the WSDL"
    )
    answer_part: str = Field(
        default="", pattern=_PART, description="name of the part that holds the answer; empty = the only one there is"
    )
    company_comes: Literal["first", "last"] = Field(
        default="first", description="place of the company id among the parts, in an envelope that is written by hand"
    )
    soap_action: str | None = Field(
        default=None, pattern=r"^[^\s\"]*$", description="value of the SOAPAction header; left out = from the WSDL"
    )

    @field_validator("request_part")
    @classmethod
    def _named_by_hand(cls, name: str, info: ValidationInfo) -> str:
        if not name and info.data.get("style", "auto") != "auto":
            raise ValueError(f"is needed when style is {info.data['style']}: no WSDL is read then")
        return name
