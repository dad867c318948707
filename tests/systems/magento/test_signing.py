import hashlib
import hmac
import json
import logging
import re
from base64 import b64encode
from urllib.parse import parse_qsl, quote, unquote

import pytest

from tasks.errors import ConfigurationError
from tests.systems.magento.conftest import ANY_SECRETS, Answer, Asked


def signature_of(asked: Asked, origin: str, secrets: dict[str, str]) -> str:
    """The signature that the standard asks for (RFC 5849, section 3.4.1), worked out from the wire alone."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', asked.headers["Authorization"]))
    claimed = {name: unquote(value) for name, value in fields.items() if name != "oauth_signature"}
    path, _, query = asked.target.partition("?")
    pairs = [*parse_qsl(query, keep_blank_values=True), *claimed.items()]
    listed = "&".join(f"{n}={v}" for n, v in sorted((quote(n, safe="~"), quote(v, safe="~")) for n, v in pairs))
    base = "&".join(quote(part, safe="~") for part in (asked.method, origin + path, listed))
    key = f"{secrets['MAGENTO_CONSUMER_SECRET']}&{secrets['MAGENTO_ACCESS_TOKEN_SECRET']}"
    assert b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha256)).decode() == unquote(
        fields["oauth_signature"]
    )
    return claimed["oauth_signature_method"]


def test_a_query_with_brackets_spaces_and_utf_8_is_signed_as_it_is_sent(script, client_for):
    server = script(Answer(body={"items": [], "total_count": 0}))
    client_for(server.url).orders_by_number(["Ä 1+2&3%"])
    (asked,) = server.asked
    assert "[" not in asked.target
    assert "+" not in asked.target
    assert "%C3%84%201%2B2%263%25" in asked.target
    assert signature_of(asked, server.url, ANY_SECRETS) == "HMAC-SHA256"


def test_a_signed_post_keeps_its_json_body_and_does_not_sign_it(script, client_for):
    server = script(Answer(body=[]))
    client_for(server.url).write_source_items([("日本-1", "default", 7)])
    (asked,) = server.asked
    assert json.loads(asked.body) == {
        "sourceItems": [{"sku": "日本-1", "source_code": "default", "quantity": 7, "status": 1}]
    }
    assert asked.headers["Content-Type"] == "application/json"
    assert "body_hash" not in asked.headers["Authorization"]
    signature_of(asked, server.url, ANY_SECRETS)


def test_no_two_requests_use_the_same_nonce(script, client_for):
    server = script(Answer(body=[]))
    client = client_for(server.url)
    client.websites()
    client.websites()
    nonces = [re.search(r'oauth_nonce="(\w+)"', each.headers["Authorization"])[1] for each in server.asked]
    assert len(set(nonces)) == 2


def test_a_bearer_token_needs_only_the_access_token(script, client_for):
    server = script(Answer(body=[]))
    client_for(server.url, {"MAGENTO_ACCESS_TOKEN": "abc123"}, auth="bearer").websites()
    assert server.asked[0].headers["Authorization"] == "Bearer abc123"


def test_missing_keys_are_named_all_at_once_before_the_first_call(client_for):
    with pytest.raises(ConfigurationError) as raised:
        client_for("http://127.0.0.1:9", {"MAGENTO_CONSUMER_KEY": "k"})
    assert raised.value.problems == [
        "MAGENTO_CONSUMER_SECRET is not set",
        "MAGENTO_ACCESS_TOKEN is not set",
        "MAGENTO_ACCESS_TOKEN_SECRET is not set",
    ]


def test_a_key_copied_with_a_line_break_is_named_and_not_shown(client_for):
    with pytest.raises(ConfigurationError, match="MAGENTO_ACCESS_TOKEN:") as raised:
        client_for("http://127.0.0.1:9", ANY_SECRETS | {"MAGENTO_ACCESS_TOKEN": "abc\n"})
    assert "abc" not in str(raised.value)


def test_the_keys_never_reach_the_log(script, client_for, caplog):
    caplog.set_level(logging.DEBUG)
    client_for(script(Answer(body=[])).url).websites()
    assert all(secret not in caplog.text for secret in ANY_SECRETS.values())
