import json
from decimal import Decimal

import pytest

from schemas.documents import ShipmentLine, ShipmentRequest, Track
from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    NotFoundError,
    OutcomeUnknownError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.systems.magento import InputLimitError
from tests.systems.magento.conftest import Answer, recording

A_SHIPMENT = ShipmentRequest(
    dispatch_number="D100",
    order_number="000000003",
    entity_id_magento=3,
    lines=(ShipmentLine(8, 7),),
    tracks=(Track("AB123456789GB", "custom", "Royal Mail Tracked 24"),),
)


def recorded(name: str) -> Answer:
    """The recorded answer, with its content type."""
    response = recording(name)["response"]
    headers = {k: v for k, v in response.get("headers", {}).items() if k == "Content-Type"}
    return Answer(response["status"], response["body"], headers)


@pytest.mark.parametrize(
    ("name", "error", "said", "next_step"),
    [
        ("errors/401-acl-missing.json", ConfigurationError, "access Magento_Sales::actions_view.",
         "Give the integration the resource Magento_Sales::actions_view"),
        ("auth/bearer-disabled.json", ConfigurationError, "access Magento_Backend::store.", "bearer tokens"),
        ("auth/oauth-bad-signature.json", ConfigurationError, "signature is invalid", "MAGENTO_CONSUMER_SECRET"),
        ("errors/404-order.json", NotFoundError, "doesn't exist", ""),
        ("errors/404-route.json", ConfigurationError, "does not match any route", "no such route"),
        ("errors/400-wrong-type.json", CallRefusedError, 'The "many" value', ""),
        ("errors/400-unknown-field.json", CallRefusedError, '"Colour" is not supported', ""),
        ("errors/500-unknown-filter-field.json", UnexpectedResponseError, "Report ID: webapi-6b03ab2c0d91a",
         "Asking again will not help"),
        ("errors/503-maintenance.json", SystemUnavailableError, "Error 503: Service Unavailable",
         "Nothing was changed"),
        ("limits/input-limit-21-items.json", InputLimitError, "SourceItemInterface\" is 20", "at most 20"),
    ],
)  # fmt: skip
def test_a_read_that_magento_refuses_says_what_to_do(script, client_for, name, error, said, next_step):
    with pytest.raises(error) as raised:
        client_for(script(recorded(name)).url).order(3)
    assert said in raised.value.message
    assert next_step in raised.value.next_step
    assert (raised.value.system, raised.value.operation) == ("Magento", "GET /V1/orders/3")
    assert raised.value.reference == "order id 3"
    assert "%" not in raised.value.message


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fulfilment/ship-source-short.json", "SHIPMENT_NOT_SAVED"),
        ("fulfilment/ship-again.json", "NOTHING_TO_SHIP"),
        ("fulfilment/ship-cancelled.json", "ORDER_CANCELLED"),
        ("fulfilment/ship-held.json", "ORDER_HELD"),
        ("fulfilment/ship-unknown-item.json", "NO_SHIPPABLE_LINES"),
        ("fulfilment/invoice-too-many.json", "TOO_MANY_TO_INVOICE"),
        ("fulfilment/refund-shipping-too-much.json", "DELIVERY_REFUND_TOO_LARGE"),
        ("fulfilment/refund-not-invoiced.json", "NOT_INVOICED"),
        ("fulfilment/hold-again.json", "NOT_HOLDABLE"),
        ("fulfilment/unhold-again.json", "NOT_HELD"),
        ("fulfilment/order-comment-bad-status.json", "STATUS_NOT_CURRENT"),
        ("fulfilment/shipment-track-post-unknown-shipment.json", "SHIPMENT_UNKNOWN"),
        ("inventory/source-items-post-unknown-source.json", "SOURCE_UNKNOWN"),
    ],
)
def test_every_known_refusal_of_a_write_has_a_code_and_a_next_step(script, client_for, name, code):
    with pytest.raises(CallRefusedError) as raised:
        client_for(script(recorded(name)).url).ship(A_SHIPMENT)
    assert raised.value.code == code
    assert raised.value.status == 400
    assert raised.value.next_step
    assert raised.value.operation == "POST /V1/order/3/ship"
    assert raised.value.reference == "order 000000003, dispatch D100"
    assert "%1" not in raised.value.message


def test_the_single_mistakes_of_a_validation_are_told_once_each(script, client_for):
    with pytest.raises(CallRefusedError) as raised:
        client_for(script(recorded("errors/400-object-for-array.json")).url).order(3)
    assert raised.value.message == (
        'Validation Failed: "sku" can not be empty. ("source_code" can not be empty.; '
        '"quantity" should be numeric.; "status" should be numeric.)'
    )


@pytest.mark.parametrize("status", [500, 502, 504, 520])
def test_a_failure_inside_magento_leaves_the_outcome_of_a_write_unknown(script, client_for, status):
    server = script(Answer(status, "<html><head><title>Bad &amp; sad</title></head></html>"))
    with pytest.raises(OutcomeUnknownError, match="Bad & sad") as raised:
        client_for(server.url).ship(A_SHIPMENT)
    assert "Read it in Magento before sending it again" in raised.value.next_step
    assert len(server.asked) == 1


def test_a_customer_that_magento_names_in_an_error_is_not_repeated(script, client_for):
    said = {"message": 'Customer "%1" (%2) is locked', "parameters": ["asha@example.test", "01632 960123"]}
    with pytest.raises(CallRefusedError) as refused:
        client_for(script(Answer(400, json.dumps(said))).url).order(3)
    assert refused.value.message == 'Customer "[personal]" ([personal]) is locked'
    page = "<html><title>No mail to asha@example.test</title></html>"
    with pytest.raises(UnexpectedResponseError, match=r"No mail to \[personal\]"):
        client_for(script(Answer(500, page)).url).order(3)


@pytest.mark.parametrize("status", [429, 503])
def test_a_write_that_is_turned_away_at_the_door_did_not_happen(script, client_for, status):
    server = script(Answer(status, "<html><body><h1>Too busy</h1></body></html>"))
    with pytest.raises(SystemUnavailableError, match="Too busy"):
        client_for(server.url).ship(A_SHIPMENT)
    assert len(server.asked) == 1


def test_a_cache_that_gave_up_waiting_leaves_the_outcome_of_a_write_unknown(script, client_for):
    page = "<html><head><title>503 Backend fetch failed</title></head></html>"
    with pytest.raises(OutcomeUnknownError):
        client_for(script(Answer(503, page)).url).ship(A_SHIPMENT)


def test_a_request_that_something_on_the_way_sent_twice_may_have_happened(script, client_for):
    client = client_for(script(recorded("auth/oauth-nonce-replay.json")).url)
    with pytest.raises(OutcomeUnknownError, match="nonce is already being used by the consumer with ID 1"):
        client.ship(A_SHIPMENT)


@pytest.mark.parametrize("body", ["null", '"<html>"', "[]", "true", '{"id": 1}', '"46'])
def test_a_shipment_answered_with_something_else_than_its_id_may_have_happened(script, client_for, body):
    server = script(Answer(200, body, {"Content-Type": "application/json"}))
    with pytest.raises(OutcomeUnknownError):
        client_for(server.url).ship(A_SHIPMENT)


@pytest.mark.parametrize("status", [400, 500])
def test_a_deadlock_is_asked_again_for_a_read_and_unknown_for_a_write(script, client_for, status):
    text = "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock"
    server = script(Answer(status, {"message": text}), Answer(200, []))
    assert client_for(server.url).websites() == []
    with pytest.raises(OutcomeUnknownError, match="deadlock"):
        client_for(script(Answer(status, {"message": text})).url).ship(A_SHIPMENT)


def test_an_address_without_magento_is_a_matter_of_configuration(script, client_for):
    page = "<!doctype html><html><head><title>Not here</title></head></html>"
    for answer in (Answer(404, page), Answer(200, page), Answer(301, "", {"Location": "https://shop.example/"})):
        with pytest.raises(ConfigurationError, match="base_url"):
            client_for(script(answer).url).websites()


def test_a_wrong_store_code_is_named(script, client_for):
    server = script(recorded("errors/unknown-store-code.json"))
    with pytest.raises(ConfigurationError, match=r"'nostore': correct magento\.store_code"):
        client_for(server.url, store_code="nostore").websites()
    assert server.asked[0].target == "/rest/nostore/V1/store/websites"


def test_a_firewall_that_refuses_is_not_mistaken_for_a_missing_permission(script, client_for):
    with pytest.raises(ConfigurationError, match="firewall"):
        client_for(script(Answer(403, "<html><h1>Forbidden</h1></html>")).url).websites()


def test_an_unknown_sku_in_a_stock_question_is_told_from_a_failure(script, client_for):
    failed = recorded("inventory/salable-quantity-unknown-sku.json")
    with pytest.raises(NotFoundError):
        client_for(script(failed, recorded("errors/404-product.json")).url).salable_quantity("NO-SUCH", 1)
    with pytest.raises(UnexpectedResponseError):
        client_for(script(failed, Answer(200, {"sku": "AB-1"})).url).salable_quantity("AB-1", 1)
    for name, code in (("configurable", "NO_STOCK_OF_ITS_OWN"), ("unknown-stock", "STOCK_UNKNOWN")):
        with pytest.raises(CallRefusedError) as raised:
            client_for(script(recorded(f"inventory/salable-quantity-{name}.json")).url).salable_quantity("OB-1", 1)
        assert raised.value.code == code


def test_a_refund_that_would_refund_everything_by_mistake_is_never_sent(script, client_for):
    server = script(Answer(200, "1"))
    client = client_for(server.url)
    with pytest.raises(ValueError, match="no lines"):
        client.refund(3, [], delivery=Decimal(0))
    with pytest.raises(ValueError, match="negative"):
        client.refund(3, [ShipmentLine(8, 1)], delivery=Decimal("-1"))
    assert server.asked == []
