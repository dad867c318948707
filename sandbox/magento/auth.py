"""Who may call: OAuth 1.0a as Magento verifies it (its own order of parameters included) and bearer tokens.

Read from Magento's behaviour rather than recorded: only `name=value` pairs of the query are signed, and of a name
that occurs twice (`skus[]=A&skus[]=B`) only the last value; indexed names (`skus[0]`) are safe.
"""

import base64
import functools
import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sandbox.magento.errors import Refusal, not_authorised
from sandbox.magento.store import Store

CONSUMER_ID = "1"


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers: verb, scheme with host, path still encoded, query still encoded."""

    method: str
    origin: str
    raw_path: str
    raw_query: str


def authenticate(
    header: str, request: SignedRequest, resource: str, keys: dict[str, str], store: Store, *, bearer_allowed: bool
) -> None:
    """Return when the Authorization header proves the integration; Refusal 401 or 400 with Magento's texts otherwise.

    `keys` are named as the environment of the integration names them (MAGENTO_CONSUMER_KEY and so on). A nonce may be
    used once.
    """
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        if bearer_allowed and hmac.compare_digest(credentials.strip().encode(), _key(keys, "ACCESS_TOKEN")):
            return
        raise not_authorised(resource)
    if scheme.lower() != "oauth":
        raise not_authorised(resource)
    signed = {
        unquote(name): unquote(value)
        for name, value in re.findall(r'([\w%.~-]+)="([^"]*)"', credentials)
        if name != "realm"
    }
    _check_claims(signed, keys, store)
    expected = _signature(request, signed, keys)
    if not hmac.compare_digest(expected, signed.get("oauth_signature", "").encode()):
        raise Refusal(401, "The signature is invalid. Verify and try again.")


def _check_claims(signed: dict[str, str], keys: dict[str, str], store: Store) -> None:
    method = signed.get("oauth_signature_method", "")
    if method != "HMAC-SHA256":
        raise Refusal(400, "Signature method %1 is not supported", [method])
    if signed.get("oauth_consumer_key", "").encode() != _key(keys, "CONSUMER_KEY"):
        raise Refusal(401, "A consumer having the specified key does not exist")
    if signed.get("oauth_token", "").encode() != _key(keys, "ACCESS_TOKEN"):
        raise Refusal(401, "Specified token does not exist")
    if not store.write("insert or ignore into nonces values (?)", signed.get("oauth_nonce", "")):
        raise Refusal(401, "The nonce is already being used by the consumer with ID %1", [CONSUMER_ID])


def _signature(request: SignedRequest, signed: dict[str, str], keys: dict[str, str]) -> bytes:
    parameters = {_quoted(name): _quoted(value) for name, value in signed.items() if name != "oauth_signature"}
    for pair in request.raw_query.split("&"):
        parts = pair.split("=")
        if len(parts) == 2:
            parameters[_quoted(unquote(parts[0]))] = _quoted(unquote(parts[1]))
    names = sorted(parameters, key=functools.cmp_to_key(natural_compare))
    listed = "&".join(f"{name}={parameters[name]}" for name in names)
    origin = re.sub(r"^(http://.*):80$|^(https://.*):443$", r"\1\2", request.origin.lower())
    base = "&".join([request.method, _quoted(origin + request.raw_path), _quoted(listed)])
    secret = b"&".join(
        _quoted(_key(keys, name).decode()).encode() for name in ("CONSUMER_SECRET", "ACCESS_TOKEN_SECRET")
    )
    return base64.b64encode(hmac.new(secret, base.encode(), hashlib.sha256).digest())


def natural_compare(left: str, right: str) -> int:
    """Compare as PHP's strnatcmp does: runs of digits by their value, so that [2] stands before [10]."""
    for one, other in zip(_runs(left), _runs(right), strict=False):
        if one != other:
            if one.isdigit() and other.isdigit() and not (one.startswith("0") or other.startswith("0")):
                return -1 if int(one) < int(other) else 1
            return -1 if one < other else 1
    return (len(left) > len(right)) - (len(left) < len(right))


def _runs(text: str) -> list[str]:
    return re.findall(r"\d+|\D", text)


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _key(keys: dict[str, str], name: str) -> bytes:
    return keys[f"MAGENTO_{name}"].encode()
