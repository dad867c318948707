"""Acts that take personal data, or whole payloads, out of the evidence."""

from collections.abc import Sequence
from datetime import datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.erasure import Erased, Expired
from tasks import connect
from tasks.errors import CallRefusedError
from tasks.settings import Settings

# What an erasure changes or deletes in the ledger: whoever can read its files must not find what stood there.
TOUCHED = ("personal_data", "postings", "exceptions", "exception_events", "customers")


@task(cache_policy=NO_CACHE)
def erase_orders(order_numbers: Sequence[str], *, by: str, reason: str, is_dry: bool) -> Erased:
    """Erase the personal data of these orders, all or none; returns what was done, or with `is_dry` would be.

    Raises CallRefusedError with every order that cannot be erased now, and why.
    """
    with connect.open_ledger(Settings.from_env()) as ledger:
        found = (
            ledger.erasable(order_numbers) if is_dry else ledger.erase_orders(order_numbers, actor=by, reason=reason)
        )
        obstacles = [f"{each.order_number}: {each.obstacle}" for each in found if each.obstacle]
        if obstacles:
            raise CallRefusedError(
                f"nothing was erased. {'; '.join(obstacles)}.",
                system="ledger",
                operation="erase",
                next_step="Close or cancel what is under way, or leave these orders out.",
                code="UNDER_WAY",
            )
        # Also when nothing was left to erase: what an earlier act left in the file is overwritten now.
        left = "" if is_dry else ledger.clear_deleted(*TOUCHED)
    orders = [each.order_number for each in found if each.payloads]
    payloads = sum(each.payloads for each in found)
    already = [each.order_number for each in found if not each.payloads]
    get_run_logger().info(
        "personal data of %s orders %s, %s payloads; %s had none left%s",
        len(orders),
        "would be erased" if is_dry else "erased",
        payloads,
        len(already),
        f"; bytes may be left in the database: {left}" if left else "",
    )
    return Erased(is_dry, orders, payloads, already, left)


@task(cache_policy=NO_CACHE)
def expire_evidence(before: datetime, *, by: str, reason: str, is_dry: bool) -> Expired:
    """Drop payloads that were kept before then (UTC), with their personal data; rows and seals stay."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        if is_dry:
            payloads, left = ledger.expirable(before), ""
        else:
            payloads = ledger.expire_evidence(before, actor=by, reason=reason)
            left = ledger.clear_deleted("personal_data", "evidence") if payloads else ""
    get_run_logger().info(
        "%s payloads kept before %s %s", payloads, before.date(), "would be dropped" if is_dry else "dropped"
    )
    return Expired(is_dry, before.isoformat(), payloads, left)
