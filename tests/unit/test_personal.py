"""What is personal in a payload is taken out, whatever the payload looks like, and comes back byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.personal import WHOLE, masked, restored, split, values_of
from tests.recorded import sample_orders

JSON, XML = "application/json", "application/xml"
PERSONAL_KEYS = ("firstname", "lastname", "city", "postcode", "telephone", "email", "street", "company", "vat_id")


def as_text(record: object) -> bytes:
    return json.dumps(record, default=str, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def personal_of(record: object, key: str = "") -> set[str]:
    """Every name, address, e-mail and telephone number of a recorded order, found by walking it."""
    if isinstance(record, dict):
        return set().union(*(personal_of(value, name) for name, value in record.items()))
    if isinstance(record, list):
        return set().union(*(personal_of(value, key) for value in record))
    return (
        {str(record)} if key.removeprefix("customer_") in PERSONAL_KEYS and record and len(str(record)) > 3 else set()
    )


def test_no_recorded_order_keeps_anything_personal_in_its_body_and_each_comes_back() -> None:
    for record in sample_orders():
        payload = as_text(record)
        parts = split("magento order", JSON, payload)

        assert parts.body != WHOLE
        assert parts.personal is not None
        assert restored(parts.body, parts.personal) == payload
        body = json.loads(parts.body)
        assert (body["increment_id"], str(body["grand_total"])) == (record["increment_id"], str(record["grand_total"]))
        text = parts.body.decode()
        goods = " ".join(str(item["name"]) for item in record["items"])
        assert not [word for word in personal_of(record) if word in text and word not in goods]
        assert parts.email == record["customer_email"].casefold()


@pytest.mark.parametrize(
    ("media", "payload"),
    [
        (JSON, '{"firstname": "Zoe", "x": {"nick": ["Zoe", "Z"], "deep": [["Zoe"]]}, "sku": "A"}'),
        (JSON, '{"items":[{"sku":"A","engraving":"For \\"Zoe\\": love","qty_ordered":1}]}'),
        (JSON, '[{"comment":"Zoe"}]'),
        (JSON, r'{"sku": "A\\", "x\"_amount": "Zoe", "y\"": "Zoe"}'),
        (JSON, '"Zoe"'),
        (JSON, '{"firstname": "Zoe"'),
        (JSON, '{"sku": "\\"{personal 0}\\"", "lastname": "Zoe"}'),
        (XML, '<A OrderNumber="1" CustomerForename="Zoe" Other=\'Zoe\'>Zoe<B/>  Zoe</A>'),
        (XML, '<A OrderNumber="{personal 0}" CustomerForename="Zoe" AddrLine1="a > Zoe"/>'),
        (XML, "<A><!-- Zoe --></A>"),
        (XML, "<A><![CDATA[Zoe]]></A>"),
        (XML, "<A name=Zoe>"),
        (XML, "<html><body>Zoe</body>"),
        (XML, "Zoe"),
        (XML, '<Result RequestStatus="ERROR" Error="no such town: Zoe"/>'),
        ("text/plain", "Zoe"),
    ],
)
def test_a_name_is_found_wherever_it_stands(media: str, payload: str) -> None:
    parts = split("magento order", media, payload.encode())

    assert b"Zoe" not in parts.body
    assert parts.personal is not None
    assert b"Zoe" not in masked(parts.body, parts.personal)
    assert restored(parts.body, parts.personal) == payload.encode()


def test_figures_codes_and_states_stay_in_the_body() -> None:
    record = {"base_tax_amount": "9.99", "grand_total": "59.97", "status": "closed", "sku": "A", "coupon_code": "TEN"}
    assert split("magento order", JSON, as_text(record)).personal is None
    request = '<Request RequestType="X"><Data OrderNumber="3"><OrderLineData Price="9.99"/></Data></Request>'
    assert split("prima order request", XML, request.encode()).body == request.encode()
    assert split("magento shipment", JSON, b'{"anything": "of ours"}').personal is None


def test_values_have_their_names_and_one_that_repeats_stands_once() -> None:
    record = {"billing_address": {"city": "Bath", "street": ["1 Lane", "Flat 2"]}, "shipping_address": {"city": "Bath"}}
    parts = split("magento order", JSON, as_text(record))

    assert parts.personal is not None
    assert values_of(parts.body, parts.personal) == {"city": ["Bath"], "street": ["1 Lane, Flat 2"]}
    assert b"(personal: city, 4 characters)" in masked(parts.body, parts.personal)


_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
_RECORDS = st.dictionaries(
    st.sampled_from(["firstname", "street", "sku", "items", "extension_attributes", "x"]) | st.text(max_size=6),
    st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["lastname", "name", "city", "y"]), inner, max_size=3), max_leaves=6),
    max_size=5,
)  # fmt: skip


@given(_RECORDS, st.booleans())
def test_any_record_comes_back_byte_for_byte(record: dict[str, object], is_spaced: bool) -> None:
    payload = json.dumps(record, ensure_ascii=not is_spaced, indent=1 if is_spaced else None).encode(errors="replace")
    parts = split("magento order", JSON, payload)
    assert restored(parts.body, parts.personal) == payload


@given(st.binary(max_size=60), st.sampled_from([JSON, XML, "text/html"]))
def test_any_bytes_come_back(payload: bytes, media: str) -> None:
    parts = split("answer", media, payload)
    assert restored(parts.body, parts.personal) == payload
