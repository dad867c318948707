"""The one way to Magento: addresses, signatures, pace, retries of reads, and every failure turned into our errors."""

import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx
import stamina

from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.settings import MagentoSettings, Secrets
from tasks.systems.magento.answers import decode, encode_body, is_html
from tasks.systems.magento.errors import (
    SYSTEM,
    BusyError,
    Call,
    CutAnswerError,
    error_of_answer,
    error_of_content,
    error_of_transport,
)
from tasks.systems.magento.signing import signer
from tasks.systems.pacing import Pacer
from tasks.systems.trust import authorities

# Longer than this nobody waits inside a call: the error goes up, and the flow is run again later.
LONGEST_WAIT_SECONDS = 60.0

# Web servers drop an idle connection after a few seconds; a write on one that is being dropped ends as unknown.
IDLE_CONNECTION_SECONDS = 3.0


class Transport:
    """Sends one call at a time per connection and gives back parsed JSON, with numbers as int or Decimal.

    `read` repeats what met 429, 502, 503, 504 or a broken connection, up to `settings.read_attempts` attempts;
    `write` never repeats anything. Safe to be used from several threads.
    """

    def __init__(self, settings: MagentoSettings, secrets: Secrets, pace: Callable[[], None] | None = None) -> None:
        self._base = settings.base_url.rstrip("/")
        self._store_code = settings.store_code
        self._attempts = settings.read_attempts
        self._pace = pace or Pacer(settings.calls_per_second)
        self._client = httpx.Client(
            auth=signer(settings, secrets),
            timeout=httpx.Timeout(
                connect=settings.connect_timeout_seconds,
                read=settings.read_timeout_seconds,
                write=settings.read_timeout_seconds,
                pool=settings.read_timeout_seconds,
            ),
            limits=httpx.Limits(
                max_connections=settings.max_connections,
                max_keepalive_connections=settings.max_connections,
                keepalive_expiry=IDLE_CONNECTION_SECONDS,
            ),
            verify=_trust(settings.ca_file),
            headers={"User-Agent": f"magento-prima/{_version()}", "Accept": "application/json"},
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),  # PHPSESSID is of no use to us
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(
        self, route: str, *, query: str = "", reference: str = "", method: str = "GET", body: object | None = None
    ) -> Any:
        """Return the parsed answer of a route such as `/V1/orders/3`; repeats what is worth repeating.

        `method` is POST for the few reads that take their question as a body. Raises SystemUnavailableError when the
        attempts are used up, else what `errors.error_of_answer` says.
        """
        call = Call(method, route, reference, is_write=False, store_code=self._store_code)
        for attempt in stamina.retry_context(
            on=seconds_to_wait, attempts=self._attempts, timeout=None, wait_initial=0.5, wait_max=30, wait_jitter=0.5
        ):
            with attempt:
                return self._exchange(call, self._address(route, query, self._store_code), body)
        raise AssertionError("a retry either returns or raises")

    def write(
        self,
        route: str,
        body: object | None = None,
        *,
        reference: str = "",
        method: str = "POST",
        store_code: str | None = None,
    ) -> Any:
        """Send one write, once, and return the parsed answer.

        Raises SystemUnavailableError when nothing happened, OutcomeUnknownError when it may have, CallRefusedError or
        ConfigurationError when Magento said no.
        """
        code = self._store_code if store_code is None else store_code
        call = Call(method, route, reference, is_write=True, store_code=code)
        return self._exchange(call, self._address(route, "", code), body)

    def _address(self, route: str, query: str, store_code: str) -> str:
        store = f"/{store_code}" if store_code else ""
        return f"{self._base}/rest{store}{route}{'?' + query if query else ''}"

    def _exchange(self, call: Call, address: str, body: object | None) -> Any:
        content = None if body is None else encode_body(body)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        self._pace()
        try:
            response = self._client.request(call.method, address, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise error_of_transport(call, error) from error
        if not response.is_success:
            raise error_of_answer(call, response)
        try:
            return decode(response.content)
        except ValueError as error:
            if call.is_write or is_html(response):
                raise error_of_content(call, response, "the body is not the JSON that belongs there") from error
            raise CutAnswerError(
                "the answer is no whole JSON.", system=SYSTEM, operation=call.operation, reference=call.reference
            ) from error


def seconds_to_wait(error: Exception) -> bool | float:
    """Say whether a read is repeated: no, yes after the usual pause, or yes after as long as Magento asked for."""
    if isinstance(error, BusyError) and error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_WAIT_SECONDS else False
    return isinstance(error, SystemUnavailableError | CutAnswerError)


def _trust(ca_file: str) -> ssl.SSLContext:
    """Return a context that verifies certificates, with the system's authorities or with those of the file."""
    try:
        return authorities(ca_file, ssl.create_default_context)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"magento.ca_file {ca_file!r} cannot be read as certificates: {error}.", system=SYSTEM
        ) from error


def _version() -> str:
    try:
        return version("magento-prima")
    except PackageNotFoundError:
        return "0"
