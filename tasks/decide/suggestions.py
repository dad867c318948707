"""Whether a suggestion may be accepted. Pure."""

from collections.abc import Sequence

from schemas.items import ItemIndex
from schemas.suggestions import Suggestion
from tasks.errors import ConfigurationError


def accepted(sku: str, meant: str, by: str, waiting: Sequence[str], items: ItemIndex) -> Suggestion:
    """Return the suggestion that is accepted; raises ConfigurationError saying why it does not fit.

    It fits when orders wait for `sku`, PRIMA still has no single item for it, and `meant` is one of the SKUs that are
    suggested for it today: anything else is a decision about goods that the settings must state (`sku.mapped`).
    """
    if not by.strip():
        raise _refusal(sku, "nobody is named who accepts it.", "Say who you are: it is kept with the mapping.")
    problem = items.problem(sku)
    if problem is None:
        raise _refusal(sku, "it has an item already.", "Nothing to accept: the next run of orders takes its orders up.")
    if not waiting:
        raise _refusal(sku, "no open exception is about it.", "List the exceptions; a SKU is compared exactly.")
    for suggestion in problem.meant:
        if suggestion.sku == meant:
            return suggestion
    if not problem.meant:
        raise _refusal(sku, f"there is no suggestion for it: {problem.detail}.", "Map it under sku.mapped.")
    raise _refusal(
        sku,
        f"{meant} is not suggested for it; suggested are {', '.join(map(str, problem.meant))}.",
        "Accept one of these, or map it under sku.mapped.",
    )


def _refusal(sku: str, message: str, next_step: str) -> ConfigurationError:
    return ConfigurationError(
        message, system="magento-prima", operation="accept suggestion", reference=f"SKU {sku}", next_step=next_step
    )
