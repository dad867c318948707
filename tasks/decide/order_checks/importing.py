"""Whether an order is wanted at all: by the settings (store, date, state, payment), and by people. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.order_checks import Finding
from schemas.rules import ImportWhen, OrderRules

Row = Mapping[str, Any]
NO_LONGER_WANTED = {"canceled": "ORDER_CANCELLED", "closed": "ORDER_CLOSED", "holded": "ORDER_ON_HOLD"}


def import_rule(row: Row, rules: OrderRules) -> Iterator[Finding]:
    """Yield what keeps an order out; `rules` are those of all stores."""
    rules = rules.of_store(row["store_id"])
    state = row["state_magento"]
    store = rules.stores.get(row["store_id"])
    payment = rules.payments.get(row["payment_method"])
    if store is not None and not store.is_imported:
        yield Finding("STORE_NOT_IMPORTED", f"store view {store.code}")
    if rules.start_date is not None and row["business_date"] < rules.start_date:
        yield Finding("BEFORE_START_DATE", f"placed on {row['business_date']}, start date {rules.start_date}")
    if state not in rules.import_states:
        code = NO_LONGER_WANTED.get(state, "ORDER_STATE_NOT_IMPORTED")
        yield Finding(code, f"state {state}, status {row['status_magento']}")
    if rules.import_statuses and row["status_magento"] not in rules.import_statuses:
        yield Finding("ORDER_STATE_NOT_IMPORTED", f"status {row['status_magento']}, state {state}")
    if payment is not None:
        when = (
            payment.import_when if store is None else store.import_when.get(row["payment_method"], payment.import_when)
        )
        yield from _payment_rule(row, when, "ORDER_EXPIRED" if rules.is_expired(row["placed_at"]) else "ORDER_UNPAID")
    if rules.shipped_before_posting == "hold" and row["quantity_shipped"]:
        yield Finding(
            "SHIPPED_BEFORE_PRIMA",
            f"{row['quantity_shipped']} of {row['quantity_total']} units are shipped in Magento",
        )


def refusal(row: Row, refused: Mapping[str, str]) -> Iterator[Finding]:
    """Yield that a person refused the order; `refused` says by number who it was and why."""
    if row["order_number"] in refused:
        yield Finding("REFUSED_BY_HAND", refused[row["order_number"]])


def _payment_rule(row: Row, when: ImportWhen, unpaid: str) -> Iterator[Finding]:
    is_paid = row["is_paid"] or not row["charged_pence"]
    if when == "never":
        yield Finding("PAYMENT_METHOD_NOT_IMPORTED", f"payment method {row['payment_method']}")
    if when == "paid" and not is_paid:
        yield Finding(unpaid, f"payment method {row['payment_method']}, status {row['status_magento']}")
    if when == "authorised" and not (is_paid or row["is_authorised"]):
        yield Finding(unpaid, f"payment method {row['payment_method']} is neither paid nor authorised")
