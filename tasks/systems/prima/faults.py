"""What went wrong on the way to PRIMA and back, as the errors of `tasks/errors.py`.

The same event means different things: an order whose answer is lost may have been taken (OutcomeUnknownError: look
first), a status or stock question whose answer is lost is simply asked again (SystemUnavailableError).
"""

import re
import ssl
from dataclasses import dataclass
from typing import Literal

import httpx
from lxml import etree

from schemas.redaction import without_contacts
from tasks.errors import ConfigurationError, IntegrationError, OutcomeUnknownError, SystemUnavailableError
from tasks.systems.prima.refusals import UnclearAnswerError, unclear

CallKind = Literal["wsdl", "order", "status", "stock"]

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
# A 502 is not among them: a proxy may answer it after PRIMA took the order.
_UNAVAILABLE_STATUS = {404, 429, 503}
_UNAVAILABLE_FAULT = re.compile(r"\((10921|8089)\)")
_SERVICE_HINT = "Is the web service running, and is prima.wsdl_url right?"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its request type, the order or range it is about, and whether it writes."""

    operation: str
    reference: str
    kind: CallKind

    @property
    def is_write(self) -> bool:
        """Orders write; the WSDL, states and stock are only read."""
        return self.kind == "order"


def unavailable(call: Call, message: str, next_step: str = "") -> SystemUnavailableError:
    """Return the error for a call that had no effect and may be tried again."""
    return SystemUnavailableError(
        f"{message}.", system="PRIMA", operation=call.operation, reference=call.reference, next_step=next_step
    )


def misconfigured(call: Call, message: str, next_step: str = "") -> ConfigurationError:
    """Return the error for something that only the settings or the installation can put right."""
    return ConfigurationError(
        f"{message}.", system="PRIMA", operation=call.operation, reference=call.reference, next_step=next_step
    )


def lost(call: Call, problem: str, answer: str = "") -> OutcomeUnknownError | SystemUnavailableError:
    """Return the error for a call that was sent, but whose answer cannot be used: unknown for orders, else again."""
    if call.is_write:
        return unclear(problem, operation=call.operation, reference=call.reference, answer=answer)
    return unavailable(call, problem)


def from_transport(error: httpx.HTTPError | httpx.InvalidURL, call: Call) -> IntegrationError:
    """Return what an exception of httpx means for this call."""
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return misconfigured(call, f"the address cannot be used: {error}")
    if _is_certificate_error(error):
        return misconfigured(
            call, f"the server's TLS certificate is not trusted: {error}", "Name its CA bundle in prima.ca_file."
        )
    reason = str(error) or type(error).__name__
    if isinstance(error, _NOT_SENT):
        return unavailable(call, f"no connection: {reason}", _SERVICE_HINT)
    if isinstance(error, httpx.TimeoutException):
        return lost(call, f"no answer in time ({type(error).__name__})")
    return lost(call, f"the connection broke before the answer was complete: {reason}")


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def from_status(response: httpx.Response, call: Call) -> IntegrationError | None:
    """Return what an HTTP status alone means, or None when the body must be read (200, and 500 with a fault)."""
    status = response.status_code
    if status in (200, 500):
        return None
    if status in (401, 403):
        return misconfigured(
            call,
            f"access denied (HTTP {status})",
            "Check prima.basic_auth_user, the secret PRIMA_PASSWORD and the allow-list of the server.",
        )
    if status == 407:
        return misconfigured(
            call,
            "the proxy lets nobody through (HTTP 407)",
            "Check prima.proxy_user and the secret PRIMA_PROXY_PASSWORD.",
        )
    if 300 <= status < 400:
        target = response.headers.get("location", "another address")
        return misconfigured(call, f"the address answers with a redirect to {target}", "Put that address in [prima].")
    if status in _UNAVAILABLE_STATUS:
        return unavailable(call, f"the server answered HTTP {status}", _SERVICE_HINT)
    return lost(call, f"the server answered HTTP {status}", _excerpt(response))


def from_fault(fault: etree._Element, call: Call) -> IntegrationError:
    """Return what a SOAP fault means; the cause stands in `errorMessage`, the operator's key in `requestID`.

    Elements are matched by local name: their namespace differs between installations.
    """
    found: dict[str, str] = {}
    for element in fault.iter("*"):
        found.setdefault(etree.QName(element).localname, (element.text or "").strip())
    cause = found.get("errorMessage") or found.get("faultstring") or found.get("Text") or "no reason given"
    request_id = found.get("requestID", "")
    message = f"SOAP fault: {without_contacts(' '.join(cause.split()))}"
    message += f" [requestID {request_id}]" if request_id else ""
    if _UNAVAILABLE_FAULT.search(cause) or not call.is_write:
        return unavailable(call, message, "PRIMA's operators find the request in the WSA log by its requestID.")
    error = lost(call, message, etree.tostring(fault, encoding="unicode"))
    assert isinstance(error, UnclearAnswerError)
    return error


def _excerpt(response: httpx.Response) -> str:
    return response.content[:2000].decode("utf-8", errors="replace")
