"""What an act of erasure or expiry of the evidence did, or would do. No input or output."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Erased:
    """Orders whose personal data was erased, or would be: `payloads` were emptied.

    `already` had nothing left. `left_in_file` says why bytes of what was deleted may still stand in the database; empty
    when they do not.
    """

    is_dry: bool
    orders: Sequence[str] = ()
    payloads: int = 0
    already: Sequence[str] = ()
    left_in_file: str = ""


@dataclass(frozen=True, slots=True)
class Expired:
    """How many payloads were kept before a time (UTC) and were dropped, or would be."""

    is_dry: bool
    kept_before: str
    payloads: int
    left_in_file: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """The evidence as it was found: how many rows the chain has, and each row that is not what was kept."""

    rows: int
    problems: Sequence[str] = ()
