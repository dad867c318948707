"""The global concurrency limits that protect each system: how many flows may speak to it at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
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

    Raises httpx.TransportError when the server is away as the slots are asked for.
    """
    if not get_current_settings().api.url:
        yield
        return
    is_held, failure = False, None
    try:
        with concurrency([MAGENTO_LIMIT, PRIMA_LIMIT], occupy=1, timeout_seconds=SECONDS):
            is_held = True
            try:
                yield
            except BaseException as error:
                failure = error
                raise
    except httpx.TransportError:
        # The server was away when the slots were to be given back: it takes them back itself after five minutes. What
        # the run did is done, or failed for a reason of its own.
        if failure is not None:
            raise failure from None
        if not is_held:
            raise
