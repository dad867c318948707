"""An order that nothing keeps from PRIMA, as the record that is posted. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.documents import Payment, SalesOrder, SalesOrderLine, Tender
from schemas.items import ItemIndex
from schemas.order_checks import Action
from schemas.orders import OrderDetails
from schemas.rules import OrderRules
from tasks.decide.order_checks.mapping import amounts_by_tender

Row = Mapping[str, Any]


def sales_order(
    row: Row,
    lines: Sequence[Row],
    details: OrderDetails,
    items: ItemIndex,
    rules: OrderRules,
    *,
    hold_reasons: Sequence[str],
    if_cut: Action,
) -> SalesOrder:
    """Return the order with PRIMA's codes; on hold there when there is a reason, or when the settings hold all."""
    store = rules.stores[row["store_id"]]
    payment = rules.payments[row["payment_method"]]
    delivery = rules.deliveries.get(row["delivery_method"])
    number = rules.number.number(row["entity_id_magento"], row["order_number"])
    if number is None:
        raise ValueError(f"order {row['order_number']} has no number in PRIMA; its mappings must have held it")
    return SalesOrder(
        order_number=row["order_number"],
        order_number_prima=number,
        entity_id_magento=int(row["entity_id_magento"]),
        currency=row["currency"],
        channel=store.order_channel,
        brand=store.brand,
        delivery_address=details.delivery_address,
        invoice_address=details.invoice_address,
        lines=tuple(_line(line, items) for line in lines),
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
        is_held=rules.is_held_in_prima or bool(hold_reasons),
        hold_reason="; ".join(hold_reasons),
        placed_on=row["business_date"],
        customer_id_magento=details.customer_id_magento,
        tenders=_tenders(row, rules),
        if_cut=if_cut,
        rounding_pence=int(row["floored_pence"]),
    )


def _line(line: Row, items: ItemIndex) -> SalesOrderLine:
    return SalesOrderLine(
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


def _tenders(row: Row, rules: OrderRules) -> tuple[Tender, ...]:
    return tuple(
        Tender(kind, pence, codes.pay_method, codes.sub_pay_method, codes.pay_provider)
        for kind, pence in amounts_by_tender(row).items()
        for codes in [rules.tenders[kind]]
    )
