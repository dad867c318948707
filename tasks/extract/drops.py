"""Files of dispatches that PRIMA dropped: taken into the inbox, each file once, whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks import connect
from tasks.connect import READ_RETRIES
from tasks.errors import UnexpectedResponseError
from tasks.settings import Settings
from tasks.systems.ledger.dispatch_inbox import InboxEntry
from tasks.systems.prima.drops import DropFolder

LANE = "dispatch drop"
LANE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class DropReport:
    """What became of the dropped files: names taken in, and names refused now or still lying so, with the reason."""

    taken: Sequence[str] = ()
    refused: Sequence[tuple[str, str]] = ()
    lying_refused: Mapping[str, str] = field(default_factory=dict)


@task(
    retries=READ_RETRIES, retry_delay_seconds=10, retry_condition_fn=connect.worth_trying_again, cache_policy=NO_CACHE
)
def take_in_drops() -> DropReport:
    """Claim the files of the drop folder, keep their dispatches in the inbox, and archive them.

    A file is archived only when its dispatches are committed: a run that stops in between leaves it claimed, and the
    next one takes the same dispatches in again, which changes nothing. A file that is cut or breaks its contract is
    put among the refused ones with its reason, and nothing of it is taken in. Raises SystemUnavailableError when the
    folder cannot be used.
    """
    settings = Settings.from_env()
    folder = DropFolder(settings.fulfilment.drop_folder)
    taken: list[str] = []
    refused: list[tuple[str, str]] = []
    with connect.open_ledger(settings) as ledger:
        connect.free_lanes_of_the_dead(ledger)
        with ledger.lane(LANE, owner=connect.owner(), seconds=LANE_SECONDS) as is_ours:
            if not is_ours:
                get_run_logger().info("another worker is at the drop folder")
                return DropReport(lying_refused=folder.refused())
            for claimed in folder.claim():
                try:
                    dropped = folder.read(claimed, has_trailer=settings.fulfilment.drop_trailer)
                except UnexpectedResponseError as error:
                    refused.append((folder.refuse(claimed, str(error)), error.message))
                    continue
                entries = [InboxEntry(each.dispatch_number, each.header, each.lines) for each in dropped]
                found = ledger.take_in(entries, "drop")
                folder.archive(claimed)
                taken.append(claimed.name)
                get_run_logger().info(
                    f"{claimed.name}: {found.new} new dispatches, {found.changed} changed, {found.unchanged} known"
                )
    return DropReport(taken, refused, folder.refused())
