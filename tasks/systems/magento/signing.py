"""How a request to Magento proves who sends it: OAuth 1.0a with HMAC-SHA256, or a bearer token."""

import logging
from collections.abc import Generator

import httpx
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from tasks.errors import ConfigurationError
from tasks.settings import MagentoSettings, Secrets

OAUTH_SECRETS = (
    "MAGENTO_CONSUMER_KEY",
    "MAGENTO_CONSUMER_SECRET",
    "MAGENTO_ACCESS_TOKEN",
    "MAGENTO_ACCESS_TOKEN_SECRET",
)

# At DEBUG oauthlib writes the consumer key and the access token of every request to the log.
logging.getLogger("oauthlib").setLevel(logging.INFO)


class OAuth1(httpx.Auth):
    """Signs every request with the four keys of a Magento integration.

    Only method, address and query are signed: Magento leaves a JSON body out, and so the body is not shown to oauthlib,
    which would drop it or add a hash of it. Every name and value of the query must be percent-encoded (`search.py`
    does that): Magento reads a plus sign as a plus sign, and oauthlib refuses bare brackets.
    """

    def __init__(self, consumer_key: str, consumer_secret: str, access_token: str, access_token_secret: str) -> None:
        self._client = Client(
            consumer_key,
            client_secret=consumer_secret,
            resource_owner_key=access_token,
            resource_owner_secret=access_token_secret,
            signature_method=SIGNATURE_HMAC_SHA256,
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the `Authorization` header on the request; its body and its address stay as they are."""
        _, headers, _ = self._client.sign(address_on_the_wire(request), http_method=request.method)  # type: ignore[arg-type]
        request.headers["Authorization"] = headers["Authorization"]
        yield request


class Bearer(httpx.Auth):
    """Sends the access token itself; Magento takes it only with `oauth/consumer/enable_integration_as_bearer` = 1."""

    def __init__(self, access_token: str) -> None:
        self._header = f"Bearer {access_token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the `Authorization` header on the request."""
        request.headers["Authorization"] = self._header
        yield request


def address_on_the_wire(request: httpx.Request) -> str:
    """Return the address with exactly the path and query that are sent; `str(request.url)` would decode the host."""
    url = request.url
    return f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}"


def signer(settings: MagentoSettings, secrets: Secrets) -> httpx.Auth:
    """Return what signs requests; raises ConfigurationError naming every secret that is set nowhere or malformed."""
    names = OAUTH_SECRETS if settings.auth == "oauth1" else ("MAGENTO_ACCESS_TOKEN",)
    values = secrets.require(*names)
    malformed = [name for name, value in zip(names, values, strict=True) if not _is_plain(value)]
    if malformed:
        raise ConfigurationError(
            f"{', '.join(malformed)}: contains spaces or characters that no Magento key has.",
            problems=[f"{name} contains spaces or characters that no Magento key has" for name in malformed],
            system="Magento",
            next_step="Copy the value again from System > Extensions > Integrations.",
        )
    return OAuth1(*values) if settings.auth == "oauth1" else Bearer(values[0])


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and " " not in value
