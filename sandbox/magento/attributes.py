"""Options of select attributes: labels to ids. Only the attributes whose options were recorded are known."""

from typing import Any

from sandbox.magento.errors import Refusal
from sandbox.magento.shop import Call


def options(call: Call) -> list[dict[str, str]]:
    """GET /V1/products/attributes/:code/options: a blank first, then the options in the order of adding."""
    statement = "select option_id, label from attribute_options where attribute_code = ? order by option_id"
    added = call.shop.store.rows(statement, call.place["code"])
    return [*_recorded(call), *({"label": row["label"], "value": str(row["option_id"])} for row in added)]


def add_option(call: Call) -> str:
    """POST /V1/products/attributes/:code/options: returns the new id as text; a label that exists is refused."""
    label = str(call.argument("option").get("label") or "").strip()
    if not label:
        raise Refusal(400, "The attribute option label is empty. Enter the value and try again.")
    held = options(call)
    if label.lower() in (option["label"].lower() for option in held):
        raise Refusal(400, 'Admin store attribute option label "%1" is already exists.', [label])
    highest = max(int(option["value"]) for option in _recorded(call) if option["value"])
    call.shop.store.used_id("attribute option", highest)
    option_id = call.shop.store.next_id("attribute option")
    call.shop.store.write("insert into attribute_options values (?, ?, ?)", option_id, call.place["code"], label)
    return str(option_id)


def _recorded(call: Call) -> list[dict[str, str]]:
    known: dict[str, Any] = call.shop.recorded("attribute-options")
    if call.place["code"] not in known:
        said = 'The attribute with a "%1" attributeCode doesn\'t exist. Verify the attribute and try again.'
        raise Refusal(404, said, [call.place["code"]])
    return list(known[call.place["code"]])
