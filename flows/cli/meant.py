"""Which exceptions a command means, said alike by every act: numbers or filters, `--run` and `--preview`.

Numbers are acted on at once. Filters list what would be done; `--run` does it.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, get_args

import typer

from schemas.desk import Which
from schemas.reasons import REASONS, Owner

Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers of exceptions, as `exceptions list` shows them.")]
Code = Annotated[str, typer.Option("--code", help="Every open exception of this code.")]
Team = Annotated[str, typer.Option("--owner", help="Every open exception of this team.")]
OlderThan = Annotated[int, typer.Option("--older-than-hours", help="Only those open for longer than this.")]
Store = Annotated[str, typer.Option("--store", help="Only orders of this store view, by its code.")]
Sku = Annotated[str, typer.Option("--sku", help="Only this SKU; * stands for any characters.")]
OrderNumber = Annotated[str, typer.Option("--order", help="Only this order, by Magento's number.")]
AssignedTo = Annotated[str, typer.Option("--assigned-to", help="Only those that this person has.")]
Run = Annotated[bool, typer.Option("--run", help="Do it; with filters and without this, it is a preview.")]
Preview = Annotated[bool, typer.Option("--preview", help="Only list what would be done.")]


@dataclass(frozen=True, slots=True)
class Meant:
    """The exceptions that the words of a command mean, and whether what would be done with them is only listed."""

    which: Which
    is_dry: bool


def on_exceptions(act: Callable[..., None]) -> Callable[..., None]:
    """Let a command take numbers, filters, `--run` and `--preview`, which its parameter `meant` stands for.

    `as_json` stays the last of its options.
    """
    own = dict(inspect.signature(act).parameters)
    del own["meant"]
    last = own.pop("as_json")
    filters = inspect.signature(_meant).parameters

    @wraps(act)
    def command(**words: Any) -> None:
        meant = _meant(**{name: words.pop(name) for name in filters})
        act(meant=meant, **words)

    taken = [each.replace(kind=each.KEYWORD_ONLY) for each in (*own.values(), *filters.values(), last)]
    command.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in taken}
    return command


def _meant(
    numbers: Numbers = None,
    code: Code = "",
    owner: Team = "",
    older: OlderThan = 0,
    store: Store = "",
    sku: Sku = "",
    order: OrderNumber = "",
    assigned_to: AssignedTo = "",
    run: Run = False,
    preview: Preview = False,
) -> Meant:
    """Return what these words mean; wrong words are wrong usage."""
    if code and code not in REASONS:
        raise typer.BadParameter(f"--code {code} is not known; docs/operations.md lists the codes")
    if owner and owner not in get_args(Owner):
        raise typer.BadParameter(f"--owner {owner} is no team; teams are {', '.join(get_args(Owner))}")
    which = Which(
        numbers=numbers or [],
        code=code,
        owner=owner,
        older_than_hours=older,
        store=store,
        sku=sku,
        order_number=order,
        assigned_to=assigned_to,
    )
    return Meant(which, preview or (not which.numbers and not run))
