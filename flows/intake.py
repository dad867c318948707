"""Dispatches into the inbox, where no reporting source shows them: dropped files, or PRIMA asked order by order."""

from datetime import UTC, datetime

from flows.passing import whole
from tasks.decide import polls as decide
from tasks.extract import cancellations as extract_states
from tasks.extract import drops as extract_drops
from tasks.extract import polls as extract_polls
from tasks.record import intake as record
from tasks.settings import Settings
from tasks.settings.fulfilment_rules import dispatch_source, poll_rules


def take_in_dispatches(settings: Settings) -> str:
    """Take in what was dropped or what PRIMA says when it is asked; with a reporting source there is nothing to do.

    Returns why PRIMA could not be asked for all that was due; empty when it could, or need not be.
    """
    source = dispatch_source(settings)
    if source == "drop":
        report = extract_drops.take_in_drops()
        record.note_refused_files(report.refused, report.lying_refused)
    if source == "order_status":
        return ask_for_open_orders(settings)
    return ""


def ask_for_open_orders(settings: Settings) -> str:
    """Ask PRIMA for the open orders that are due, within the budget of calls; returns why not all could be asked."""
    rules, now = poll_rules(settings), datetime.now(UTC)
    due = decide.due(extract_polls.fetch_open_orders(), now, rules)
    asked = extract_states.fetch_states([order.order_number_prima for order in due])
    record.keep_polled(whole(decide.dispatches(due, asked.words, now, rules, asked.parcels, asked.wordless)))
    return asked.is_out_of_reach
