"""What every table of the settings file has in common."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

NO_DEFAULT = "no default, because a wrong guess corrupts values silently"


def _decimal_from_text(value: object) -> object:
    if isinstance(value, float):
        raise ValueError('must be written as text in quotes, for instance "17.5"')
    return value


ExactDecimal = Annotated[Decimal, BeforeValidator(_decimal_from_text)]


def without_user(url: str) -> str:
    """Return an address as it is; raises ValueError when it holds a user or a password."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ValueError("must hold no user and no password: addresses stand in logs and messages")
    return url


class Section(BaseModel):
    """A table of the settings file: unknown keys are mistakes, not decoration.

    What ties two keys together is checked with the second of them, not with the table as a whole: pydantic looks at a
    table only when each of its keys is right, and a mistake would stay hidden behind another one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
