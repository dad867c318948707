"""PRIMA's dispatches into Magento as shipments with tracking, each told once."""

from prefect import flow

from flows import restocking
from flows.desk import desk_after_run
from flows.following import follow_orders
from flows.intake import take_in_dispatches
from flows.marking import mark_orders
from flows.passing import whole
from flows.slots import slots_of_both_systems
from schemas.dispatches import DispatchFrames
from tasks import connect
from tasks.decide import dispatches as decide
from tasks.errors import SystemUnavailableError
from tasks.extract import dispatches as extract
from tasks.normalise.reporting import extract_rows
from tasks.post import invoices as post_invoices
from tasks.post import shipments as post
from tasks.post import tracks as post_tracks
from tasks.record import artifacts
from tasks.record import dispatches as record
from tasks.record import invoices as record_invoices
from tasks.record.dispatches import DispatchSummary
from tasks.settings import Settings
from tasks.validate import check_dispatches


@flow(name="fulfilment", description="PRIMA dispatches to Magento shipments with tracking, each told once.")
@desk_after_run("fulfilment")
@slots_of_both_systems()
def sync_fulfilment() -> DispatchSummary:
    """Clear up what an earlier run left open, read new dispatches and ship exactly their lines in Magento.

    Raises SystemUnavailableError at the end when Magento was out of reach, or PRIMA where it is asked order by order;
    what was not told waits for the next run.
    """
    settings = Settings.from_env()
    rules = connect.dispatch_rules(settings)
    why_not_asked = take_in_dispatches(settings)
    post.look_up_open_shipments()
    batch = extract.fetch_dispatches()
    frames = DispatchFrames(extract_rows("dispatches", batch.dispatches), extract_rows("dispatch_lines", batch.lines))
    checked = check_dispatches(whole(frames))
    numbers = dict(zip(checked.accepted["dispatch_number"], checked.accepted["order_number_prima"], strict=True))
    evidence = extract.fetch_dispatch_evidence(numbers)
    plan = decide.dispatches(checked.accepted, frames.lines, evidence, rules)
    results = restocking.ship(plan, evidence, settings)
    tracked = post_tracks.post_tracks(whole(plan.tracks))
    follow_orders(settings)
    rejected = decide.rejected(checked.rejected)
    fetched = record.Fetched(batch.batch_id, batch.watermark, batch.read, batch.others, batch.unchanged)
    summary = record.close_dispatches(
        fetched, whole(frames), whole(checked), whole(plan), rejected, whole(results), whole(tracked)
    )
    record_invoices.close_invoices(whole(post_invoices.post_invoices()))
    mark_orders(settings)
    artifacts.show_dispatches(summary, plan, names_carriers=rules.names_carriers)
    if summary.is_magento_out_of_reach:
        raise SystemUnavailableError(summary.is_magento_out_of_reach, system="Magento", operation="ship")
    if why_not_asked:
        raise SystemUnavailableError(why_not_asked, system="PRIMA", operation="OrderStatus")
    return summary
