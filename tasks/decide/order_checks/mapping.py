"""What the settings do not map: store view, payment, tender, shapes of lines, delivery, country. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.mapped import own_names
from schemas.money import show
from schemas.order_checks import Finding
from schemas.orders import OrderDetails
from schemas.rules import OrderRules
from schemas.suggestions import nearest

Row = Mapping[str, Any]
TENDERS = {"gift_card": "gift card", "store_credit": "store credit", "reward_points": "reward points"}


def mappings(row: Row, details: OrderDetails, rules: OrderRules) -> Iterator[Finding]:
    """Yield a finding for each mapping that an order needs and the settings lack; it names the key to add."""
    if row["store_id"] not in rules.stores:
        yield Finding("STORE_UNMAPPED", f"add a [[stores]] entry with id = {row['store_id']}")
    if row["payment_method"] not in rules.payments:
        yield Finding("PAYMENT_UNMAPPED", f"add [payment_methods.{row['payment_method']}]")
    yield from _tender(row, rules)
    yield from _shapes(row, rules)
    if not row["is_virtual"] and row["delivery_method"] not in rules.deliveries:
        yield Finding("DELIVERY_UNMAPPED", f"add [delivery_methods.{row['delivery_method']}]")
    yield from _countries(details, rules)


def named_alike(row: Row, code: str, rules: OrderRules) -> tuple[str, ...]:
    """Return the payment or delivery methods of the settings that the order's unknown one may stand for, by name."""
    if code == "PAYMENT_UNMAPPED":
        return nearest(row["payment_method"], dict.fromkeys(own_names(rules.payments), ""))
    if code == "DELIVERY_UNMAPPED":
        return nearest(row["delivery_method"], dict.fromkeys(own_names(rules.deliveries), ""))
    return ()


def _shapes(row: Row, rules: OrderRules) -> Iterator[Finding]:
    if row["has_bundle"] and rules.bundles == "hold":
        yield Finding("BUNDLE_HELD", "set orders.bundles to post, once bundles are known to PRIMA and its warehouse")
    if row["floored_pence"] and not rules.has_rounding_line:
        amount = show(int(row["floored_pence"]), row["currency"])
        yield Finding("LINE_FLOORED", f"{amount} on no line: set prima.orders.rounding_product")


def amounts_by_tender(row: Row) -> dict[str, int]:
    """Return the pence that gift card, store credit and reward points paid, by kind; only those that paid anything."""
    return {kind: int(row[f"{kind}_pence"]) for kind in TENDERS if row[f"{kind}_pence"]}


def _tender(row: Row, rules: OrderRules) -> Iterator[Finding]:
    paid = amounts_by_tender(row)
    for kind, pence in paid.items():
        if kind not in rules.tenders:
            amount = show(pence, row["currency"])
            yield Finding("TENDER_UNMAPPED", f"{amount} paid by {TENDERS[kind]}: add [tender.{kind}]")
    payments = len(paid) + bool(row["charged_pence"])
    if paid and payments > 1 and not rules.takes_several_payments:
        parts = [f"{show(pence, row['currency'])} by {TENDERS[kind]}" for kind, pence in paid.items()]
        if row["charged_pence"]:
            parts.append(f"{show(int(row['charged_pence']), row['currency'])} by {row['payment_method']}")
        yield Finding(
            "TENDER_UNMAPPED",
            f"paid {' and '.join(parts)}: set prima.orders.several_payments once PRIMA is known to take {payments}",
        )


def _countries(details: OrderDetails, rules: OrderRules) -> Iterator[Finding]:
    """Yield what PRIMA does not take orders for; where the settings list no countries, it takes all."""
    for kind, address in (("delivery", details.delivery_address), ("invoice", details.invoice_address)):
        if rules.countries and address.country and address.country not in rules.countries:
            yield Finding("COUNTRY_UNMAPPED", f"{kind} address: add {address.country!r} to orders.countries")
