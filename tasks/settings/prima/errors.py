"""`[[prima.errors]]`: error texts of this installation, and what each of them means."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import Section


class ErrorClassSettings(Section):
    """One entry of `[[prima.errors]]`: an error with this code and this beginning of its text belongs to a class.

    They are looked at before the known ones. `retry`: a cause, tried again by retry_minutes up to attempt_limit;
    `park`: a cause, never sent again unchanged; `unavailable`: PRIMA refused for the moment, nothing is counted;
    `duplicate`: the number exists already (as E:21); `summary` and `noise`: consequences of another error.
    """

    code: str = Field(
        default="", pattern=r"^(E:\d+|\d+)?$", description="the error's number, such as E:194 or 14586; empty = any"
    )
    begins: str = Field(
        default="",
        validate_default=True,
        description="how its text begins, in any case; may be empty when code is given",
    )
    kind: Literal["retry", "park", "unavailable", "duplicate", "summary", "noise"] = Field(
        description="what such an error means"
    )

    @field_validator("begins")
    @classmethod
    def _one_of_both(cls, begins: str, info: ValidationInfo) -> str:
        if not begins.strip() and not info.data.get("code"):
            raise ValueError("is needed when code is not given: an entry for every error would hide the causes")
        return begins
