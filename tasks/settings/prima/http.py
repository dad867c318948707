"""How the web service is reached: addresses, passwords, certificates, proxy, time-outs, pace."""

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import Section, without_user

_OURS = {"content-type", "content-length", "soapaction", "host", "transfer-encoding"}
_TOKEN = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
_ADDRESS = r"^(https?://\S+)?$"


class PrimaHttpSettings(Section):
    """The keys of `[prima]` that say how the service is reached."""

    base_url: str = Field(
        default="",
        pattern=_ADDRESS,
        description="address of the service, http://HOST:8080/wsalive/wsalive; makes wsdl_url, and is the POST address "
        "where no WSDL is read",
    )
    target_uri: str = Field(default="urn:omlink", pattern=r"^\S+$", description="targetURI of the WSDL, its namespace")
    wsdl_url: str = Field(
        default="",
        pattern=_ADDRESS,
        validate_default=True,
        description="address of the WSDL, with its ?targetURI=; empty = made from base_url and target_uri",
    )
    endpoint_url: str = Field(
        default="", pattern=_ADDRESS, description="POST address, when the WSDL names a wrong one or is not read"
    )
    operation: Literal["wsomhandler", "comwsomhandler"] = Field(
        default="wsomhandler", description="wsomhandler works on the default company"
    )
    company_id: str = Field(default="", validate_default=True, description="needed for the operation comwsomhandler")
    basic_auth_user: str = Field(default="", description="HTTP Basic user; its password is the secret PRIMA_PASSWORD")
    headers: dict[str, str] = Field(default_factory=dict, repr=False, description="further HTTP headers of each call")
    secret_header: str = Field(
        default="", description="name of a header whose value is the secret PRIMA_HEADER_VALUE, such as X-Api-Key"
    )
    ca_file: str = Field(default="", description="CA bundle for TLS; empty = the usual public ones")
    client_certificate_file: str = Field(default="", description="client certificate for TLS (PEM)")
    client_key_file: str = Field(
        default="",
        description="its key (PEM); empty = in client_certificate_file; its password is the secret "
        "PRIMA_CLIENT_KEY_PASSWORD",
    )
    proxy_url: str = Field(
        default="",
        pattern=r"^(environment|https?://\S+|)$",
        description="address of an HTTP proxy, or environment: as HTTP_PROXY and its like say; empty = none",
    )
    proxy_user: str = Field(default="", description="the proxy's user; its password is the secret PRIMA_PROXY_PASSWORD")
    allow_plain_http: bool = Field(default=False, description="permit http:// to an address outside private networks")
    connect_timeout_seconds: float = Field(default=10, gt=0, description="time to reach the server")
    status_timeout_seconds: float = Field(default=30, gt=0, description="time for the WSDL or the state of an order")
    order_timeout_seconds: float = Field(default=60, gt=0, description="time for one order")
    stock_timeout_seconds: float = Field(default=300, gt=0, description="time for a stock answer")
    concurrency: int = Field(default=1, ge=1, le=8, description="calls at a time")
    calls_per_minute: int = Field(
        default=120, ge=0, description="calls that a process makes in a minute at most; 0 = as fast as PRIMA answers"
    )

    @field_validator("base_url", "wsdl_url", "endpoint_url", "proxy_url")
    @classmethod
    def _without_user(cls, url: str) -> str:
        return without_user(url)

    @field_validator("base_url")
    @classmethod
    def _without_query(cls, url: str) -> str:
        if "/wsdl" in url or "?" in url:
            raise ValueError("must stop before /wsdl; an address with ?targetURI= belongs in wsdl_url")
        return url.rstrip("/")

    @field_validator("wsdl_url")
    @classmethod
    def _made(cls, url: str, info: ValidationInfo) -> str:
        if url or "base_url" not in info.data:
            return url
        if not info.data["base_url"]:
            raise ValueError("is missing, and base_url too: one of both is needed")
        return f"{info.data['base_url']}/wsdl?targetURI={info.data.get('target_uri', '')}"

    @field_validator("company_id")
    @classmethod
    def _company(cls, company_id: str, info: ValidationInfo) -> str:
        if not company_id and info.data.get("operation") == "comwsomhandler":
            raise ValueError("is needed when operation is comwsomhandler")
        return company_id

    @field_validator("headers")
    @classmethod
    def _headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            _check_header(name)
        return headers

    @field_validator("secret_header")
    @classmethod
    def _secret_header(cls, name: str) -> str:
        if name:
            _check_header(name)
        return name

    @field_validator("client_key_file")
    @classmethod
    def _with_certificate(cls, key: str, info: ValidationInfo) -> str:
        if key and not info.data.get("client_certificate_file", key):
            raise ValueError("needs client_certificate_file")
        return key

    @field_validator("proxy_user")
    @classmethod
    def _with_proxy(cls, user: str, info: ValidationInfo) -> str:
        if user and info.data.get("proxy_url", user) in ("", "environment"):
            raise ValueError("needs proxy_url with the address of the proxy")
        return user


def _check_header(name: str) -> None:
    if not _TOKEN.match(name):
        raise ValueError(f"{name!r} is no name of an HTTP header")
    if name.lower() in _OURS:
        raise ValueError(f"{name} is written by the client itself and cannot be set here")
