"""The evidence, read again from its first row to its last."""

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.erasure import Verified
from tasks import connect
from tasks.settings import Settings


@task(cache_policy=NO_CACHE)
def fetch_evidence_problems() -> Verified:
    """Return each row of the evidence that is not what was kept, by number. Source: the ledger's chain of hashes."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        problems = ledger.verify_evidence()
        rows = ledger.evidence_count()
    get_run_logger().info("evidence: %s rows, %s problems", rows, len(problems))
    return Verified(rows, [sentence(each.evidence_id, each.subject, each.problem) for each in problems])


def sentence(evidence_id: int, subject: str, problem: str) -> str:
    """Return a problem with the row that it is about."""
    where = f"evidence {evidence_id}" if evidence_id else "the chain"
    return f"{where}{f' ({subject})' if subject else ''}: {problem}"
