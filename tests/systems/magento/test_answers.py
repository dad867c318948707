import json
from decimal import Decimal

import pytest

from tasks.systems.magento.answers import decode, encode_body, fill


@pytest.mark.parametrize(
    ("template", "parameters", "text"),
    [
        ("access %resources.", {"resources": "Magento_Sales::ship"}, "access Magento_Sales::ship."),
        ('Maximum items of type "%type" is %max', {"type": "X", "max": 20}, 'Maximum items of type "X" is 20'),
        ("method %1 is not %2", ["HMAC-SHA1", "known"], "method HMAC-SHA1 is not known"),
        ("%10 and %1", list("abcdefghij"), "j and a"),
        ("Invalid attribute %fieldName = %fieldValue.", ["SKU", "AB-1"], "Invalid attribute SKU = AB-1."),
        ("50%OFF of %1", ["X"], "50%OFF of X"),
        ("nothing for %1", [], "nothing for %1"),
        ("no placeholder", None, "no placeholder"),
        ("from %1", [None], "from"),
    ],
)
def test_placeholders_are_filled_from_objects_and_lists(template, parameters, text):
    assert fill(template, parameters) == text


def test_an_amount_in_an_answer_is_exact():
    assert decode('{"grand_total": 59.97, "qty": 3}') == {"grand_total": Decimal("59.97"), "qty": 3}
    assert isinstance(decode("0.1"), Decimal)


def test_an_amount_in_a_request_is_exact_and_a_float_is_refused():
    body = {"price": Decimal("19.90"), "big": Decimal("1E+2"), "text": 'a "b" é', "flag": True, "none": None, "n": [1]}
    assert encode_body(body) == ('{"price":19.90,"big":100,"text":"a \\"b\\" \\u00e9","flag":true,"none":null,"n":[1]}')
    assert json.loads(encode_body(body))["text"] == 'a "b" é'
    with pytest.raises(TypeError, match="float"):
        encode_body({"price": 19.9})
    with pytest.raises(TypeError):
        encode_body(Decimal("NaN"))
