"""Who is told of exceptions, and when: `[alerts]` and `[health]`."""

import re
from collections import Counter
from datetime import time
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from schemas.alerts import Grouping
from schemas.reasons import Owner, Severity
from tasks.settings.section import ExactDecimal, Section, without_user

TEAMS: tuple[Owner, ...] = ("operations", "finance", "ecommerce", "customer service", "integration")
AT_ONCE: tuple[Severity, ...] = ("problem", "critical")
AT_NIGHT: tuple[Severity, ...] = ("critical",)
ADDRESS = r"^[^@\s<>,;:\"]+@[^@\s<>,;:\"]+$"
Security = Literal["starttls", "tls", "none"]


class MailSettings(Section):
    """`[alerts.mail]`: the server that takes mail for the channels with `to`."""

    host: str = Field(min_length=1, description="the mail server's name")
    port: int = Field(default=587, ge=1, le=65535)
    security: Security = Field(default="starttls", description="tls from the first byte on (port 465), or none at all")
    sender: str = Field(pattern=ADDRESS, description="the address that mail comes from")
    user: str = Field(default="", description="for servers that ask for one; its password is the secret MAIL_PASSWORD")

    @field_validator("user")
    @classmethod
    def _is_not_read_by_others(cls, user: str, info: ValidationInfo) -> str:
        if user and info.data.get("security") == "none":
            raise ValueError("a password would travel in the open: security must be starttls or tls")
        return user


class ChannelSettings(Section):
    """`[[alerts.channels]]`: a webhook that takes JSON, a Prefect notification block, or mail."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="small letters, digits and hyphens")
    url: str = Field(default="", description="an address that takes JSON by POST; one that holds a key is a block's")
    block: str = Field(
        default="",
        description="a notification block of the Prefect server, type/name: slack-webhook/operations, ms-teams-webhook/"
        "finance, sendgrid-email/direction, custom-webhook/pager",
    )
    to: list[Annotated[str, Field(pattern=ADDRESS)]] = Field(
        default_factory=list, description="addresses that are sent mail through [alerts.mail]; of a list, not of people"
    )
    teams: list[Owner] = Field(default_factory=lambda: list(TEAMS), description="of whose exceptions it is told")
    severities: list[Severity] = Field(
        default_factory=lambda: list(AT_ONCE),
        description="what it is told of at once; [] = escalations alone",
    )
    timeout_seconds: float = Field(default=10, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _is_plain(cls, url: str) -> str:
        if url and not re.match(r"https?://", url):
            raise ValueError("must begin with https:// or http://")
        return without_user(url)

    @field_validator("block")
    @classmethod
    def _is_one_of_both(cls, block: str, info: ValidationInfo) -> str:
        if block and not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", block):
            raise ValueError("must be written as type/name, for instance slack-webhook/operations")
        if block and info.data.get("url"):
            raise ValueError("url and block exclude one another")
        return block

    @field_validator("to")
    @classmethod
    def _is_mail_alone(cls, to: list[str], info: ValidationInfo) -> list[str]:
        if to and (info.data.get("url") or info.data.get("block")):
            raise ValueError("to excludes url and block")
        return to

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not (self.url or self.block or self.to):
            raise ValueError("needs url, block or to")
        return self


class AlertSettings(Section):
    """`[alerts]`: without a channel nobody is told, and the exceptions wait on the desk."""

    mail: MailSettings | None = Field(default=None, description="the table [alerts.mail] with host and sender")
    channels: list[ChannelSettings] = Field(default_factory=list)
    next: dict[Owner, list[str]] = Field(
        default_factory=dict, description="[alerts.next]: for each team the channels that are told next, in this order"
    )
    group_by: Grouping = Field(default="code", description="one message for each code, or for each code and SKU")
    floor_value: ExactDecimal = Field(
        default=Decimal(0), ge=0, decimal_places=2, description="in pounds; a group worth less is not told; 0 = none"
    )
    floor_count: int = Field(default=0, ge=0, description="a group of so many is told whatever it is worth; 0 = none")
    pause_minutes: int = Field(default=60, ge=0, le=1440, description="between two messages about one code")
    quiet_from: time | None = Field(default=None, description="London's time, written 22:00:00")
    quiet_until: time | None = Field(default=None, description="what came in between is told then, if it is still open")
    wakes: list[Severity] = Field(default_factory=lambda: list(AT_NIGHT), description="severities told at night too")
    link: str = Field(default="", description="where a person looks; {code} is replaced by the code")

    @field_validator("channels")
    @classmethod
    def _named_once(cls, channels: list[ChannelSettings]) -> list[ChannelSettings]:
        twice = sorted(name for name, count in Counter(each.name for each in channels).items() if count > 1)
        if twice:
            raise ValueError(f"each name may stand only once, but not so {', '.join(twice)}")
        return channels

    @field_validator("channels")
    @classmethod
    def _have_a_server(cls, channels: list[ChannelSettings], info: ValidationInfo) -> list[ChannelSettings]:
        by_mail = sorted(channel.name for channel in channels if channel.to)
        if by_mail and "mail" in info.data and info.data["mail"] is None:
            raise ValueError(f"{', '.join(by_mail)} sends mail, which needs [alerts.mail]")
        return channels

    @field_validator("next")
    @classmethod
    def _are_there(cls, further: dict[Owner, list[str]], info: ValidationInfo) -> dict[Owner, list[str]]:
        names = {channel.name for channel in info.data.get("channels", [])}
        unknown = sorted({name for each in further.values() for name in each} - names)
        if unknown and "channels" in info.data:
            raise ValueError(f"no channel has the name {', '.join(unknown)}")
        return further

    @model_validator(mode="after")
    def _nights_have_both_ends(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until go together")
        return self
