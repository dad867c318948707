"""Magento order records as rows: parent and child lines merged, amounts in pence, times in UTC. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd

from schemas.documents import Address
from schemas.orders import OrderDetails, OrderFrames, OrderLines, Orders
from tasks.normalise.delivery_rates import delivery_rate
from tasks.normalise.fields import london_date, part, parts, pence_of, text, utc, whole
from tasks.normalise.order_lines import floored, has_bundle, order_lines
from tasks.normalise.tender import tender

Record = Mapping[str, Any]
# Magento cuts the name of the second column short.
SHIPPING_COMPENSATION = {
    "": "shipping_discount_tax_compensation_amount",
    "base_": "base_shipping_discount_tax_compensation_amnt",
}


def orders(records: Iterable[Record], amounts: Literal["order", "base"] = "order") -> OrderFrames:
    """Return the orders, their sellable lines and their details.

    Source: GET /rest/V1/orders, one record per element of "items". Lines follow the safe recipe: gross is
    `row_total_incl_tax`, VAT is `tax_amount`, net is the difference; delivery gross is amount + VAT - discount +
    discount tax compensation. The order's gross is what it was sold for: `grand_total` and what gift cards, store
    credit and reward points paid of it. `amounts` chooses order or base currency. An amount that is not whole pence,
    and a record without its number or with parts of another shape, is left empty, for the schema to reject.
    """
    prefix = "base_" if amounts == "base" else ""
    order_rows: list[dict[str, Any]] = []
    line_rows: list[dict[str, Any]] = []
    details: dict[str, OrderDetails] = {}
    for record in map(part, records):
        lines = order_lines(record, prefix)
        row = _order(record, lines, prefix)
        order_rows.append(row)
        line_rows.extend(lines)
        details[row["order_number"]] = _details(record)
    order_frame = _frame(order_rows, Orders)
    order_frame["business_date"] = london_date(order_frame["placed_at"]).astype(object)
    return OrderFrames(order_frame, _frame(line_rows, OrderLines), details)


def _order(record: Record, lines: list[dict[str, Any]], prefix: str) -> dict[str, Any]:
    extension = part(record.get("extension_attributes"))
    shipping_vat = pence_of(record, f"{prefix}shipping_tax_amount")
    shipping_compensation = pence_of(record, SHIPPING_COMPENSATION[prefix])
    delivery_gross = (
        pence_of(record, f"{prefix}shipping_amount")
        + shipping_vat
        - pence_of(record, f"{prefix}shipping_discount_amount")
        + shipping_compensation
    )
    paid_otherwise = tender(record, prefix)
    charged = pence_of(record, f"{prefix}grand_total")
    gross = charged + sum(paid_otherwise.values(), start=0)
    vat = pence_of(record, f"{prefix}tax_amount")
    goods_gross = sum((line["gross_pence"] for line in lines), start=0)
    goods_vat = sum((line["vat_pence"] for line in lines), start=0)
    delivery_address = _delivery_address(record)
    left_over = gross - goods_gross - delivery_gross
    is_floored = pd.notna(left_over) and left_over < 0 and left_over == floored(record, prefix)
    return {
        "order_number": text(record.get("increment_id")),
        "entity_id_magento": whole(record.get("entity_id")),
        "store_id": whole(record.get("store_id")),
        "state_magento": text(record.get("state")),
        "status_magento": text(record.get("status")),
        "placed_at": utc(record.get("created_at")),
        "updated_at": utc(record.get("updated_at")),
        "currency": text(record.get("base_currency_code" if prefix else "order_currency_code")),
        "country": text(delivery_address.get("country_id")),
        "postcode_area": _postcode_area(text(delivery_address.get("postcode"))),
        "payment_method": text(part(record.get("payment")).get("method")),
        "delivery_method": _delivery_method(record),
        "is_virtual": bool(record.get("is_virtual")),
        "has_bundle": has_bundle(record),
        "is_paid": _is_paid(record),
        "is_authorised": _is_authorised(record),
        "line_count": len(lines),
        "quantity_total": sum((line["quantity"] for line in lines), start=0),
        "quantity_shipped": sum((line["quantity_shipped"] for line in lines), start=0),
        "goods_net_pence": goods_gross - goods_vat,
        "goods_vat_pence": goods_vat,
        "goods_gross_pence": goods_gross,
        "delivery_net_pence": delivery_gross - shipping_vat,
        "delivery_vat_pence": shipping_vat,
        "delivery_gross_pence": delivery_gross,
        "delivery_vat_rate_percent": delivery_rate(record),
        "net_pence": gross - vat,
        "vat_pence": vat,
        "gross_pence": gross,
        "floored_pence": left_over if is_floored else 0,
        "charged_pence": charged,
        **paid_otherwise,
        "header_gross_pence": pence_of(record, f"{prefix}subtotal")
        + pence_of(record, f"{prefix}shipping_amount")
        + vat
        + pence_of(record, f"{prefix}discount_amount")
        + pence_of(record, f"{prefix}discount_tax_compensation_amount")
        + shipping_compensation,
        "applied_vat_pence": sum(
            (pence_of(tax, f"{prefix}amount") for tax in parts(extension.get("applied_taxes"))), start=0
        ),
    }


def _is_paid(record: Record) -> bool:
    paid, total = pence_of(record, "total_paid"), pence_of(record, "grand_total")
    return bool(pd.notna(paid) and pd.notna(total) and paid >= total)


def _is_authorised(record: Record) -> bool:
    """Say whether the payment provider has set the whole total aside; Magento leaves the field out when it has not."""
    authorised, total = pence_of(part(record.get("payment")), "amount_authorized"), pence_of(record, "grand_total")
    return bool(pd.notna(authorised) and pd.notna(total) and authorised >= total)


def _shipping(record: Record) -> Mapping[str, Any]:
    assignments = parts(part(record.get("extension_attributes")).get("shipping_assignments"))
    return part(assignments[0].get("shipping")) if assignments else {}


def _delivery_method(record: Record) -> str:
    return text(_shipping(record).get("method"))


def _delivery_address(record: Record) -> Mapping[str, Any]:
    """Return where the goods go; a virtual order has only its billing address."""
    return part(_shipping(record).get("address")) or part(record.get("billing_address"))


def _postcode_area(postcode: str) -> str:
    """Return the leading letters of a postcode (`BT` is Northern Ireland): the only part of it that figures need."""
    letters = ""
    for character in postcode.upper():
        if not character.isalpha():
            break
        letters += character
    return letters[:2]


def _details(record: Record) -> OrderDetails:
    email = text(record.get("customer_email"))
    account = whole(record.get("customer_id"))
    return OrderDetails(
        delivery_address=_address(_delivery_address(record), email),
        invoice_address=_address(part(record.get("billing_address")), email),
        note=text(record.get("customer_note")),
        transaction_id=text(part(record.get("payment")).get("last_trans_id")),
        customer_id_magento=None if pd.isna(account) else account,
    )


def _address(address: Mapping[str, Any], email: str) -> Address:
    street = address.get("street") or []
    return Address(
        forename=text(address.get("firstname")),
        surname=text(address.get("lastname")),
        street=tuple(text(line) for line in (street if isinstance(street, list) else [street]) if text(line)),
        town=text(address.get("city")),
        county=text(address.get("region")),
        postcode=text(address.get("postcode")),
        country=text(address.get("country_id")),
        email=text(address.get("email")) or email,
        phone=text(address.get("telephone")),
        company=text(address.get("company")),
        vat_number=text(address.get("vat_id")),
    )


def _frame(rows: list[dict[str, Any]], schema: type[Orders] | type[OrderLines]) -> pd.DataFrame:
    """Return rows as a frame with the schema's columns and types, also when there are no rows."""
    columns = schema.to_schema().columns
    frame = pd.DataFrame(rows, columns=list(columns))
    for name in {"placed_at", "updated_at"} & set(columns):
        frame[name] = pd.to_datetime(frame[name], utc=True)  # a column of empty times alone has no time zone
    return frame.astype({name: str(column.dtype) for name, column in columns.items()})
