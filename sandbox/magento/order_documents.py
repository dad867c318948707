"""A cart and its totals as the order document that `GET /rest/V1/orders/{id}` shows.

Keys come and go as in the recorded orders: what has no value is absent. Amounts are plain numbers, whole ones as ints,
as PHP writes them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import md5
from typing import Any

from sandbox.magento.baskets import Cart, CartLine, PostalAddress
from sandbox.magento.figures import number
from sandbox.magento.order_lines import child_item, parent_item
from sandbox.magento.totals import DeliveryFigures, Totals, collect_totals, merged_lines
from sandbox.magento.vat import Rate

Document = dict[str, Any]

PAYMENT_TITLES = {
    "checkmo": "Check / Money order",
    "purchaseorder": "Purchase Order",
    "banktransfer": "Bank Transfer Payment",
    "free": "No Payment Information Required",
}


@dataclass(frozen=True, slots=True)
class Ids:
    """The numbers of a new order, allocated by the caller. `first_…` start runs as long as `ids_needed` says."""

    entity_id: int
    increment_id: str
    quote_id: int
    first_address_id: int
    first_item_id: int
    first_quote_item_id: int
    first_tax_id: int
    first_tax_item_id: int


@dataclass(frozen=True, slots=True)
class IdsNeeded:
    """How many numbers of each run an order uses."""

    addresses: int
    items: int
    taxes: int
    tax_items: int


def timestamp(moment: datetime) -> str:
    """Return an aware moment as Magento writes it: UTC, whole seconds, no zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def ids_needed(cart: Cart) -> IdsNeeded:
    """Return how many addresses, order items (parent and child count), tax rows and tax item rows the cart needs."""
    lines = merged_lines(cart.lines)
    groups = _tax_groups(collect_totals(cart))
    return IdsNeeded(
        addresses=1 if cart.is_virtual else 2,
        items=sum(2 if line.product_type == "configurable" else 1 for line in lines),
        taxes=len(groups),
        tax_items=sum(len(group.positions) + group.has_delivery for group in groups),
    )


def order_document(cart: Cart, ids: Ids, now: datetime) -> Document:
    """Return the new order (state `new`, status `pending`) that the cart becomes.

    Raises ValueError for an empty cart or a payment method that does not fit the total, KeyError for an unknown store
    view or payment method.
    """
    totals = collect_totals(cart)
    _check_payment(cart, totals)
    builder = _Builder(cart, totals, ids, timestamp(now))
    return builder.document()


def _check_payment(cart: Cart, totals: Totals) -> None:
    is_free = totals.order.grand_total == 0
    if totals.order.grand_total < 0 or is_free != (cart.payment_method == "free"):
        total = totals.order.grand_total
        raise ValueError(f"payment method {cart.payment_method!r} does not fit a grand total of {total}")


@dataclass(frozen=True, slots=True)
class _TaxGroup:
    """One rate of the order and what was taxed at it: positions of lines, and the delivery."""

    rate: Rate
    amount: Decimal
    base_amount: Decimal
    positions: tuple[int, ...]
    has_delivery: bool


def _tax_groups(totals: Totals) -> list[_TaxGroup]:
    base_amounts = {applied.rate.code: applied.amount for applied in totals.base.applied_taxes}
    return [
        _TaxGroup(
            rate=applied.rate,
            amount=applied.amount,
            base_amount=base_amounts.get(applied.rate.code, Decimal(0)),
            positions=tuple(position for position, line in enumerate(totals.order.lines) if line.rate == applied.rate),
            has_delivery=totals.order.delivery.rate == applied.rate,
        )
        for applied in totals.order.applied_taxes
    ]


class _Builder:
    def __init__(self, cart: Cart, totals: Totals, ids: Ids, moment: str) -> None:
        self._cart = cart
        self._lines = merged_lines(cart.lines)
        self._totals = totals
        self._ids = ids
        self._moment = moment
        self._groups = _tax_groups(totals)
        self._item_ids = self._allocate_item_ids()
        self._itemized, self._delivery_taxes = self._tax_item_rows()

    def document(self) -> Document:
        return {
            **self._header(),
            "items": self._items(),
            "billing_address": self._address("billing"),
            "payment": self._payment(),
            "status_histories": [],
            "extension_attributes": self._extension_attributes(),
        }

    def _allocate_item_ids(self) -> list[int]:
        """Return the item id of each line; the child of a configurable line has the next one."""
        ids, next_id = [], self._ids.first_item_id
        for line in self._lines:
            ids.append(next_id)
            next_id += 2 if line.product_type == "configurable" else 1
        return ids

    def _tax_item_rows(self) -> tuple[list[list[Document]], list[Document]]:
        """Return the `itemized_taxes` of each line, and those of the delivery."""
        of_lines: list[list[Document]] = [[] for _ in self._lines]
        of_delivery: list[Document] = []
        next_id = self._ids.first_tax_item_id
        for offset, group in enumerate(self._groups):
            start = {"tax_id": self._ids.first_tax_id + offset}
            for position in group.positions:
                order, base = self._totals.order.lines[position], self._totals.base.lines[position]
                row = {"tax_item_id": next_id, **start, "item_id": self._item_ids[position]}
                row |= _tax_row(group.rate, order.tax_amount, base.tax_amount, "product")
                of_lines[position].append(row)
                next_id += 1
            if group.has_delivery:
                amounts = (self._totals.order.delivery.tax_amount, self._totals.base.delivery.tax_amount)
                of_delivery.append({"tax_item_id": next_id, **start, **_tax_row(group.rate, *amounts, "shipping")})
                next_id += 1
        return of_lines, of_delivery

    def _header(self) -> Document:
        cart, base, order, store = self._cart, self._totals.base, self._totals.order, self._cart.store
        first = {
            **self._rule_fields(),
            "base_currency_code": store.base_currency,
            "base_discount_amount": number(base.discount_amount),
            "base_grand_total": number(base.grand_total),
            "base_discount_tax_compensation_amount": number(base.discount_tax_compensation_amount),
            **_delivery_fields(base.delivery, "base_"),
            "base_subtotal": number(base.subtotal),
            "base_subtotal_incl_tax": number(base.subtotal_incl_tax),
            "base_tax_amount": number(base.tax_amount),
            "base_total_due": number(base.grand_total),
            "base_to_global_rate": number(store.base_to_global_rate),
            "base_to_order_rate": number(store.rate),
            "billing_address_id": self._address_id("billing"),
        }
        coupon = {"coupon_code": cart.coupon.code} if cart.coupon else {}
        description = {"discount_description": cart.coupon.code} if cart.coupon else {}
        delivery = _delivery_fields(order.delivery, "")
        if not cart.is_virtual:
            delivery = {"shipping_amount": 0, "shipping_description": cart.shipping_description} | delivery
        return {
            **first,
            **coupon,
            "created_at": self._moment,
            **self._customer_fields(),
            "discount_amount": number(order.discount_amount),
            **description,
            "email_sent": 1,
            "entity_id": self._ids.entity_id,
            "global_currency_code": store.global_currency,
            "grand_total": number(order.grand_total),
            "discount_tax_compensation_amount": number(order.discount_tax_compensation_amount),
            "increment_id": self._ids.increment_id,
            "is_virtual": int(cart.is_virtual),
            "order_currency_code": store.order_currency,
            # Magento's guard against guessed guest links: any 32 hexadecimal digits do, the same each time.
            "protect_code": md5(self._ids.increment_id.encode(), usedforsecurity=False).hexdigest(),
            "quote_id": self._ids.quote_id,
            "remote_ip": "192.0.2.10",
            **delivery,
            "state": "new",
            "status": "pending",
            "store_currency_code": store.base_currency,
            "store_id": store.store_id,
            "store_name": store.name,
            "store_to_base_rate": 0,
            "store_to_order_rate": 0,
            "subtotal": number(order.subtotal),
            "subtotal_incl_tax": number(order.subtotal_incl_tax),
            "tax_amount": number(order.tax_amount),
            "total_due": number(order.grand_total),
            "total_item_count": len(self._lines),
            "total_qty_ordered": sum(line.quantity for line in self._lines),
            "updated_at": self._moment,
            "weight": number(sum((_row_weight(line) for line in self._lines), Decimal(0))),
        }

    def _rule_fields(self) -> Document:
        return {"applied_rule_ids": str(self._cart.coupon.rule_id)} if self._cart.coupon else {}

    def _customer_fields(self) -> Document:
        customer = self._cart.customer
        known = {"customer_id": customer.customer_id} if customer.customer_id else {}
        return {
            "customer_email": customer.email,
            "customer_firstname": customer.forename,
            "customer_group_id": customer.group_id,
            **known,
            "customer_is_guest": int(not customer.customer_id),
            "customer_lastname": customer.surname,
            "customer_note_notify": 1,
        }

    def _items(self) -> list[Document]:
        items: list[Document] = []
        for position, line in enumerate(self._lines):
            place: Document = {
                "item_id": self._item_ids[position],
                "order_id": self._ids.entity_id,
                "quote_item_id": self._ids.first_quote_item_id + self._item_ids[position] - self._ids.first_item_id,
                "store_id": self._cart.store_id,
                "moment": self._moment,
            }
            order, base = self._totals.order.lines[position], self._totals.base.lines[position]
            parent = parent_item(line, order, base, place, self._rule_fields(), self._itemized[position])
            items.append(parent)
            if line.product_type == "configurable":
                items.append(child_item(line, parent, place))
        return items

    def _address_id(self, kind: str) -> int:
        return self._ids.first_address_id + (0 if kind == "shipping" or self._cart.is_virtual else 1)

    def _address(self, kind: str) -> Document:
        address = self._cart.address
        if kind == "billing" and self._cart.billing_address:
            address = self._cart.billing_address
        document: Document = {
            "address_type": kind,
            "city": address.town,
            "company": address.company,
            "country_id": address.country,
            "email": self._cart.customer.email,
            "entity_id": self._address_id(kind),
            "firstname": address.forename,
            "lastname": address.surname,
            "parent_id": self._ids.entity_id,
            "postcode": address.postcode,
            **_region(address),
            "street": list(address.street),
            "telephone": address.phone,
            "vat_id": address.vat_number,
        }
        return {key: value for key, value in document.items() if value not in ("", 0)}

    def _payment(self) -> Document:
        base, order = self._totals.base, self._totals.order
        title: list[str | None] = [PAYMENT_TITLES[self._cart.payment_method]]
        if self._cart.payment_method == "banktransfer":
            title.append(None)
        number_field = {"po_number": self._cart.purchase_order_number} if self._cart.purchase_order_number else {}
        return {
            "account_status": None,
            "additional_information": title,
            "amount_ordered": number(order.grand_total),
            "base_amount_ordered": number(base.grand_total),
            "base_shipping_amount": number(base.delivery.amount),
            "cc_last4": None,
            "entity_id": self._ids.entity_id,
            "method": self._cart.payment_method,
            "parent_id": self._ids.entity_id,
            **number_field,
            "shipping_amount": number(order.delivery.amount),
        }

    def _extension_attributes(self) -> Document:
        delivered = {} if self._cart.is_virtual else {"address": self._address("shipping")}
        method = {} if self._cart.is_virtual else {"method": self._cart.shipping_method}
        total = _delivery_fields(self._totals.base.delivery, "base_") | _delivery_fields(
            self._totals.order.delivery, ""
        )
        info = [{"key": "method_title", "value": PAYMENT_TITLES[self._cart.payment_method]}]
        if self._cart.payment_method == "banktransfer":
            info.append({"key": "instructions", "value": "null"})
        return {
            "shipping_assignments": [
                {"shipping": {**delivered, **method, "total": total}, "items": self._items()},
            ],
            "payment_additional_info": info,
            "applied_taxes": [_applied(group.rate, group.amount, group.base_amount) for group in self._groups],
            "item_applied_taxes": self._item_applied_taxes(),
            "converting_from_quote": False,
            "taxes": self._taxes(),
            "additional_itemized_taxes": self._delivery_taxes,
        }

    def _item_applied_taxes(self) -> list[Document]:
        entries: list[Document] = []
        order, base = self._totals.order, self._totals.base
        for group in self._groups:
            if group.has_delivery:
                applied = _applied(group.rate, order.delivery.tax_amount, base.delivery.tax_amount)
                entries.append({"type": "shipping", "applied_taxes": [applied]})
            for position in group.positions:
                amounts = order.lines[position].tax_amount, base.lines[position].tax_amount
                entry = {"type": "product", "item_id": self._item_ids[position]}
                entries.append({**entry, "applied_taxes": [_applied(group.rate, *amounts)]})
        return entries

    def _taxes(self) -> list[Document]:
        return [
            {
                "tax_id": self._ids.first_tax_id + offset,
                "order_id": self._ids.entity_id,
                **_applied(group.rate, group.amount, group.base_amount),
                "base_real_amount": number(group.base_amount),
                "priority": 0,
                "position": 0,
                "process": 0,
            }
            for offset, group in enumerate(self._groups)
        ]


def _region(address: PostalAddress) -> Document:
    code = address.county_code or address.county
    return {"region": address.county, "region_code": code, "region_id": address.region_id}


def _row_weight(line: CartLine) -> Decimal:
    if line.product_type == "virtual" or line.weight is None:
        return Decimal(0)
    return line.weight * line.quantity


def _delivery_fields(delivery: DeliveryFigures, prefix: str) -> Document:
    # Magento cut the last word of the base column's name to fit a limit of its database.
    word = "amnt" if prefix else "amount"
    return {
        f"{prefix}shipping_amount": number(delivery.amount),
        f"{prefix}shipping_discount_amount": number(delivery.discount_amount),
        f"{prefix}shipping_discount_tax_compensation_{word}": number(delivery.discount_tax_compensation_amount),
        f"{prefix}shipping_incl_tax": number(delivery.incl_tax),
        f"{prefix}shipping_tax_amount": number(delivery.tax_amount),
    }


def _applied(rate: Rate, amount: Decimal, base_amount: Decimal) -> Document:
    return {
        "code": rate.code,
        "title": rate.code,
        "percent": number(rate.percent),
        "amount": number(amount),
        "base_amount": number(base_amount),
    }


def _tax_row(rate: Rate, amount: Decimal, base_amount: Decimal, kind: str) -> Document:
    return {
        "tax_code": rate.code,
        "tax_percent": number(rate.percent),
        "amount": number(amount),
        "base_amount": number(base_amount),
        "real_amount": number(amount),
        "real_base_amount": number(base_amount),
        "taxable_item_type": kind,
    }
