"""One order played again: what was sent against what would be sent now, and what would become of it."""

from dataclasses import replace

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.carrying import carry
from flows.checking import circumstances
from flows.desk import desk_after_run
from flows.passing import whole
from flows.replay_views import rows_of
from flows.slots import slots_of_both_systems
from schemas.replay import Replay, Source
from tasks import connect
from tasks.decide import orders as decide_orders
from tasks.decide import replay as decide
from tasks.errors import CallRefusedError, ConfigurationError, NotFoundError
from tasks.extract import items as extract_items
from tasks.extract import replay as extract
from tasks.extract.orders import fetch_numbered_orders
from tasks.normalise import orders as normalise
from tasks.post import orders as posting
from tasks.settings import Settings
from tasks.validate import check_orders


@flow(name="replay", description="One order again: what was sent, what would be sent now; posted only when asked to.")
@desk_after_run("replay")
@slots_of_both_systems()
def replay_order(number: str, source: Source = "magento", post: bool = False) -> Replay:
    """Show one order, by Magento's or PRIMA's number, as it was sent and as it would be sent now; write nothing.

    Args:
        number: Magento's number of the order, or PRIMA's.
        source: A fresh read of Magento, or the requests that were kept as evidence.
        post: Let the order then travel the line that every order travels, which posts nothing that PRIMA has or may
            have; one that was refused need not rest first.

    Raises NotFoundError for an unknown order, CallRefusedError for one whose personal data was erased,
    ConfigurationError for `post` from evidence: what was sent once may be stale.
    """
    if post and source == "evidence":
        raise ConfigurationError(
            "an order is posted only from a fresh read of Magento, which passes every check again.",
            system="magento-prima",
            operation="replay",
            reference=number,
            next_step="Use --from magento with --post.",
        )
    sent = extract.fetch_sent(number)
    if sent.erased:
        raise CallRefusedError(
            f"it cannot be played again: {sent.erased}", system="ledger", operation="replay", reference=number
        )
    if source == "evidence":
        if not sent.state:
            raise NotFoundError("it was never seen here.", system="ledger", operation="replay", reference=number)
        return _shown(decide.from_evidence(sent))
    settings = Settings.from_env()
    rules = connect.order_rules(settings)
    items = extract_items.fetch_items()
    batch = fetch_numbered_orders([sent.order_number], "replay" if post else "")
    if not batch.records and not batch.unreadable:
        raise NotFoundError("there is no such order.", system="Magento", operation="replay", reference=number)
    frames = normalise.orders(batch.records, settings.orders.amounts)
    checked = check_orders(whole(frames))
    known = circumstances(checked.accepted, frames, {}, rules)
    plan = decide_orders.orders(checked.accepted, frames, items, {}, rules, known)
    prepared = extract.fetch_prepared(whole(plan.to_post))
    obstacles = [*decide_orders.rejected(checked.rejected), *plan.exceptions]
    numbered = replace(sent, order_number_prima=plan.to_post[0].order_number_prima) if plan.to_post else sent
    replay = decide.from_magento(numbered, obstacles, prepared.get(sent.order_number))
    if post and replay.verdict == "would be posted":
        posting.retry_orders([sent.order_number], "replay")
        carry(batch, items, rules, settings)
        replay = decide.posted(replay, extract.fetch_sent(sent.order_number))
    return _shown(replay)


def _shown(replay: Replay) -> Replay:
    """Publish the differences as the artifact `replay`, without anything about the customer."""
    rows = [dict(zip(("attribute", "sent", "now"), row, strict=True)) for row in rows_of(replay, with_customer=False)]
    create_table_artifact(key="replay", table=rows, description=f"Order {replay.order_number}: {replay.decision}")
    return replay
