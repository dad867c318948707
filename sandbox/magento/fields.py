"""Which fields each list can be searched and sorted by; any other one makes Magento fail with 500."""

import re
from dataclasses import dataclass

_ORDER_FIELDS = """
adjustment_negative adjustment_positive applied_rule_ids base_adjustment_negative base_adjustment_positive
base_currency_code base_discount_amount base_discount_canceled base_discount_invoiced base_discount_refunded
base_grand_total base_shipping_amount base_shipping_canceled base_shipping_incl_tax base_shipping_invoiced
base_shipping_refunded base_shipping_tax_amount base_subtotal base_subtotal_canceled base_subtotal_incl_tax
base_subtotal_invoiced base_subtotal_refunded base_tax_amount base_tax_canceled base_tax_invoiced base_tax_refunded
base_total_canceled base_total_due base_total_invoiced base_total_paid base_total_refunded billing_address_id
coupon_code customer_firstname customer_group_id customer_id customer_is_guest customer_lastname discount_amount
discount_description email_sent global_currency_code grand_total hold_before_state hold_before_status is_virtual
order_currency_code protect_code quote_id remote_ip shipping_amount shipping_description shipping_incl_tax
shipping_invoiced shipping_refunded shipping_tax_amount store_currency_code store_name subtotal subtotal_canceled
subtotal_incl_tax subtotal_invoiced subtotal_refunded tax_amount tax_canceled tax_invoiced tax_refunded
total_canceled total_due total_invoiced total_item_count total_paid total_qty_ordered total_refunded weight
"""
_DOCUMENT_FIELDS = """
base_currency_code base_grand_total base_to_order_rate billing_address_id discount_amount email_sent
global_currency_code grand_total order_currency_code shipping_address_id shipping_amount shipping_incl_tax
shipping_tax_amount state store_currency_code subtotal subtotal_incl_tax tax_amount total_qty
"""
_TEXT = re.compile(r"(_code|_ids|_at|_email|_name|name|_description|code|description|state|status|sku|_ip|type\w*)$")


@dataclass(frozen=True)
class Field:
    """How a field is read in SQL and how its values compare: "number", "text" or "date"."""

    expression: str
    kind: str


@dataclass(frozen=True)
class Listing:
    """One searchable list: the table expression, its key (the default order) and its fields by name.

    `document` is the SQL expression of the JSON text that is served, or of what the caller makes one from.
    """

    table: str
    key: str
    fields: dict[str, Field]
    document: str = "document"


def _kind(name: str) -> str:
    if name.endswith("_at"):
        return "date"
    return "text" if _TEXT.search(name) else "number"


def _columns(**kinds: str) -> dict[str, Field]:
    return {name: Field(name, kind) for name, kind in kinds.items()}


def _inside(text: str) -> dict[str, Field]:
    return {name: Field(f"json_extract(document, '$.{name}')", _kind(name)) for name in text.split()}


_DATED = {"created_at": "date", "updated_at": "date"}
_IDENTIFIED = {"entity_id": "number", "increment_id": "text", "store_id": "number"}

ORDERS = Listing(
    "orders",
    "entity_id",
    _inside(_ORDER_FIELDS)
    | _columns(**_IDENTIFIED, **_DATED, state="text", status="text", customer_email="text", ext_order_id="text"),
)
ORDER_ITEMS = Listing(
    "order_items",
    "item_id",
    _columns(
        **_DATED,
        item_id="number",
        order_id="number",
        parent_item_id="number",
        store_id="number",
        sku="text",
        name="text",
        product_type="text",
    ),
    document="order_id",
)
PRODUCTS = Listing(
    "products",
    "entity_id",
    _columns(
        **_DATED,
        entity_id="number",
        sku="text",
        name="text",
        type_id="text",
        attribute_set_id="number",
        status="number",
        visibility="number",
    )
    | {"price": Field("cast(price as real)", "number")},
    document="entity_id",
)
SOURCE_ITEMS = Listing(
    "source_items",
    "source_item_id",
    _columns(source_item_id="number", sku="text", source_code="text", status="number")
    | {"quantity": Field("(quantity_e4 / 10000.0)", "number")},
    document="source_item_id",
)


def documents(kind: str) -> Listing:
    """Return the list of one kind of sales document: "shipment", "invoice" or "creditmemo"."""
    return Listing(
        f"(select * from documents where kind = '{kind}')",
        "entity_id",
        _inside(_DOCUMENT_FIELDS) | _columns(**_IDENTIFIED, **_DATED, order_id="number"),
    )


def fixed(names: list[str]) -> Listing:
    """Return a list over rows that are given as one JSON array, bound as the first value of the query."""
    fields = {name: Field(f"json_extract(document, '$.{name}')", _kind(name)) for name in names}
    return Listing("(select value as document, key as place from json_each(?))", "place", fields)
