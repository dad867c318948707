"""What the Prefect server does by itself about runs that died: it finds them, and has the flow `health` look at once.

Whether a crashed run starts again is not decided there: one death may be reported twice, by the worker and by the
runner, and in any order. `flows/health.py` decides by how things are.
"""

from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from tasks.errors import ConfigurationError
from tasks.extract.health import TAG
from tasks.extract.recovery import COMES_BACK

ZOMBIES = "magento-prima: runs that died without a word"
CRASHES = "magento-prima: a run crashed or failed"
HEALTH = "health/health"
# Above the longest pause of the server that is no reason to give a run up, and five heartbeats of `prefect.yaml`.
SILENT_FOR = timedelta(seconds=300)
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDS = frozenset(f"prefect.flow-run.{end}" for end in ("Completed", "Failed", "Cancelled", "Crashed"))
_A_RUN = {"prefect.resource.id": "prefect.flow-run.*"}


def prepare_automations(silent_for: timedelta = SILENT_FOR) -> list[str]:
    """Create both automations, or bring those that are there to what this version says; return their names.

    One that somebody switched off stays off. Raises ConfigurationError when no Prefect server is named, or when it
    does not have the deployment `health` yet.
    """
    if not get_current_settings().api.url:
        raise ConfigurationError(
            "PREFECT_API_URL is not set: it must name the Prefect server, for instance http://127.0.0.1:4200/api.",
            system="Prefect",
        )
    with get_client(sync_client=True) as client:
        wanted = [zombies(silent_for), crashes(_health(client))]
        for automation in wanted:
            found = client.read_automations_by_name(automation.name)
            if found:
                automation.enabled = found[0].enabled
                client.update_automation(found[0].id, automation)
            else:
                client.create_automation(automation)
    return [automation.name for automation in wanted]


def remove_automations(client: SyncPrefectClient) -> None:
    """Take both off a server."""
    for name in (ZOMBIES, CRASHES):
        for found in client.read_automations_by_name(name):
            client.delete_automation(found.id)


def zombies(silent_for: timedelta, tag: str = TAG) -> AutomationCore:
    """Return the automation that marks a run as crashed when its process and its worker died together."""
    return AutomationCore(
        name=ZOMBIES,
        description=f"No heartbeat for {silent_for.total_seconds():.0f} s and no end: the run is marked as crashed.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *_ENDS},
            match=_A_RUN,
            match_related={"prefect.resource.id": f"prefect.tag.{tag}"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silent_for,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="No heartbeat: process and worker are gone.")],
    )


def crashes(health: UUID) -> AutomationCore:
    """Return the automation that runs the deployment `health` when a run crashed or failed that may come back.

    A run that lost the Prefect server ends as failed.

    The flow `health` itself carries no such tag, or one that always crashed would start itself for ever.
    """
    return AutomationCore(
        name=CRASHES,
        description="The deployment health looks at once; it also looks every five minutes.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Crashed", "prefect.flow-run.Failed"},
            match=_A_RUN,
            match_related={"prefect.resource.id": f"prefect.tag.{COMES_BACK}"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[RunDeployment(deployment_id=health)],
    )


def _health(client: SyncPrefectClient) -> UUID:
    try:
        return client.read_deployment_by_name(HEALTH).id
    except ObjectNotFound:
        raise ConfigurationError(
            "the Prefect server has no deployment health: run `prefect --no-prompt deploy --all` first.",
            system="Prefect",
        ) from None
