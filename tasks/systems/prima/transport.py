"""HTTP for zeep: one httpx client for the WSDL and the calls, with time-outs by kind of call.

Not used: zeep's own transport. It would bring a second HTTP stack, and its debug log writes whole messages, with
names and addresses.
"""

import ipaddress
import logging
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import httpx
import zeep
from zeep.wsdl.utils import etree_to_string

from tasks.errors import ConfigurationError
from tasks.settings import PrimaSettings, Secrets
from tasks.systems import trust
from tasks.systems.prima.faults import Call, CallKind, from_status, from_transport, misconfigured, unavailable

_NO_TIMEOUT_YET = httpx.Timeout(30)
# SOAP's own encoding types, which a WSDL of an rpc/encoded service may name; never fetched from the internet.
_SOAP_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_SOAP_ENCODING_SCHEMA = b"""<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://schemas.xmlsoap.org/soap/encoding/">
  <xs:complexType name="string"><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="id" type="xs:ID"/><xs:attribute name="href" type="xs:anyURI"/>
  </xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>"""


def timeouts(settings: PrimaSettings) -> Mapping[CallKind, httpx.Timeout]:
    """Return the time-outs of each kind of call: connect is common, read, write and pool are its own."""
    seconds: dict[CallKind, float] = {
        "wsdl": settings.status_timeout_seconds,
        "status": settings.status_timeout_seconds,
        "order": settings.order_timeout_seconds,
        "stock": settings.stock_timeout_seconds,
    }
    return {kind: httpx.Timeout(limit, connect=settings.connect_timeout_seconds) for kind, limit in seconds.items()}


def open_http(settings: PrimaSettings, secrets: Secrets) -> httpx.Client:
    """Return the HTTP client of the settings.

    Raises ConfigurationError for a missing password, an unusable CA or certificate, or a proxy that cannot be used.
    """
    _require_secrets(settings, secrets)
    auth = None
    if settings.basic_auth_user:
        auth = httpx.BasicAuth(settings.basic_auth_user, *secrets.require("PRIMA_PASSWORD"))
    headers = dict(settings.headers)
    if settings.secret_header:
        headers[settings.secret_header] = secrets.require("PRIMA_HEADER_VALUE")[0]
    try:
        return httpx.Client(
            auth=auth,
            headers=headers,
            verify=_tls(settings, secrets),
            proxy=_proxy(settings, secrets),
            trust_env=settings.proxy_url == "environment",
            follow_redirects=False,
            limits=httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency),
        )
    except (ValueError, TypeError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"the HTTP settings of [prima] cannot be used: {error}.", system="PRIMA") from error


def _require_secrets(settings: PrimaSettings, secrets: Secrets) -> None:
    """Raise ConfigurationError that names every secret of the settings which is set nowhere."""
    wanted = {
        "PRIMA_PASSWORD": settings.basic_auth_user,
        "PRIMA_HEADER_VALUE": settings.secret_header,
        "PRIMA_PROXY_PASSWORD": settings.proxy_user,
    }
    secrets.require(*(name for name, needed_by in wanted.items() if needed_by))


def _tls(settings: PrimaSettings, secrets: Secrets) -> ssl.SSLContext:
    """Return how the server's certificate is checked, and with which certificate the client shows itself."""
    try:
        if settings.client_certificate_file:
            # One of its own: the certificate is added to it.
            context = trust.read_authorities(settings.ca_file, httpx.create_ssl_context)
        else:
            context = trust.authorities(settings.ca_file, httpx.create_ssl_context)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"prima.ca_file {settings.ca_file} cannot be used: {error}.", system="PRIMA"
        ) from error
    if settings.client_certificate_file:
        try:
            context.load_cert_chain(
                settings.client_certificate_file,
                settings.client_key_file or None,
                password=lambda: secrets.get("PRIMA_CLIENT_KEY_PASSWORD"),
            )
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ConfigurationError(
                f"prima.client_certificate_file {settings.client_certificate_file} cannot be used: {error}.",
                system="PRIMA",
                next_step="Check it, prima.client_key_file and the secret PRIMA_CLIENT_KEY_PASSWORD.",
            ) from error
    return context


def _proxy(settings: PrimaSettings, secrets: Secrets) -> httpx.Proxy | None:
    if settings.proxy_url in ("", "environment"):
        return None
    auth = None
    if settings.proxy_user:
        auth = (settings.proxy_user, secrets.require("PRIMA_PROXY_PASSWORD")[0])
    return httpx.Proxy(settings.proxy_url, auth=auth)


def check_address(url: str, setting: str, *, allow_plain_http: bool) -> None:
    """Refuse plain http to a public host: the service has no password of its own, and orders are personal data.

    Loopback and private addresses pass. Raises ConfigurationError, or SystemUnavailableError when the name of the host
    cannot be resolved.
    """
    parts = urlsplit(url)
    call = Call("address", setting, "wsdl")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise misconfigured(call, f"{url!r} is no http or https address")
    if parts.scheme == "https" or allow_plain_http:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unavailable(call, f"the host {parts.hostname} cannot be resolved: {error}") from error
    public = sorted({str(entry[4][0]) for entry in found if _is_public(str(entry[4][0]))})
    if public:
        raise misconfigured(
            call,
            f"{parts.hostname} is a public host ({', '.join(public)}) and the address is plain http",
            "Use https or a private network; prima.allow_plain_http = true permits it all the same.",
        )


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_global


class HttpxTransport(zeep.Transport):
    """zeep's transport on a shared httpx client. Raises httpx's errors from `post`, ours from `load`."""

    def __init__(self, http: httpx.Client, wsdl_url: str, timeout: httpx.Timeout) -> None:
        # The base class is not initialised: it would open a session of requests.
        self.cache = None
        self.logger = logging.getLogger(__name__)
        self._close_session = False
        self.loaded: dict[str, bytes] = {}
        self._http = http
        self._wsdl_url = wsdl_url
        self._load_timeout = timeout
        self._timeout: ContextVar[httpx.Timeout] = ContextVar("timeout", default=_NO_TIMEOUT_YET)

    @contextmanager
    def timed(self, timeout: httpx.Timeout) -> Iterator[None]:
        """Send the calls inside with these time-outs; other threads keep theirs."""
        token = self._timeout.set(timeout)
        try:
            yield
        finally:
            self._timeout.reset(token)

    def load(self, url: str) -> bytes:
        """Return the WSDL, or a schema it imports from the same host; anything else is refused.

        What was loaded is kept in `loaded`, by address.
        """
        if url in self.loaded:
            return self.loaded[url]
        if url == _SOAP_ENCODING:
            return _SOAP_ENCODING_SCHEMA
        call = Call("wsdl", "", "wsdl")
        if urlsplit(url)[:2] != urlsplit(self._wsdl_url)[:2]:
            raise misconfigured(call, f"the WSDL imports {url}, which is on another host")
        try:
            response = self._http.get(url, timeout=self._load_timeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise from_transport(error, call) from error
        problem = from_status(response, call)
        if problem is not None:
            raise problem
        if response.status_code != 200:
            raise unavailable(call, f"the server answered HTTP {response.status_code} instead of the WSDL")
        self.loaded[url] = response.content
        return response.content

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> httpx.Response:
        """Send one envelope and return the whole response."""
        return self._http.post(address, content=message, headers=headers, timeout=self._timeout.get())

    def post_xml(self, address: str, envelope: Any, headers: dict[str, str]) -> httpx.Response:
        """Send an envelope that zeep built."""
        message: bytes = etree_to_string(envelope)  # type: ignore[no-untyped-call]
        return self.post(address, message, headers)
