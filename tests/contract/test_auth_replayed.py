"""Who is let in: OAuth 1.0a signed by a standard client, bearer tokens, permissions."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

import httpx
import pytest
from oauthlib.oauth1 import Client

from sandbox.magento import MagentoStandIn
from tests.contract import allowed, recorded
from tests.contract.comparing import assert_as_recorded

WEBSITES = "/rest/V1/store/websites"
ENCODED = str.maketrans({"[": "%5B", "]": "%5D", " ": "%20"})


def signed(
    magento: MagentoStandIn, method: str, path: str, body: Any = None, *, drop: str = "", **options: Any
) -> httpx.Response:
    """Send a request signed by oauthlib; `options` go to its client."""
    url = (magento.url + path).translate(ENCODED)
    keys = magento.secrets
    given = {
        "client_secret": keys["MAGENTO_CONSUMER_SECRET"],
        "resource_owner_key": keys["MAGENTO_ACCESS_TOKEN"],
        "resource_owner_secret": keys["MAGENTO_ACCESS_TOKEN_SECRET"],
        "signature_method": "HMAC-SHA256",
    }
    client = Client(keys["MAGENTO_CONSUMER_KEY"], **{**given, **options})
    _, headers, _ = client.sign(url, http_method=method)
    return httpx.request(method, url, headers={**headers, "Accept": "application/json"}, json=body)


def replay_signed(magento: MagentoStandIn, name: str, **options: Any) -> httpx.Response:
    request = recorded.load(name)["request"]
    return signed(magento, request["method"], request["path"], request.get("body"), **options)


@pytest.mark.parametrize("name", ["auth/oauth-hmac-sha256", "auth/oauth-query", "auth/oauth-query-space"])
def test_a_request_signed_with_hmac_sha256_is_let_in(trading: MagentoStandIn, name: str) -> None:
    response = replay_signed(trading, name)
    if name == "auth/oauth-hmac-sha256":  # the recorded order of websites changed from answer to answer
        assert sorted(response.json(), key=str) == sorted(recorded.answered(name), key=str)
        return
    assert_as_recorded(response, name, allowed.COUNTS)


def test_a_signed_post_does_not_sign_its_body(trading: MagentoStandIn) -> None:
    assert_as_recorded(replay_signed(trading, "auth/oauth-post-json"), "auth/oauth-post-json")


@pytest.mark.parametrize(
    ("name", "method"), [("auth/oauth-hmac-sha1", "HMAC-SHA1"), ("auth/oauth-plaintext", "PLAINTEXT")]
)
def test_other_signature_methods_are_refused(trading: MagentoStandIn, name: str, method: str) -> None:
    assert_as_recorded(replay_signed(trading, name, signature_method=method), name)


def test_a_wrong_secret_makes_the_signature_invalid(trading: MagentoStandIn) -> None:
    response = replay_signed(trading, "auth/oauth-bad-signature", client_secret="wrong")
    assert_as_recorded(response, "auth/oauth-bad-signature")


def test_a_nonce_is_used_once(trading: MagentoStandIn) -> None:
    once: dict[str, Any] = {"nonce": "n-0001", "timestamp": "1795400000"}
    assert replay_signed(trading, "auth/oauth-nonce-replay", **once).status_code == 200
    assert_as_recorded(replay_signed(trading, "auth/oauth-nonce-replay", **once), "auth/oauth-nonce-replay")


def test_an_old_timestamp_is_accepted(trading: MagentoStandIn) -> None:
    assert replay_signed(trading, "auth/oauth-old-timestamp", timestamp="1000000000").status_code == 200


def test_ten_filter_groups_pass_and_twelve_break_a_standard_signature(trading: MagentoStandIn) -> None:
    assert_as_recorded(replay_signed(trading, "auth/oauth-query-12-groups"), "auth/oauth-query-12-groups")
    filters = "&".join(
        f"searchCriteria[filterGroups][{group}][filters][0][{key}]={value}"
        for group in range(10)
        for key, value in (("field", "entity_id"), ("value", "0"), ("conditionType", "gt"))
    )
    assert signed(trading, "GET", f"/rest/V1/orders?{filters}&fields=total_count").status_code == 200


def test_a_bearer_token_works_only_once_the_setting_is_on(magento: MagentoStandIn) -> None:
    magento.settings.bearer_allowed = False
    assert_as_recorded(recorded.replay(magento, "auth/bearer-disabled"), "auth/bearer-disabled")
    magento.settings.bearer_allowed = True
    assert recorded.replay(magento, "auth/bearer-disabled").status_code == 200


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("errors/401-bad-token", "Bearer nobody"),
        ("errors/401-empty-bearer", "Bearer"),  # httpx does not send the blank behind it
        ("errors/401-no-token", ""),
    ],
)
def test_a_bad_an_empty_and_no_token_get_the_same_answer(trading: MagentoStandIn, name: str, header: str) -> None:
    path = recorded.load(name)["request"]["path"]
    response = httpx.get(trading.url + path, headers={"Authorization": header} if header else {})
    assert_as_recorded(response, name)


@pytest.mark.parametrize(
    "name",
    [
        "errors/401-acl-missing",
        "errors/401-acl-missing-inventory",
        "errors/minimal-acl-async",
        "errors/minimal-acl-storeconfigs",
        "async/status-other-token",
    ],
)
def test_a_missing_permission_looks_like_a_bad_token(magento: MagentoStandIn, name: str) -> None:
    magento.settings.allowed = {"Magento_Catalog::products"}
    assert_as_recorded(recorded.replay(magento, name), name)


def test_a_granted_permission_opens_its_routes_only(trading: MagentoStandIn) -> None:
    trading.settings.allowed = {"Magento_Sales::actions_view"}
    try:
        assert_as_recorded(
            recorded.replay(trading, "errors/minimal-acl-orders"), "errors/minimal-acl-orders", allowed.COUNTS
        )
        assert recorded.replay(trading, "errors/minimal-acl-shipments").status_code == 401
    finally:
        trading.settings.allowed = None


@pytest.mark.parametrize(
    ("name", "resource", "may_differ"),
    [
        ("errors/minimal-acl-creditmemos", "Magento_Sales::sales_creditmemo", allowed.COUNTS),
        ("errors/minimal-acl-modules", "Magento_Backend::admin", ()),
        ("errors/minimal-acl-source-items", "Magento_InventoryApi::source", allowed.COUNTS),
    ],
)
def test_each_permission_of_the_minimal_set_opens_its_route(
    magento: MagentoStandIn, name: str, resource: str, may_differ: Collection[str]
) -> None:
    magento.add_product("OB-1234-BLK-8", price=Decimal("39.99"), quantity=400)
    magento.settings.allowed = {resource}
    assert_as_recorded(recorded.replay(magento, name), name, may_differ)
    magento.settings.allowed = {"Magento_Catalog::products"}
    assert recorded.replay(magento, name).json()["parameters"] == {"resources": resource}


def test_the_keys_stay_with_the_state_folder(magento: MagentoStandIn, tmp_path: Any) -> None:
    with MagentoStandIn(tmp_path) as again:
        assert again.secrets == magento.secrets
