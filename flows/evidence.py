"""The evidence: proved unchanged, rid of a customer's data, or of what is kept no longer."""

from datetime import UTC, datetime

from prefect import flow

from flows.desk import desk_after_run
from schemas.erasure import Erased, Expired, Verified
from tasks import connect
from tasks.errors import ConfigurationError, UnexpectedResponseError
from tasks.extract.evidence import fetch_evidence_problems
from tasks.record import erasures as record
from tasks.settings import Settings


@flow(name="erasure", description="Erase the personal data of orders for good; figures, reports and proofs stay.")
@desk_after_run("erasure")
def erase_personal_data(order_numbers: list[str], by: str, reason: str, dry_run: bool = True) -> Erased:
    """Erase name, address, e-mail, telephone and all other personal values of these orders from the ledger.

    Args:
        order_numbers: Magento's numbers. `magento-prima evidence erase --customer` finds those of an e-mail address,
            which must not stand here: parameters of a run are kept.
        by: Who erases; kept in the evidence.
        reason: Why; kept in the evidence. No personal data.
        dry_run: Only say what would be erased.

    It cannot be undone. Raises ConfigurationError when nobody, no reason or no order is named; CallRefusedError when
    one of the orders is under way: then nothing is erased.
    """
    _check(by, reason, "erase")
    if any("@" in number for number in order_numbers) or not order_numbers:
        raise ConfigurationError(
            "it takes order numbers, at least one and no e-mail address.", system="magento-prima", operation="erase"
        )
    numbers = [number.strip() for number in order_numbers]
    return record.erase_orders(numbers, by=by.strip(), reason=reason.strip(), is_dry=dry_run)


@flow(name="evidence expiry", description="Drop payloads that are older than they must be kept; the chain stays whole.")
def expire_evidence(by: str, reason: str, dry_run: bool = True) -> Expired:
    """Drop the payloads of all years but the current one and those that `ledger.keep_years` names.

    Args:
        by: Who lets them go; kept in the evidence.
        reason: Why; kept in the evidence.
        dry_run: Only count them.

    Raises ConfigurationError when nobody or no reason is named.
    """
    _check(by, reason, "expire")
    before = kept_since(datetime.now(UTC), Settings.from_env().ledger.keep_years)
    return record.expire_evidence(before, by=by.strip(), reason=reason.strip(), is_dry=dry_run)


@flow(name="evidence check", description="Read every payload and follow the chain: is each what was kept?")
def verify_evidence() -> Verified:
    """Verify the whole chain; raises UnexpectedResponseError with every row that is not what was kept."""
    found = fetch_evidence_problems()
    if found.problems:
        raise UnexpectedResponseError(
            f"{'; '.join(found.problems)}.",
            system="ledger",
            operation="verify evidence",
            next_step="Compare these rows with a backup, and find out who can write to the database.",
        )
    return found


def kept_since(now: datetime, years: int) -> datetime:
    """Return the start (UTC) of what is kept: the current year and so many before it."""
    return datetime(now.year - years, 1, 1, tzinfo=UTC)


def orders_of_customer(email: str) -> list[str]:
    """Return the orders of an e-mail address; raises ConfigurationError when there is none."""
    with connect.open_ledger(Settings.from_env()) as ledger:
        found = ledger.orders_of_customer(email)
    if not found:
        raise ConfigurationError(
            "no order in the ledger has personal data with this e-mail address: it is another one, or was erased.",
            system="magento-prima",
            operation="erase",
        )
    return found


def _check(by: str, reason: str, operation: str) -> None:
    if not by.strip() or not reason.strip():
        raise ConfigurationError(
            "who does it and why must both be named: they stay in the evidence.",
            system="magento-prima",
            operation=operation,
        )
