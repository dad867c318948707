"""Turns what Magento answers, and what goes wrong on the way to it, into the errors of `tasks/errors.py`."""

import ssl
from dataclasses import dataclass
from typing import TypedDict

import httpx

from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    IntegrationError,
    NotFoundError,
    OutcomeUnknownError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.systems.magento.answers import Complaint, complaint, excerpt, is_html

SYSTEM = "Magento"
LOOK_FIRST = "Read it in Magento before sending it again."
TRY_LATER = "Nothing was changed; try again later."
SOURCE_UNKNOWN = "SOURCE_UNKNOWN"
INTEGRATIONS = "System > Extensions > Integrations"


class BusyError(SystemUnavailableError):
    """Magento answered that it cannot serve now; `retry_after` is how many seconds it asks for, or None."""

    def __init__(self, message: str, *, retry_after: float | None, operation: str, reference: str) -> None:
        super().__init__(message, system=SYSTEM, operation=operation, reference=reference, next_step=TRY_LATER)
        self.retry_after = retry_after


class InputLimitError(CallRefusedError):
    """More in one request than "Web API input limiting" permits; nothing was done. Send at most `limit` at a time."""

    def __init__(self, message: str, *, limit: int, operation: str, reference: str) -> None:
        super().__init__(
            message,
            system=SYSTEM,
            operation=operation,
            reference=reference,
            next_step=f"Send at most {limit} at a time.",
            status=400,
            code="INPUT_LIMIT",
        )
        self.limit = limit


class CutAnswerError(UnexpectedResponseError):
    """An answer to a read that began as JSON and broke off: worth asking again."""


class FailedInsideError(UnexpectedResponseError):
    """Magento failed on its own while it served a read: a record that it cannot hand out, or a filter it cannot use."""


class Words(TypedDict):
    """The part of an error that says where it happened."""

    system: str
    operation: str
    reference: str


@dataclass(frozen=True, slots=True)
class Call:
    """What was under way: the words for the errors, and whether it may have changed something."""

    method: str
    route: str
    reference: str
    is_write: bool
    store_code: str = ""

    @property
    def operation(self) -> str:
        """Method and route, as in `POST /V1/order/3/ship`."""
        return f"{self.method} {self.route}"

    @property
    def words(self) -> "Words":
        """What every error of this call says."""
        return {"system": SYSTEM, "operation": self.operation, "reference": self.reference}


# The first fragment found in a refusal gives its code and what to do. Order matters: Magento joins several sentences.
_REFUSALS = (
    ("Could not save a shipment", "SHIPMENT_NOT_SAVED", "The source is unknown or holds too little: check source_code "
     "and push its stock level, then ship again."),
    ("status of canceled", "ORDER_CANCELLED", "The order is cancelled in Magento: stop the goods, or refund by hand."),
    ("status of holded", "ORDER_HELD", "The order is on hold in Magento: release it there, then try again."),
    ("does not allow a shipment", "NOTHING_TO_SHIP", "Nothing is left to ship: compare with the order's shipments."),
    ("create a shipment without products", "NO_SHIPPABLE_LINES", "None of the lines can be shipped: use the item_id of "
     "parent lines, whole quantities, and lines of this order."),
    ("does not allow an invoice", "NOTHING_TO_INVOICE", "Nothing is left to invoice: compare with its invoices."),
    ("invalid quantity to invoice", "TOO_MANY_TO_INVOICE", "Compare with the invoices of the order."),
    ("invalid quantity to refund", "TOO_MANY_TO_REFUND", "Compare with the credit memos of the order."),
    ("greater than the unrefunded quantity", "NOT_INVOICED", "Invoice the lines first, or refund less."),
    ("Maximum shipping amount allowed to refund", "DELIVERY_REFUND_TOO_LARGE", "The shop may count delivery net or "
     "gross here: see tax/sales_display/shipping."),
    ("Could not save Source Item", SOURCE_UNKNOWN, "Nothing of the request was saved: one of its source codes does "
     "not exist."),
    ("Could not save the shipment tracking", "SHIPMENT_UNKNOWN", "Check the shipment's id."),
    ("is not part of the order", "STATUS_NOT_CURRENT", "A comment cannot change the status: send the order's current "
     "one, or save the order."),
    ("hold action is not available", "NOT_HOLDABLE", "The order is on hold already, or finished."),
    ("cannot remove the hold", "NOT_HELD", "The order is not on hold."),
    ("without Source Items support", "NO_STOCK_OF_ITS_OWN", "Ask for the simple products of it."),
    ("Could not receive Stock Item data", "STOCK_UNKNOWN", "Check magento.stock_id."),
)  # fmt: skip


# How MariaDB's errors 1213 and 1205 show in Magento's texts; with any status.
_DEADLOCK = ("1213 Deadlock", "Deadlock found", "deadlock found", "1205 Lock wait", "Lock wait timeout")


def error_of_answer(call: Call, response: httpx.Response) -> IntegrationError:
    """Return the error that an answer other than 2xx stands for."""
    status = response.status_code
    if status in {429, 503, 521, 522, 523}:  # from 520 on: Cloudflare's own; these three mean no connection
        return _busy(call, response)
    if status in {502, 504} and not call.is_write:
        return _busy(call, response)
    said = complaint(response)
    if any(sign in said.text for sign in _DEADLOCK):
        return _deadlock(call, said)
    if status >= 500:
        return _failure(call, said)
    if status in {401, 403, 407}:
        return _not_let_in(call, said)
    if 300 <= status < 400:
        return ConfigurationError(
            f"redirected to {response.headers.get('Location', 'nowhere')}.",
            **call.words,
            next_step="Put the address that the shop itself uses into magento.base_url (scheme, host, port).",
        )
    return _refusal(call, said)


def error_of_transport(call: Call, error: httpx.HTTPError | httpx.InvalidURL) -> IntegrationError:
    """Return the error that a failed exchange stands for: not sent, sent with no answer, or never to be sent."""
    words = call.words
    tls = _tls_problem(error)
    if tls:
        return ConfigurationError(
            f"the TLS connection cannot be trusted: {tls}.",
            **words,
            next_step="Check magento.base_url, and name the certificate authority of the shop in magento.ca_file.",
        )
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ConfigurationError(f"no usable address: {error}.", **words, next_step="Correct magento.base_url.")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
        return SystemUnavailableError(
            f"no connection ({_kind(error)}).",
            **words,
            next_step=f"{TRY_LATER} If it stays so, check magento.base_url and the way to the shop.",
        )
    if call.is_write:
        return OutcomeUnknownError(f"sent, but no whole answer came back ({_kind(error)}).", **words,
                                   next_step=LOOK_FIRST)  # fmt: skip
    return SystemUnavailableError(f"no whole answer came back ({_kind(error)}).", **words, next_step=TRY_LATER)


def error_of_content(call: Call, response: httpx.Response, problem: str) -> IntegrationError:
    """Return the error of a 2xx answer whose body is not what the route promises."""
    words = call.words
    if call.is_write:
        return OutcomeUnknownError(f"answered {response.status_code}, but {problem}.", **words, next_step=LOOK_FIRST)
    if is_html(response):
        return ConfigurationError(
            f"a web page came instead of JSON: {excerpt(response)!r}.",
            **words,
            next_step="magento.base_url does not lead to Magento's REST interface, or a login page stands before it.",
        )
    return UnexpectedResponseError(f"{problem}.", **words, next_step="Check the Magento version and its extensions.")


def wrong_shape(method: str, route: str, reference: str, found: object) -> OutcomeUnknownError:
    """Return the error for a write that was answered with 200 and something else than its route promises."""
    return OutcomeUnknownError(
        f"answered with {type(found).__name__} where another shape belongs.",
        system=SYSTEM,
        operation=f"{method} {route}",
        reference=reference,
        next_step=LOOK_FIRST,
    )


def _busy(call: Call, response: httpx.Response) -> IntegrationError:
    said = complaint(response)
    if call.is_write and "Backend fetch failed" in response.text:
        # Varnish says so after it has waited in vain for Magento, which may be working on the request still.
        return OutcomeUnknownError(
            "the cache in front of Magento gave up waiting (503).",
            **call.words,
            next_step=LOOK_FIRST,
        )
    meaning = {429: "too many requests", 503: "maintenance or overload"}.get(response.status_code, "not reachable")
    return BusyError(
        f"{meaning} ({response.status_code}): {said.text}",
        retry_after=seconds_asked_for(response),
        operation=call.operation,
        reference=call.reference,
    )


def _deadlock(call: Call, said: Complaint) -> IntegrationError:
    if call.is_write:
        # One transaction was undone, but a call of Magento's may consist of several.
        return OutcomeUnknownError(f"a database deadlock: {said.text}", **call.words, next_step=LOOK_FIRST)
    return SystemUnavailableError(f"a database deadlock: {said.text}", **call.words, next_step=TRY_LATER)


def seconds_asked_for(response: httpx.Response) -> float | None:
    """Return `Retry-After` in seconds, or None; a date instead of a number counts as not given."""
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isdecimal() else None


def _failure(call: Call, said: Complaint) -> IntegrationError:
    words = call.words
    if call.is_write:
        return OutcomeUnknownError(
            f"failed inside ({said.status}): {said.text}",
            **words,
            next_step=f"{LOOK_FIRST} The cause is in var/log/exception.log of the shop.",
        )
    return FailedInsideError(
        f"failed inside ({said.status}): {said.text}",
        **words,
        next_step="The cause is in var/log/exception.log of the shop. Asking again will not help.",
    )


def _not_let_in(call: Call, said: Complaint) -> IntegrationError:
    words = call.words
    if "nonce is already being used" in said.text:
        # A program between us and Magento sent the same request twice: the first of the two was served.
        if call.is_write:
            return OutcomeUnknownError(f"{said.text} (401)", **words, next_step=LOOK_FIRST)
        return SystemUnavailableError(f"{said.text} (401)", **words, next_step=TRY_LATER)
    resource = said.parameters.get("resources", "") if isinstance(said.parameters, dict) else ""
    if resource:
        next_step = (
            f"Give the integration the resource {resource} ({INTEGRATIONS} > API) and save it; Magento says the same "
            "of a wrong MAGENTO_ACCESS_TOKEN, and of bearer tokens while oauth/consumer/enable_integration_as_bearer "
            "is 0."
        )
    elif "signature is invalid" in said.text:
        next_step = (
            "Check MAGENTO_CONSUMER_SECRET and MAGENTO_ACCESS_TOKEN_SECRET; if they are right, Magento sees another "
            "address than magento.base_url (a proxy that changes scheme, host or port)."
        )
    elif said.is_html or said.status != 401:
        next_step = "A web server or firewall before Magento refused the call: let this program's address through."
    else:
        next_step = f"Check the four MAGENTO_ keys against {INTEGRATIONS}, and that the integration is active."
    return ConfigurationError(f"not let in ({said.status}): {said.text}", **words, next_step=next_step)


def _refusal(call: Call, said: Complaint) -> IntegrationError:
    words = call.words
    wrong_address = _wrong_address(call, said)
    if wrong_address:
        return ConfigurationError(f"{said.text} ({said.status})", **words, next_step=wrong_address)
    limit = _limit(said)
    if limit:
        return InputLimitError(said.text, limit=limit, operation=call.operation, reference=call.reference)
    if said.status == 404:
        return NotFoundError(said.text, **words, status=404, code="NOT_FOUND")
    if said.status == 413:
        return CallRefusedError(
            "the web server takes no request of this size (413).", **words, next_step="Send fewer at a time.",
            status=413, code="TOO_LARGE",
        )  # fmt: skip
    for fragment, code, next_step in _REFUSALS:
        if fragment in said.text:
            return CallRefusedError(said.text, **words, next_step=next_step, status=said.status, code=code)
    return CallRefusedError(said.text, **words, status=said.status)


def _wrong_address(call: Call, said: Complaint) -> str:
    if said.status in {404, 405} and said.is_html:
        return "No Magento answers there: check magento.base_url."
    if "Request does not match any route" in said.text:
        return "This Magento has no such route: check its version and that its inventory modules are on."
    if said.text == "Specified request cannot be processed." and call.store_code:
        return f"There is no store view with the code {call.store_code!r}: correct magento.store_code."
    return ""


def _limit(said: Complaint) -> int:
    if isinstance(said.parameters, dict) and said.template.startswith(("Maximum items of type", "Maximum SearchCrit")):
        limit = str(said.parameters.get("max", ""))
        return int(limit) if limit.isdecimal() else 0
    return 0


def _tls_problem(error: BaseException) -> str:
    """Return what is wrong with the certificate or the protocol, when that is why no connection came about."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, ssl.SSLError) and cause.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
            return "the other side does not speak TLS"
        cause = cause.__cause__ or cause.__context__
    return ""


def _kind(error: BaseException) -> str:
    text = str(error).strip()
    name = type(error).__name__
    return f"{name}: {text}" if text else name
