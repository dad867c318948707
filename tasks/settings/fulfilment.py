"""`[fulfilment]`: where dispatches come from, what may go on with them, and what the Magento order shows of its way."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import Section

OpenState = Literal["new", "pending_payment", "processing", "complete", "payment_review"]
Mark = Literal["accepted", "part_dispatched", "dispatched", "problem"]


class PollTierSettings(Section):
    """`[[fulfilment.poll_tiers]]`: how often PRIMA is asked for orders up to an age."""

    up_to_hours: int = Field(ge=1, description="hours since PRIMA accepted the order")
    every_minutes: int = Field(ge=1, description="how often an order of that age is asked for")


def _tiers() -> list[PollTierSettings]:
    return [
        PollTierSettings(up_to_hours=48, every_minutes=30),
        PollTierSettings(up_to_hours=168, every_minutes=180),
        PollTierSettings(up_to_hours=1440, every_minutes=1440),
    ]


class FulfilmentSettings(Section):
    """`[fulfilment]`: the source of dispatches, unknown carriers, and how far back dispatches are read."""

    source: Literal["auto", "reporting", "drop", "order_status"] = Field(
        default="auto",
        description="where dispatches come from; auto = drop where drop_folder is named, else the reporting source, "
        "else OrderStatus, order by order",
    )
    drop_folder: str = Field(default="", description="folder or fsspec URL into which files of dispatches are dropped")
    drop_trailer: bool = Field(
        default=True,
        description="whether a dropped CSV file ends in END,<rows>, which shows that it is whole",
    )
    unknown_carrier: Literal["hold", "ship_without_tracking"] = "hold"
    rest_of_dispatch: Literal["waits", "goes"] = Field(
        default="waits", description="what becomes of the other lines when one line of a dispatch cannot be shipped"
    )
    notify_customer: bool = True
    look_back_days: int = Field(default=14, ge=1)
    settle_seconds: int = Field(
        default=120,
        ge=0,
        le=3600,
        description="how long a call whose answer was lost may still take effect in Magento: no second one before",
    )
    poll_calls: int = Field(default=200, ge=1, description="most OrderStatus calls of a run")
    poll_tiers: list[PollTierSettings] = Field(
        default_factory=_tiers, min_length=1, description="older orders than the last tier's are not asked for"
    )
    overdue_hours: int = Field(
        default=24, ge=1, description="after which the census lists a dispatch that Magento does not show as shipped"
    )

    @field_validator("drop_folder")
    @classmethod
    def _folder_of_drop(cls, folder: str, info: ValidationInfo) -> str:
        if not folder and info.data.get("source") == "drop":
            raise ValueError("is needed when source is drop")
        return folder

    @field_validator("poll_tiers")
    @classmethod
    def _tiers_ascend(cls, tiers: list[PollTierSettings]) -> list[PollTierSettings]:
        ages = [tier.up_to_hours for tier in tiers]
        if ages != sorted(set(ages)):
            raise ValueError("must stand in order of up_to_hours, each age once")
        return tiers


class MarkSettings(Section):
    """`[stores.marks.accepted]` and so on: what is written on the Magento order when it gets there."""

    status: str = Field(
        default="", pattern=r"^[a-z0-9_]{0,32}$", description="a status that Magento has; empty = the status stays"
    )
    in_states: list[OpenState] = Field(
        default=["new", "processing", "complete"],
        description="Magento's states under which that status hangs: in another state it is not written",
    )
    comment: bool = Field(default=True, description="add a comment to the order")
    is_visible: bool = Field(default=False, description="whether the customer sees the comment in the account")
