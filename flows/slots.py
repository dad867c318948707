"""The global concurrency limits that protect each system: how many flows may speak to it at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.concurrency.sync import concurrency
from prefect.settings import get_current_settings

MAGENTO_LIMIT = "magento-api"
PRIMA_LIMIT = "prima-web-service"
SECONDS = 3600


@contextmanager
def slots_of_both_systems() -> Iterator[None]:
    """Hold a slot of Magento and one of PRIMA for a whole flow run, waiting up to an hour for them.

    Once a flow, not once a task: taking a slot costs a tenth of a second, looking for one that nobody created two
    seconds. Without a Prefect server (a flow run by hand) there is nobody to share with, and no slot.
    """
    if not get_current_settings().api.url:
        yield
        return
    with concurrency([MAGENTO_LIMIT, PRIMA_LIMIT], occupy=1, timeout_seconds=SECONDS):
        yield
