"""Suggestions that a person accepted or withdrew: the mapping with who and when, and a line in each exception."""

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.mapped import MAPPED
from schemas.money import show
from schemas.reasons import MappingKind
from schemas.suggestions import SKU_CODES, SKU_MAPPING, Accepted, Suggestion
from tasks import connect
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def record_accepted(sku: str, suggestion: Suggestion, by: str) -> None:
    """Write the mapping to the ledger, which keeps who set it and when, and note it on each exception about the SKU."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.set_mapping(SKU_MAPPING, sku, {"sku": suggestion.sku, "why": suggestion.why}, by)
        for note in ledger.exceptions(sku=sku):
            if note.code in SKU_CODES:
                ledger.note_on_exception(note.id, by=by, text=f"accepted: {sku} stands for {suggestion}")


@task(cache_policy=NO_CACHE)
def record_withdrawn(name: str, by: str, kind: MappingKind = "sku") -> bool:
    """End a mapping that a person made; False where there is none. What was posted with it stays posted."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        return ledger.drop_mapping(MAPPED[kind], name, by)


def show_accepted(accepted: Accepted) -> None:
    """Log what became of an accepted suggestion and publish it as the artifact `accepted-suggestion`."""
    counts = ", ".join(f"{step} {count}" for step, count in accepted.counts.items() if count)
    total = ", ".join(show(pence, currency) for currency, pence in accepted.posted_gross_pence.items())
    row = {
        "SKU": accepted.sku,
        "stands for": accepted.meant,
        "why": accepted.why,
        "accepted by": accepted.by,
        "orders that waited": len(accepted.orders),
        "what became of them": counts,
        "posted total": total,
    }
    create_table_artifact(key="accepted-suggestion", table=[row], description="A suggestion that a person accepted")
    get_run_logger().info(
        "SKU %s stands for %s; %d orders waited: %s", accepted.sku, accepted.meant, len(accepted.orders), counts
    )
