"""What holds for many reasons at a time: who is told next and when, who may decide, and which acts fit."""

from collections.abc import Mapping

from schemas.order_checks import DEFAULT_ACTIONS, REFUSED
from schemas.reasons.reason import Hold, MappingKind, Owner, Reason, Retry, Row, Severity

# Hours after an exception was raised: the next person, and the one after that.
ESCALATE_HOURS: Mapping[Severity, tuple[int, ...]] = {
    "critical": (1, 4),
    "problem": (8, 24),
    "warning": (48,),
    "info": (),
}
# What cannot wait as long as others of its severity, or may wait longer.
OWN_ESCALATE_HOURS: Mapping[str, tuple[int, ...]] = {
    "CANCELLED_AFTER_POSTING": (1, 4),  # the warehouse may pick it meanwhile
    "DISPATCH_ORDER_CANCELLED": (1, 2),  # the parcel is on its way
    "SUSPECTED_DUPLICATE": (4, 24),
    "REFUND_CREDIT_DUE": (24, 72),  # the UK's 14 days end four days after it is raised
    "CREDIT_NOTE_REFUND_DUE": (24, 72),
    "REFUND_CREDIT_OVERDUE": (4, 24),
    "CREDIT_NOTE_REFUND_OVERDUE": (4, 24),
    "RECON_TOTAL_VARIANCE": (24, 72),
    "RECON_VAT_VARIANCE": (24, 72),
    "RECON_MISSING_IN_PRIMA": (24, 72),
    "RECON_MISSING_IN_MAGENTO": (24, 72),
    "RECON_DUPLICATE_IN_PRIMA": (8, 24),
    "ORDER_UNPAID": (),  # waits for a customer; ORDER_EXPIRED ends it
}
# Who decides where the owner is not there. Money is decided by finance alone.
STAND_INS: Mapping[Owner, tuple[Owner, ...]] = {
    "operations": ("customer service",),
    "customer service": ("operations",),
    "ecommerce": ("operations",),
    "finance": (),
    "integration": ("operations",),
}
MAPPINGS: Mapping[str, MappingKind] = {
    "SKU_UNKNOWN": "sku",
    "SKU_CASE": "sku",
    "SKU_AMBIGUOUS": "sku",
    "CARRIER_UNKNOWN": "carrier",
    "PAYMENT_UNMAPPED": "payment",
    "DELIVERY_UNMAPPED": "charge",
}
# Whether money or goods are where they should be is open, or figures were lost: nobody may look away.
NEVER_IGNORED = frozenset(
    {
        "PRIMA_OUTCOME_UNKNOWN",
        "PRIMA_NUMBER_TAKEN",
        "ORDER_NUMBER_UNFIT",
        "SHIPMENT_OUTCOME_UNKNOWN",
        "INVOICE_OUTCOME_UNKNOWN",
        "REFUND_OUTCOME_UNKNOWN",
        "STOCK_SNAPSHOT_HELD",
        "NOT_IN_PRIMA",
        "ORDERS_SILENT",
        "CONTROL_TOTALS_DISAGREE",
        "REFUND_CREDIT_OVERDUE",
        "CREDIT_NOTE_REFUND_OVERDUE",
        # Breaks are settled where they are kept: `magento-prima breaks accept` or `journal`.
        "RECON_TOTAL_VARIANCE",
        "RECON_VAT_VARIANCE",
        "RECON_MISSING_IN_PRIMA",
        "RECON_MISSING_IN_MAGENTO",
        "RECON_DUPLICATE_IN_PRIMA",
    }
)
# No later run can see that these are over: a person closes them.
CLOSED_BY_HAND = frozenset(
    {
        "SHIPMENT_DIFFERS",
        "TRACKING_CORRECTED",
        "SHIPPED_BY_HAND",
        "REFUND_DIFFERS",
        "POSTED_ON_HOLD",
        "TEXT_CUT",
        "TEXT_LOST",
        "PHONE_MISSING",
        "ORDER_NUMBER_GAP",
        "ORDER_FOUND_LATE",
        "CONTROL_TOTALS_DISAGREE",
        "RECON_INPUT_REJECTED",  # runs close it where it is about an extract or a clock, not about a single record
        "DISPATCH_FILE_REFUSED",
        "DISPATCH_ORDER_UNKNOWN",
        "ROW_REJECTED",
    }
)
# Codes about an order that other flows than its own look at again, or that none does.
OWN_RETRIES: Mapping[str, Retry] = {
    "RECORD_UNREADABLE": "orders",
    "PRIMA_OUTCOME_UNKNOWN": "orders",
    "MAGENTO_NOTE_FAILED": "orders",
    "ORDER_STUCK": "orders",
    "ORDERS_SILENT": "orders",
    "PRIMA_TOTAL_DIFFERS": "figures",
    "PRIMA_VAT_DIFFERS": "figures",
    "PRIMA_FIGURES_REJECTED": "figures",
    "NOT_VISIBLE_IN_PRIMA": "figures",
    "PRIMA_LINE_CANCELLED": "figures",
    "PRIMA_CANCELLED": "figures",
    "CANCELLED_AFTER_POSTING": "figures",
    "PRIMA_STATUS_UNKNOWN": "figures",
    "NOT_IN_PRIMA": "census",
    "ORDER_FOUND_LATE": "",
    "ORDER_NUMBER_GAP": "",
    "CONTROL_TOTALS_DISAGREE": "",
    "ALERT_NOT_SENT": "",
    "FLOW_LATE": "",
    "FLOW_STALLED": "",
    "FLOW_CRASHED": "",
    "FLOW_DOWN": "",
    "FLOW_INTERRUPTED": "",
    "DISPATCHES_SILENT": "dispatches",
    "SNAPSHOT_OLD": "stock",
    "STREAM_STANDS_STILL": "",
    "POSTED_ON_HOLD": "",
    # A held snapshot is released or refused; the next run reads PRIMA anew.
    "STOCK_SNAPSHOT_HELD": "stock",
    "INVOICE_FAILED": "dispatches",
    "INVOICE_OUTCOME_UNKNOWN": "dispatches",
    "ORDER_STATUS_NOT_WRITTEN": "dispatches",
    "TRACKING_CORRECTED": "",
    "SHIPPED_BY_HAND": "",
}
STOCK_CHECKS = frozenset(
    {
        "STOCK_PUSH_MISSED",
        "STOCK_DRIFT",
        "STOCK_RESERVATIONS_OFF",
        "STOCK_OPEN_UNITS_OFF",
        "STOCK_ORPHAN",
        "STOCK_SOURCE_UNMAPPED",
    }
)


def reason_of(row: Row) -> Reason:
    """Return the reason of a row with everything that holds for it."""
    code, sentence, owner, severity, next_step, value_rule = row
    return Reason(
        code,
        sentence,
        owner,
        severity,
        next_step,
        value_rule,
        escalate_hours=OWN_ESCALATE_HOURS.get(code, ESCALATE_HOURS[severity]),
        may=(owner, *STAND_INS[owner]),
        retry=_retry_of(code),
        mapping=MAPPINGS.get(code),
        hold=_hold_of(code),
        can_be_ignored=code not in NEVER_IGNORED,
        is_closed_by_hand=code in CLOSED_BY_HAND,
    )


def _hold_of(code: str) -> Hold:
    if code == "STOCK_SNAPSHOT_HELD":
        return "stock snapshot"
    return "order" if code in DEFAULT_ACTIONS or code == REFUSED else ""


def _retry_of(code: str) -> Retry:
    """Return what is run again about a code: what the first word of its subject goes through."""
    if code in OWN_RETRIES:
        return OWN_RETRIES[code]
    if code in STOCK_CHECKS:
        return "stock check"
    if code.startswith("RECON_"):
        return ""
    if code.startswith("STOCK_"):
        return "stock"
    if code.startswith(("REFUND_", "CREDIT_NOTE_")):
        return "refunds"
    if code.startswith(("DISPATCH_", "SHIPMENT_", "CARRIER_", "TRACK_", "NOT_SHIPPED")):
        return "dispatches"
    return "order"
