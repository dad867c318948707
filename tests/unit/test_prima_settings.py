"""`[prima]`: each mistake with its key, wherever two keys must agree, and test and live apart in one file."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.numbers import judged
from schemas.rules import NumberRule
from tasks.errors import ConfigurationError
from tasks.settings import PrimaSettings, Settings

REST = """
[magento]
base_url = "https://shop.example"
[sku]
source = "items"
[[stores]]
id = 1
code = "default"
website = "base"
[payment_methods.checkmo]
pay_method = "CSH"
[delivery_methods.flatrate_flatrate]
charge = "STD"
[[vat_rates]]
country = "GB"
rates = ["20"]
"""
PRIMA = '[prima]\nwsdl_url = "https://erp.example/wsdl"\n'
ORDERS = """[prima.orders]
number_prefix = "3"
price_meaning = "line_gross"
vat_lock = "none"
delivery_as = "charge"
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    """Return what the settings are refused with, without the file's name."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_file(path)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return Settings.from_file(path)


@pytest.mark.parametrize(("prima", "orders", "key", "expected"), [
    ('[prima]\n', "", "prima.wsdl_url", "base_url too"),
    ('[prima]\nbase_url = "http://erp.example/wsa/wsdl?targetURI=urn:omlink"\n', "", "prima.base_url", "before /wsdl"),
    (PRIMA + 'client_key_file = "k.pem"\n', "", "prima.client_key_file", "client_certificate_file"),
    (PRIMA + 'proxy_user = "me"\n', "", "prima.proxy_user", "proxy_url"),
    (PRIMA + 'headers = { SOAPAction = "x" }\n', "", "prima.headers", "written by the client itself"),
    (PRIMA + 'secret_header = "a b"\n', "", "prima.secret_header", "no name of an HTTP header"),
    (PRIMA + "orders_per_request = 2\n", "", "prima.orders_per_request", "always 1"),
    (PRIMA + '[prima.soap]\nstyle = "rpc_literal"\nrequest_part = "x"\n', "", "prima.soap", "endpoint_url"),
    (PRIMA + '[prima.soap]\nstyle = "rpc_encoded"\n', "", "prima.soap.request_part", "no WSDL is read"),
    (PRIMA + '[prima.soap]\nrequest_part = "a b"\n', "", "prima.soap.request_part", "pattern"),
    (PRIMA + '[prima.requests]\nproduct = "Items"\n', "", "prima.requests.product", "must stay empty"),
    (PRIMA + '[prima.requests]\nstatus = ""\n', "", "prima.requests.status", "state of one order"),
    (PRIMA + '[prima.tracking]\nsource = "order_status"\n', "", "prima.tracking.number", "needed"),
    (PRIMA + '[prima.tracking]\nnumber = "//@x"\n', "", "prima.tracking.number", "ends in an attribute"),
    (PRIMA + '[prima.tracking]\nsource = "request"\nnumber = "Data/@T"\n', "", "prima.requests", "despatch is needed"),
    (PRIMA + '[[prima.stock.ranges]]\nlast = "M"\n[[prima.stock.ranges]]\nfirst = "L"\n', "", "prima.stock.ranges",
     "entry 2 must begin"),
    (PRIMA + '[[prima.stock.ranges]]\nfirst = "L"\n', "", "prima.stock.ranges", "leave nothing out"),
    (PRIMA + '[[prima.errors]]\nkind = "noise"\n', "", "prima.errors.0.begins", "needed when code is not given"),
    (PRIMA + '[[prima.errors]]\ncode = "21"\nkind = "odd"\n', "", "prima.errors.0.kind", "'park'"),
    (PRIMA, 'number_highest = 99999999\n', "prima.orders.number_highest", "7 digits"),
    (PRIMA, 'address_lines = ["town", "street1", "street3"]\n', "prima.orders.address_lines", "without a gap"),
    (PRIMA, 'address_lines = ["street"]\n', "prima.orders.address_lines", "must have town"),
    (PRIMA, 'address_lines = ["town", "street", "town"]\n', "prima.orders.address_lines", "stand once"),
    (PRIMA, 'due_date_format = "%d"\n', "prima.orders.due_date_format", "'dd/mm/yyyy'"),
    (PRIMA, '[prima.orders.constants]\norder = { OrderNumber = "1" }\n', "prima.orders.constants.order", "OrderNumber"),
    (PRIMA, '[prima.orders.constants]\npayment = { CAVV = "1" }\n', "prima.orders.constants.payment", "card data"),
    (PRIMA, 'vat_number_to = "WorksNo"\n[prima.orders.constants]\norder = { WorksNo = "1" }\n',
     "prima.orders.constants", "takes the VAT number"),
    (PRIMA, 'send_currency = true\n', "prima.orders.send_currency", "'foreign'"),
])  # fmt: skip
def test_a_mistake_in_prima_names_its_key(tmp_path: Path, prima: str, orders: str, key: str, expected: str) -> None:
    [problem] = problems(tmp_path, REST + prima + ORDERS + orders)
    assert problem.startswith(f"{key}: ")
    assert expected in problem


def test_letters_in_order_numbers_must_be_asked_for(tmp_path: Path) -> None:
    letters = REST + PRIMA + ORDERS.replace('"3"', '"W-"')
    assert "number_prefix: must be digits" in problems(tmp_path, letters)[0]
    assert read(tmp_path, letters + "number_digits_only = false\n").prima.orders.number_prefix == "W-"


def test_the_addresses_are_made_of_the_base_url() -> None:
    orders = tomllib.loads(ORDERS)["prima"]["orders"]
    made = PrimaSettings.model_validate({"base_url": "http://erp.example/wsa/wsa/", "orders": orders})
    assert made.wsdl_url == "http://erp.example/wsa/wsa/wsdl?targetURI=urn:omlink"
    other = {"base_url": "http://erp.example/soap", "target_uri": "urn:om2", "orders": orders}
    assert PrimaSettings.model_validate(other).wsdl_url.endswith("/soap/wsdl?targetURI=urn:om2")


def test_numbers_that_run_out_are_told_in_time_and_edited_orders_are_judged_by_what_they_edit() -> None:
    rule = NumberRule("30", "increment_id", 8)
    order = {"entity_id": 5, "increment_id": "000950000"}

    assert judged(rule, {"default": None}) == "order numbers up to 0 of 999999"
    assert "few are left" in judged(rule, {"default": order, "outlet": None})
    assert judged(rule, {"default": {**order, "increment_id": "000000101-2"}}) == "order numbers up to 101 of 999999"
    with pytest.raises(ConfigurationError, match="'W-101'"):
        judged(rule, {"default": {**order, "increment_id": "W-101"}})
    letters = replace(rule, digits_only=False)
    assert judged(letters, {"default": {**order, "increment_id": "W-101"}}) == "order numbers up to 0 of 999999"
    assert (letters.number(5, "W-101"), letters.number(5, "W-10101"), letters.number(5, "101")) == (
        "30W-101", None, "30000101",
    )  # fmt: skip


PROFILES: dict[str, Any] = {
    "test": '[profiles.test.prima]\nwsdl_url = "https://test.example/wsdl"\ndevelopment_answers = "allow"\n'
    '[profiles.test.ledger]\nurl = "sqlite:///test.db"\n',
    "live": '[profiles.live.prima]\nwsdl_url = "https://live.example/wsdl"\nexpected_company = "1"\n'
    '[profiles.live.ledger]\nurl = "sqlite:///live.db"\n',
}
BOTH = "".join(PROFILES.values())


def test_one_word_leads_to_the_test_or_to_the_live_installation(tmp_path: Path) -> None:
    test = read(tmp_path, f'profile = "test"\n{REST}[prima]\n{ORDERS}{BOTH}')
    live = read(tmp_path, f'profile = "live"\n{REST}[prima]\n{ORDERS}{BOTH}')

    assert (test.profile, test.prima.wsdl_url, test.ledger.url) == (
        "test", "https://test.example/wsdl", "sqlite:///test.db",
    )  # fmt: skip
    assert (live.profile, live.prima.wsdl_url, live.ledger.url) == (
        "live", "https://live.example/wsdl", "sqlite:///live.db",
    )  # fmt: skip
    assert (test.prima.development_answers, live.prima.development_answers) == ("allow", "stop")
    assert test.prima.orders == live.prima.orders
    assert test.magento == live.magento


def test_mistakes_of_every_profile_are_reported_chosen_or_not(tmp_path: Path) -> None:
    wrong = BOTH.replace('development_answers = "allow"', 'concurrency = "many"')
    found = problems(tmp_path, f'profile = "live"\n{REST}[prima]\nsurprise = 1\n{ORDERS}{wrong}')

    assert len(found) == 2
    assert any(problem.startswith("profiles.test.prima.concurrency: ") for problem in found)
    assert "prima.surprise: is not a known setting" in found


@pytest.mark.parametrize(("text", "expected"), [
    (BOTH, "profile: is missing: it chooses one of the file's profiles: test, live"),
    (f'profile = "prod"\n{BOTH}', "profile: is 'prod', and must be one of the file's profiles: test, live"),
    ('profile = "test"\n', "profile: is 'test', but the file has no [profiles.test...]"),
    ('profile = "test"\n' + BOTH.replace("live.db", "test.db"), "share a ledger"),
    ('profile = "test"\n' + BOTH.replace("//live.", "//test."), "share an address of PRIMA"),
    ('profile = "test"\n' + BOTH.replace('[profiles.live.ledger]\nurl = "sqlite:///live.db"\n', ""),
     "profiles.live.ledger.url: is missing"),
])  # fmt: skip
def test_profiles_that_are_not_apart_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    head, _, tables = text.partition("[profiles")
    found = problems(tmp_path, f"{head}{REST}{PRIMA}{ORDERS}" + (f"[profiles{tables}" if tables else ""))
    assert any(expected in problem for problem in found)
