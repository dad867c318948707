"""A webhook: JSON by POST to an address that says 2xx when it has it."""

from collections.abc import Mapping
from typing import Any

import httpx

from tasks.errors import CallRefusedError, OutcomeUnknownError, SystemUnavailableError

OPERATION = "send alert"
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def send_json(name: str, url: str, content: Mapping[str, Any], *, key: str, timeout_seconds: float) -> None:
    """POST an object; `key` goes along as Idempotency-Key, so that a receiver can tell a repetition.

    `name` stands for the address in messages, because an address may lead to people. Raises SystemUnavailableError when
    it did not arrive (no connection, 429, 502, 503), OutcomeUnknownError when it may have, CallRefusedError on any
    other answer but 2xx.
    """
    where = {"system": f"alert channel {name}", "operation": OPERATION, "reference": key}
    try:
        answer = httpx.post(url, json=content, headers={"Idempotency-Key": key}, timeout=timeout_seconds)
    except (*_NOT_CONNECTED, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SystemUnavailableError(f"it cannot be reached ({type(error).__name__}).", **where) from error
    except httpx.HTTPError as error:
        raise OutcomeUnknownError(f"it did not answer ({type(error).__name__}).", **where) from error
    if answer.is_success:
        return
    if answer.status_code in (429, 502, 503):
        raise SystemUnavailableError(f"it answered {answer.status_code}.", **where)
    if answer.status_code >= 500:
        raise OutcomeUnknownError(f"it answered {answer.status_code}.", **where)
    raise CallRefusedError(f"it answered {answer.status_code}.", status=answer.status_code, **where)
