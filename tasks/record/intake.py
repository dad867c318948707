"""What was asked for or dropped: dispatches into the inbox, refused files and untold parts as exceptions."""

from collections.abc import Mapping, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents import ExceptionNote
from schemas.polls import PollPlan
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger.dispatch_inbox import InboxEntry

REFUSED = "DISPATCH_FILE_REFUSED"
PART = "DISPATCH_PART_UNTOLD"
BY = "fulfilment"


@task(cache_policy=NO_CACHE)
def keep_polled(plan: PollPlan) -> None:
    """Keep the dispatches that PRIMA's answers stand for, raise what they do not say, and remember the asking last."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        ledger.take_in([InboxEntry(each.dispatch_number, each.header, each.lines) for each in plan.dispatches], "poll")
        ledger.raise_exceptions("", plan.notes)
        still = {note.subject for note in plan.notes}
        over = [subject for number in plan.words if (subject := f"order {number}") not in still]
        if over:
            ledger.close_exceptions(subjects=over, codes=[PART], by=BY)
        ledger.note_polls({**plan.words, **dict.fromkeys(plan.wordless, "")})


@task(cache_policy=NO_CACHE)
def note_refused_files(refused: Sequence[tuple[str, str]], lying_refused: Mapping[str, str]) -> None:
    """Raise an exception for each file that was refused, and close those of files that nobody keeps any more.

    One that lies there and was never told of is from a run that stopped in between: it is raised with the reason beside
    it.
    """
    notes = [ExceptionNote(REFUSED, f"file {name}", reason) for name, reason in refused]
    lying = {f"file {name}": reason for name, reason in lying_refused.items()}
    with connect.open_ledger(Settings.from_env()) as ledger:
        told = {note.subject for note in ledger.exceptions(state="all", code=REFUSED)}
        told |= {note.subject for note in notes}
        notes += [ExceptionNote(REFUSED, subject, reason) for subject, reason in lying.items() if subject not in told]
        over = [note.subject for note in ledger.exceptions(code=REFUSED) if note.subject not in lying]
        if over:
            ledger.close_exceptions(subjects=over, codes=[REFUSED], by=BY)
        if notes:
            ledger.raise_exceptions("", notes)
