"""How orders are checked and paid beside the plain import rules: tender, children's sizes, countries, VAT rates."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from schemas.order_checks import DEFAULT_ACTIONS, Action
from tasks.settings.section import ExactDecimal, Section


class TenderCodeSettings(Section):
    """`[tender.KIND]`: PRIMA's codes for what a gift card, store credit or reward points paid."""

    pay_method: str = Field(description="PRIMA's PayMethod")
    sub_pay_method: str = ""
    pay_provider: str = "NONE"


class TenderSettings(Section):
    """`[tender]`: Adobe Commerce's means of payment beside the payment method; one without a table holds its orders."""

    gift_card: TenderCodeSettings | None = None
    store_credit: TenderCodeSettings | None = None
    reward_points: TenderCodeSettings | None = None

    def codes(self) -> Mapping[str, TenderCodeSettings]:
        """Return the kinds that have a table."""
        kinds = {"gift_card": self.gift_card, "store_credit": self.store_credit, "reward_points": self.reward_points}
        return {kind: codes for kind, codes in kinds.items() if codes is not None}


class ChildrensSizeSettings(Section):
    """`[childrens_sizes]`: which of PRIMA's sizes are children's, whose VAT must then be that of their size."""

    size_in: Literal["mtrx1", "mtrx2", "mtrx3", "mtrx4"] = Field(description="the matrix code that is the size")
    sizes: list[str] = Field(default_factory=list, description="children's sizes, as PRIMA spells them")
    pattern: str = Field(default="", validate_default=True, description="a regex that fits every other children's size")
    countries: list[str] = Field(
        default_factory=lambda: ["GB", "IM"], description="destinations where children's sizes carry no VAT"
    )

    @field_validator("pattern")
    @classmethod
    def _usable(cls, pattern: str, info: ValidationInfo) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        if not pattern and not info.data.get("sizes"):
            raise ValueError("is needed when sizes names none")
        return pattern


class VatRateSettings(Section):
    """`[[vat_rates]]`: the rates that a line may carry for a destination, and from when to when they hold."""

    country: str = Field(pattern=r"^[A-Z]{2}$", description="two letters, ISO 3166: GB")
    rates: list[ExactDecimal] = Field(description='a list of texts: ["20", "5", "0"]')
    first_date: date | None = Field(default=None, description="first London date of the rates; without it: ever since")
    last_date: date | None = Field(default=None, description="last London date of the rates; without it: for ever")

    @field_validator("last_date")
    @classmethod
    def _not_before(cls, last: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first_date")
        if last is not None and first is not None and last < first:
            raise ValueError(f"lies before first_date {first}")
        return last


def checked_actions(actions: Mapping[str, Action]) -> dict[str, Action]:
    """Return what to do for each code that can be chosen; raises ValueError that names every other code."""
    unknown = sorted(set(actions) - set(DEFAULT_ACTIONS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} cannot be chosen; only {', '.join(sorted(DEFAULT_ACTIONS))} can")
    return {**DEFAULT_ACTIONS, **actions}
