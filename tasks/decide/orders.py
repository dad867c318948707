"""Validated orders to a plan: post, already posted, or an exception with a reason. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from schemas.batches import rows_of
from schemas.documents import Address, ExceptionNote, Payment, SalesOrder, SalesOrderLine
from schemas.items import ItemIndex
from schemas.money import show
from schemas.orders import OrderDetails, OrderFrames, OrderPlan
from schemas.rules import OrderRules, PaymentRule

Row = Mapping[str, Any]
LOST_TEXT = "????"
POSTCODE_COUNTRIES = ("GB", "IM", "JE", "GG")
NO_LONGER_WANTED = {"canceled": "ORDER_CANCELLED", "closed": "ORDER_CLOSED", "holded": "ORDER_ON_HOLD"}


def orders(
    accepted: pd.DataFrame, frames: OrderFrames, items: ItemIndex, posted: Mapping[str, str], rules: OrderRules
) -> OrderPlan:
    """Return the plan: each accepted order stands in one of to_post, already_posted, exceptions and too_young.

    `posted` holds the ledger's state of the orders that PRIMA has, by number. Orders are planned in the order in which
    they were placed.
    """
    plan = OrderPlan()
    lines_of = {number: rows_of(rows) for number, rows in frames.lines.groupby("order_number", sort=False)}
    for row in rows_of(accepted.sort_values(["placed_at", "entity_id_magento"])):
        number = row["order_number"]
        if number in posted:
            plan.already_posted.append(number)
            if row["state_magento"] == "canceled" and posted[number] != "cancelled":
                plan.warnings.append(exception_for(row, "CANCELLED_AFTER_POSTING", "cancelled in Magento"))
            continue
        if rules.of_store(row["store_id"]).is_too_young(row["placed_at"]):
            plan.too_young.append(number)
            continue
        lines = lines_of[number]
        details = frames.details[number]
        found = _first_obstacle(row, lines, details, items, rules)
        if found is not None:
            plan.exceptions.append(found)
            continue
        order = _sales_order(row, lines, details, items, rules)
        plan.to_post.append(order)
        plan.warnings.extend(_warnings(row, details, order))
    return plan


def exception_for(
    row: Row, code: str, detail: str, *, sku: str = "", suggestions: tuple[str, ...] = ()
) -> ExceptionNote:
    """Return the exception of one order: what is at risk is its gross total."""
    gross = row["gross_pence"]
    return ExceptionNote(
        code=code,
        subject=f"order {row['order_number'] or 'with entity id ' + str(row['entity_id_magento'])}",
        detail=detail,
        order_number=str(row["order_number"]),
        sku=sku,
        value_at_risk_pence=0 if pd.isna(gross) else int(gross),
        currency=str(row["currency"]),
        suggestions=suggestions,
    )


def rejected(rows: pd.DataFrame) -> list[ExceptionNote]:
    """Return an exception for each row that failed its schema."""
    return [exception_for(row, row["reason"], row["detail"]) for row in rows_of(rows)]


def _first_obstacle(
    row: Row, lines: list[dict[str, Any]], details: OrderDetails, items: ItemIndex, rules: OrderRules
) -> ExceptionNote | None:
    """Return the first thing that keeps an order from PRIMA: whether it is wanted at all comes before what it lacks."""
    checks = (_import_rule(row, rules), _mappings(row, rules), _address(details), _vat_rates(row, lines, rules))
    for check in checks:
        for code, detail in check:
            return exception_for(row, code, detail)
    for line in lines:
        problem = items.problem(line["sku"])
        if problem is not None:
            detail = f"line {line['line_number']}: {problem.detail}"
            return exception_for(row, problem.code, detail, sku=line["sku"], suggestions=problem.suggestions)
    return None


def _import_rule(row: Row, rules: OrderRules) -> Iterator[tuple[str, str]]:
    rules = rules.of_store(row["store_id"])
    state = row["state_magento"]
    store = rules.stores.get(row["store_id"])
    payment = rules.payments.get(row["payment_method"])
    if store is not None and not store.is_imported:
        yield "STORE_NOT_IMPORTED", f"store view {store.code}"
    if rules.start_date is not None and row["business_date"] < rules.start_date:
        yield "BEFORE_START_DATE", f"placed on {row['business_date']}, start date {rules.start_date}"
    if state not in rules.import_states:
        yield NO_LONGER_WANTED.get(state, "ORDER_STATE_NOT_IMPORTED"), f"state {state}, status {row['status_magento']}"
    if rules.import_statuses and row["status_magento"] not in rules.import_statuses:
        yield "ORDER_STATE_NOT_IMPORTED", f"status {row['status_magento']}, state {state}"
    if payment is not None:
        yield from _payment_rule(
            row, payment, "ORDER_EXPIRED" if rules.is_expired(row["placed_at"]) else "ORDER_UNPAID"
        )
    if rules.shipped_before_posting == "hold" and row["quantity_shipped"]:
        yield (
            "SHIPPED_BEFORE_PRIMA",
            f"{row['quantity_shipped']} of {row['quantity_total']} units are shipped in Magento",
        )


def _payment_rule(row: Row, payment: PaymentRule, unpaid: str) -> Iterator[tuple[str, str]]:
    is_paid = row["is_paid"] or not row["gross_pence"]
    if payment.import_when == "never":
        yield "PAYMENT_METHOD_NOT_IMPORTED", f"payment method {row['payment_method']}"
    if payment.import_when == "paid" and not is_paid:
        yield unpaid, f"payment method {row['payment_method']}, status {row['status_magento']}"
    if payment.import_when == "authorised" and not (is_paid or row["is_authorised"]):
        yield unpaid, f"payment method {row['payment_method']} is neither paid nor authorised"


def _mappings(row: Row, rules: OrderRules) -> Iterator[tuple[str, str]]:
    if row["store_id"] not in rules.stores:
        yield "STORE_UNMAPPED", f"add a [[stores]] entry with id = {row['store_id']}"
    if row["payment_method"] not in rules.payments:
        yield "PAYMENT_UNMAPPED", f"add [payment_methods.{row['payment_method']}]"
    if not row["is_virtual"] and row["delivery_method"] not in rules.deliveries:
        yield "DELIVERY_UNMAPPED", f"add [delivery_methods.{row['delivery_method']}]"
    if rules.number.number(row["entity_id_magento"], row["order_number"]) is None:
        yield (
            "ORDER_NUMBER_UNFIT",
            f"{rules.number.source} does not fit into {rules.number.length} digits after {rules.number.prefix!r}",
        )


def _address(details: OrderDetails) -> Iterator[tuple[str, str]]:
    for kind, address in (("delivery", details.delivery_address), ("invoice", details.invoice_address)):
        needed = {
            "surname": address.surname,
            "street": " ".join(address.street),
            "town": address.town,
            "country": address.country,
        }
        if address.country in POSTCODE_COUNTRIES:
            needed["postcode"] = address.postcode
        missing = [name for name, value in needed.items() if not value]
        if missing:
            yield "ADDRESS_INCOMPLETE", f"{kind} address without {', '.join(missing)}"


def _vat_rates(row: Row, lines: list[dict[str, Any]], rules: OrderRules) -> Iterator[tuple[str, str]]:
    allowed = rules.vat_rates.get(row["country"], frozenset()) | {Decimal(0)}
    for line in lines:
        if Decimal(line["vat_rate_percent"]) not in allowed:
            yield (
                "VAT_RATE_UNEXPECTED",
                f"line {line['line_number']} carries {line['vat_rate_percent']}% to {row['country']}, "
                f"{show(line['vat_pence'], row['currency'])} VAT",
            )


def _warnings(row: Row, details: OrderDetails, order: SalesOrder) -> Iterator[ExceptionNote]:
    texts = [details.note, *_texts(details.delivery_address), *_texts(details.invoice_address)]
    if any(LOST_TEXT in value for value in texts):
        yield exception_for(row, "TEXT_LOST", f"a name, address or note holds {LOST_TEXT}")
    if order.is_held and row["quantity_shipped"]:
        yield exception_for(row, "POSTED_ON_HOLD", order.hold_reason)


def _texts(address: Address) -> list[str]:
    return [address.forename, address.surname, *address.street, address.town, address.county, address.company]


def _sales_order(
    row: Row, lines: list[dict[str, Any]], details: OrderDetails, items: ItemIndex, rules: OrderRules
) -> SalesOrder:
    store = rules.stores[row["store_id"]]
    payment = rules.payments[row["payment_method"]]
    delivery = rules.deliveries.get(row["delivery_method"])
    number = rules.number.number(row["entity_id_magento"], row["order_number"])
    is_shipped = rules.shipped_before_posting == "post_on_hold" and bool(row["quantity_shipped"])
    if number is None:
        raise ValueError(f"order {row['order_number']} has no number in PRIMA; _mappings must have held it")
    return SalesOrder(
        order_number=row["order_number"],
        order_number_prima=number,
        entity_id_magento=int(row["entity_id_magento"]),
        currency=row["currency"],
        channel=store.order_channel,
        brand=store.brand,
        delivery_address=details.delivery_address,
        invoice_address=details.invoice_address,
        lines=tuple(
            SalesOrderLine(
                line_number=int(line["line_number"]),
                item_id_magento=int(line["item_id_magento"]),
                sku=line["sku"],
                item=items.item(line["sku"]),
                quantity=int(line["quantity"]),
                net_pence=int(line["net_pence"]),
                vat_pence=int(line["vat_pence"]),
                gross_pence=int(line["gross_pence"]),
                discount_net_pence=int(line["discount_net_pence"]),
                discount_gross_pence=int(line["discount_gross_pence"]),
            )
            for line in lines
        ),
        delivery_net_pence=int(row["delivery_net_pence"]),
        delivery_vat_pence=int(row["delivery_vat_pence"]),
        delivery_gross_pence=int(row["delivery_gross_pence"]),
        delivery_charge_code=delivery.charge if delivery else "",
        carrier=delivery.carrier if delivery else "",
        service=delivery.service if delivery else "",
        payment=Payment(
            pay_method=payment.pay_method,
            sub_pay_method=payment.sub_pay_method,
            pay_provider=payment.pay_provider,
            order_category=payment.order_category,
            transaction_id=details.transaction_id,
        ),
        note=details.note,
        net_pence=int(row["net_pence"]),
        vat_pence=int(row["vat_pence"]),
        gross_pence=int(row["gross_pence"]),
        is_held=rules.is_held_in_prima or is_shipped,
        hold_reason=f"{row['quantity_shipped']} of {row['quantity_total']} units were shipped in Magento" * is_shipped,
        placed_on=row["business_date"],
        customer_id_magento=details.customer_id_magento,
    )
