"""Choices of `[prima]` that only a whole run shows: customers used again, taken numbers, development answers, pace."""

from typing import Any

import pytest

from flows.orders import sync_orders
from tasks import connect
from tasks.errors import ConfigurationError, SystemUnavailableError
from tests.installation import Installation
from tests.recorded import sample_order

ORDER, OTHER, GUEST = "000000029", "000000031", "000000020"


def sent(installation: Installation, entity_id: int) -> dict[str, Any]:
    """Return the attributes of `Data` with which PRIMA got an order, and of the first child of each name."""
    stored = installation.prima.order(f"30{entity_id:06d}")
    assert stored is not None
    first = dict(reversed(stored["sent"]["children"]))
    return {**stored["sent"]["Data"], "given": stored["customer_code"], "children": first}


def of_customer(order_number: str, customer: int) -> dict[str, Any]:
    """Return a recorded order as one that this account placed, with a VAT number."""
    order = sample_order(order_number) | {"customer_id": customer, "customer_is_guest": 0}
    order["billing_address"] |= {"vat_id": "GB999"}
    return order


def test_an_account_is_one_customer_of_prima_where_the_settings_say_so(installation: Installation) -> None:
    installation.configure(
        number_length='8\ncustomer = "reuse"\nvat_number_to = "CustomerRef"\ndiscount_in = "promotion_value"\n'
        'order_date_format = "yyyy-mm-dd"'
    )
    installation.prima.settings.discount_attribute = "PromotionValue"
    first, second, guest = of_customer(ORDER, 7), of_customer(OTHER, 7), sample_order(GUEST)
    second["updated_at"] = "2026-11-24 23:00:00"
    installation.holds(first, guest)
    sync_orders()
    installation.holds(second)
    sync_orders()

    new, again = sent(installation, first["entity_id"]), sent(installation, second["entity_id"])
    assert (new["Customer"], again["Customer"]) == ("", new["given"])
    assert again["given"] == new["given"]
    assert again["CustomerRef"] == "GB999"
    of_guest = sent(installation, guest["entity_id"])
    assert (of_guest["Customer"], of_guest["CustomerRef"]) == ("", "")
    assert of_guest["given"] != new["given"]

    children = of_guest["children"]
    assert children["OrderHeaderData"]["OrderDate"] == guest["created_at"][:10]
    assert children["OrderLineData"]["PromotionValue"] == "10.00"
    stored = installation.prima.order(of_guest["OrderNumber"])
    assert stored is not None
    assert stored["gross"] == 2390, "the price before its discount, less the discount, is what was paid"
    assert installation.open_codes() == {}


def test_a_development_answer_stops_posting_unless_it_is_expected(installation: Installation) -> None:
    installation.configure(concurrency="1")
    installation.holds(sample_order(ORDER), sample_order(OTHER), sample_order(GUEST))
    installation.prima.settings.dev_mode, installation.prima.settings.vat_inclusive = True, False

    with pytest.raises(ConfigurationError, match="DEV MODE"):
        sync_orders()
    assert posts(installation) == 1

    installation.configure(concurrency='1\ndevelopment_answers = "allow"')
    sync_orders()
    assert posts(installation) == 3
    assert set(installation.open_codes().values()) == {"PRIMA_REFUSED"}


@pytest.mark.parametrize(("choice", "codes"), [("verify", set()), ("refuse", {"PRIMA_NUMBER_TAKEN"})])
def test_a_number_that_an_earlier_attempt_may_have_taken_is_looked_into_or_left_to_a_person(
    installation: Installation, choice: str, codes: set[str]
) -> None:
    installation.configure(number_length=f'8\nduplicate = "{choice}"')
    installation.holds(sample_order(GUEST))
    installation.prima.faults.add("MultiNewOrder", "status", status=503, after_effect=True)
    with pytest.raises(SystemUnavailableError, match="503"):
        sync_orders()

    sync_orders()

    assert len(installation.prima.order_numbers()) == 1
    assert set(installation.open_codes().values()) == codes


def test_calls_keep_the_pace_of_the_settings(installation: Installation) -> None:
    pace = connect._pace(installation.prima.wsdl_url, 0.1)
    installation.configure(calls_per_minute="6")
    with connect.open_prima(installation.settings) as prima:
        assert pace._next == 0.0, "reading the WSDL is no call"
        prima.order_status("30000001")
    assert pace._next > 0


def posts(installation: Installation) -> int:
    return sum(request["request_type"] == "MultiNewOrder" for request in installation.prima.requests())
