"""What the Prefect server must hold before `prefect deploy`: the work pool and one limit for each system.

`prepare()` may be called as often as wanted; automations get their own `prepare_` function beside the two here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import get_current_settings
from prefect.workers.process import ProcessWorker

from flows.slots import MAGENTO_LIMIT, PRIMA_LIMIT
from tasks.errors import ConfigurationError

WORK_POOL = "magento-prima"
WORK_POOL_TYPE = "process"
LIMITS: Mapping[str, int] = MappingProxyType({MAGENTO_LIMIT: 4, PRIMA_LIMIT: 4})
HOME_VARIABLE = "MAGENTO_PRIMA_HOME"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the Prefect server now holds: the work pool and the slots of each limit."""

    work_pool: str
    limits: Mapping[str, int]


def prepare(limits: Mapping[str, int] = LIMITS) -> Prepared:
    """Create the work pool and the global concurrency limits, or bring the limits to the given slots.

    Raises ConfigurationError when no Prefect server is named, or when the pool exists with another type.
    """
    if not get_current_settings().api.url:
        raise ConfigurationError(
            "PREFECT_API_URL is not set: it must name the Prefect server, for instance http://127.0.0.1:4200/api.",
            system="Prefect",
        )
    with get_client(sync_client=True) as client:
        prepare_work_pool(client)
        prepare_limits(client, limits)
    return Prepared(WORK_POOL, dict(limits))


def prepare_work_pool(client: SyncPrefectClient) -> None:
    """Create the process pool; one that exists keeps its settings, a pause and a limit of its own included."""
    wanted = WorkPoolCreate(
        name=WORK_POOL,
        type=WORK_POOL_TYPE,
        description="Flows between Magento and PRIMA, each run in a process of its own.",
        base_job_template=ProcessWorker.get_default_base_job_template(),
    )
    try:
        client.create_work_pool(wanted)
    except ObjectAlreadyExists:
        found = client.read_work_pool(WORK_POOL)
        if found.type != WORK_POOL_TYPE:
            raise ConfigurationError(
                f"the work pool {WORK_POOL} has the type {found.type}, expected {WORK_POOL_TYPE}: rename or delete it.",
                system="Prefect",
            ) from None


def prepare_limits(client: SyncPrefectClient, limits: Mapping[str, int]) -> None:
    """Create each global concurrency limit or set its slots; slots in use stay in use."""
    for name, slots in limits.items():
        client.upsert_global_concurrency_limit_by_name(name, slots)


def has_work_pool(client: SyncPrefectClient) -> bool:
    """Return whether this product was prepared on the server before."""
    try:
        client.read_work_pool(WORK_POOL)
    except ObjectNotFound:
        return False
    return True


def enter_home() -> dict[str, str]:
    """Go to the folder that `MAGENTO_PRIMA_HOME` names on the worker's machine: the pull step of every deployment.

    Relative paths of the settings, such as `var/ledger.db`, start there. There is no default, because a worker starts
    each run in a temporary folder and a ledger made there would be lost. Raises ConfigurationError.
    """
    named = os.environ.get(HOME_VARIABLE, "")
    if not named:
        raise ConfigurationError(
            f"{HOME_VARIABLE} is not set on the worker: it must name the folder in which runs work.", system="settings"
        )
    home = Path(named).expanduser()
    if not home.is_dir():
        raise ConfigurationError(f"{HOME_VARIABLE} names {named}, which is no folder on the worker.", system="settings")
    os.chdir(home)
    return {"directory": str(home.resolve())}
