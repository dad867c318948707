"""The exceptions desk: which exceptions are meant, what is known of each, and what an act came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.mapped import MAPPED
from schemas.reasons import REASONS, Act, MappingKind, Owner, Reason, reason_or_former

ANY = ""
Outcome = Literal["would be done", "done", "refused"]


def _known_code(code: str) -> str:
    if code and code not in REASONS:
        raise ValueError(f"{code} is no code; docs/operations.md lists them")
    return code


def _known_team(team: str) -> str:
    if team and team not in get_args(Owner):
        raise ValueError(f"{team} is no team; teams are {', '.join(get_args(Owner))}")
    return team


class Which(BaseModel):
    """Which exceptions: those of these numbers, or every open one that fits all filters that are filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    numbers: list[Annotated[int, Field(ge=1)]] = Field(
        default_factory=list, description="The numbers of the exceptions, as lists and the desk page show them."
    )
    code: Annotated[str, AfterValidator(_known_code)] = Field(
        default=ANY,
        description="Every open exception of this code, such as SKU_UNKNOWN.",
        json_schema_extra={"enum": [ANY, *sorted(REASONS)]},
    )
    owner: Annotated[str, AfterValidator(_known_team)] = Field(
        default=ANY,
        description="Every open exception of this team.",
        json_schema_extra={"enum": [ANY, *get_args(Owner)]},
    )
    older_than_hours: int = Field(default=0, ge=0, description="Only those that are open for longer than this.")
    store: str = Field(default=ANY, description="Only orders of this store view, by the code of the settings.")
    sku: str = Field(default=ANY, description="Only this SKU; * stands for any characters, as in TEE-*.")
    order_number: str = Field(default=ANY, description="Only this order, by Magento's number.")
    assigned_to: str = Field(default=ANY, description="Only those that this person has.")

    @property
    def is_empty(self) -> bool:
        """Whether neither a number nor a filter is given: then none is meant, not all."""
        return self == Which()

    @property
    def is_one(self) -> bool:
        """Whether a single exception is meant by its number."""
        return len(self.numbers) == 1

    def fits(self, case: "Case", now: datetime) -> bool:
        """Tell whether an exception is meant."""
        return (
            (not self.numbers or case.number in self.numbers)
            and self.code in (ANY, case.code)
            and self.owner in (ANY, case.reason.owner)
            and (not self.older_than_hours or now - case.first_seen_at > timedelta(hours=self.older_than_hours))
            and self.store in (ANY, case.store)
            and (not self.sku or fnmatchcase(case.sku, self.sku))
            and self.order_number in (ANY, case.order_number)
            and self.assigned_to in (ANY, case.assigned_to)
        )

    def __str__(self) -> str:
        given = {name: value for name, value in self.model_dump().items() if value}
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in given.items()) or "nothing"


@dataclass(frozen=True, slots=True)
class Case:
    """An exception as the acts see it. `keys` are the names on its order or dispatch that could be mapped, by kind."""

    number: int
    code: str
    subject: str
    is_open: bool
    detail: str
    order_number: str
    sku: str
    value_at_risk_pence: int
    currency: str
    suggestions: tuple[str, ...]
    occurrences: int
    first_seen_at: datetime
    assigned_to: str
    snoozed_until: datetime | None
    ignored_at: datetime | None
    store: str
    order_state: str
    keys: Mapping[MappingKind, str]

    @property
    def reason(self) -> Reason:
        """What the table of reasons says of its code."""
        return reason_or_former(self.code)

    @property
    def key(self) -> str:
        """The name that it asks to map; empty where nothing can be mapped."""
        kind = self.reason.mapping
        return self.keys.get(kind, "") if kind else ""


@dataclass(frozen=True, slots=True)
class ActPlan:
    """What an act would do: to these exceptions, each in words; and which it does not fit, each with why."""

    act: Act
    to_do: tuple[tuple[Case, str], ...]
    refused: tuple[tuple[Case, str], ...]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the exceptions that the act fits."""
        return [case.number for case, _ in self.to_do]


@dataclass(frozen=True, slots=True)
class Rerun:
    """What is run again: orders by number, stock by SKU or as a whole, and flows by name."""

    orders: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meant:
    """A mapping as a person asks for it, found from an exception: `key` is to stand for `meant`."""

    kind: MappingKind
    key: str
    meant: str

    @property
    def ledger_kind(self) -> str:
        """The ledger's kind of the mapping."""
        return MAPPED[self.kind]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} stands for {self.meant}"


@dataclass(frozen=True, slots=True)
class ActRow:
    """What an act came to for one exception."""

    number: int
    code: str
    subject: str
    value_at_risk_pence: int
    currency: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class ActResult:
    """What an act came to; `problems` are systems that were out of reach while something was run again."""

    act: Act
    by: str
    is_preview: bool
    rows: tuple[ActRow, ...]
    problems: tuple[str, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """Return how many exceptions came to this."""
        return sum(row.outcome == outcome for row in self.rows)
