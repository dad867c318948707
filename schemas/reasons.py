"""Every reason for which a row, an order or a posting can stop: code, sentence, owner, what to do.

This table is the only place where codes, owners, severities and texts live; pages, alerts and views are made from it.
"""

from dataclasses import dataclass
from typing import Literal

Owner = Literal["operations", "finance", "ecommerce", "customer service", "integration"]
Severity = Literal["info", "warning", "problem", "critical"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something stopped. `anchor` is its heading in `docs/operations.md`."""

    code: str
    sentence: str
    owner: Owner
    severity: Severity
    next_step: str

    @property
    def anchor(self) -> str:
        """The handbook page and heading that explains it."""
        return f"docs/operations.md#{self.code.lower()}"


_TABLE: tuple[tuple[str, str, Owner, Severity, str], ...] = (
    # Orders that import rules leave out or hold
    (
        "ORDER_CANCELLED",
        "The order was cancelled in Magento before it reached PRIMA.",
        "customer service",
        "info",
        "Nothing to post. Check that no payment was kept.",
    ),
    (
        "ORDER_CLOSED",
        "The order was refunded in full before it reached PRIMA.",
        "finance",
        "info",
        "Nothing to post. Check the refund in the payment provider's report.",
    ),
    (
        "ORDER_ON_HOLD",
        "The order is on hold in Magento.",
        "customer service",
        "warning",
        "Release or cancel it in Magento; the next run takes it up by itself.",
    ),
    (
        "ORDER_STATE_NOT_IMPORTED",
        "The order's state is not one that the settings import.",
        "operations",
        "warning",
        "Finish the order in Magento, or add its state to orders.import_states.",
    ),
    (
        "ORDER_UNPAID",
        "The order is not paid yet, and its payment method is imported only when paid.",
        "customer service",
        "warning",
        "Wait for the payment or cancel the order; it is taken up by itself when the invoice exists.",
    ),
    (
        "ORDER_EXPIRED",
        "The order was not paid within the days that the settings allow, and is left out.",
        "customer service",
        "info",
        "Cancel it in Magento if nobody will pay. It is taken up by itself when it is paid after all.",
    ),
    (
        "PAYMENT_METHOD_NOT_IMPORTED",
        "The settings never import orders with this payment method.",
        "operations",
        "info",
        "Nothing to do, or change payment_methods.<code>.import_when.",
    ),
    (
        "STORE_NOT_IMPORTED",
        "The order's store view is not imported.",
        "ecommerce",
        "info",
        "Nothing to do, or set is_imported of the store in the settings.",
    ),
    (
        "BEFORE_START_DATE",
        "The order was placed before the start date of the settings.",
        "operations",
        "info",
        "Nothing to do: it belongs to the time before go-live.",
    ),
    (
        "SHIPPED_BEFORE_PRIMA",
        "Goods of this order were already shipped in Magento, but PRIMA never had the order.",
        "operations",
        "problem",
        "Find out who shipped it. Enter it in PRIMA by hand, or set orders.shipped_before_posting to post_on_hold.",
    ),
    (
        "POSTED_ON_HOLD",
        "The order went to PRIMA on hold, because goods of it were already shipped in Magento.",
        "operations",
        "warning",
        "Book the goods that left in PRIMA, then release or close the order there; do not ship them again.",
    ),
    # Orders that cannot be read or do not add up
    (
        "RECORD_UNREADABLE",
        "Magento does not hand out this record.",
        "integration",
        "problem",
        "Open the record in Magento's admin; look in var/log/exception.log there.",
    ),
    (
        "ROW_REJECTED",
        "The record does not have the shape or values that the schema asks for.",
        "integration",
        "problem",
        "Compare the detail with the record in the source system, and correct it there.",
    ),
    (
        "TOTALS_DISAGREE",
        "Lines plus delivery, VAT table and header of the order do not agree to the penny.",
        "finance",
        "problem",
        "Compare the three sums in the detail with the order in Magento; post by hand if Magento is wrong.",
    ),
    (
        "VAT_RATE_UNEXPECTED",
        "A line carries a VAT rate that the rate table does not know for the destination.",
        "finance",
        "problem",
        "Correct the tax class or rule in Magento, or add the rate to vat_rates.",
    ),
    # Orders that lack a mapping
    (
        "SKU_UNKNOWN",
        "PRIMA has no item with this SKU.",
        "ecommerce",
        "problem",
        "Create the item in PRIMA or correct the SKU in Magento; or map it under sku.mapped.",
    ),
    (
        "SKU_CASE",
        "PRIMA has this SKU only in another spelling of upper and lower case.",
        "ecommerce",
        "problem",
        "Correct the SKU in Magento, or map it under sku.mapped.",
    ),
    (
        "SKU_AMBIGUOUS",
        "More than one item of PRIMA answers to this SKU.",
        "ecommerce",
        "problem",
        "Remove the second item from PRIMA's items extract, or map the SKU under sku.mapped.",
    ),
    (
        "STORE_UNMAPPED",
        "The order's store view stands in no [[stores]] entry of the settings.",
        "integration",
        "problem",
        "Add the store view to the settings.",
    ),
    (
        "PAYMENT_UNMAPPED",
        "The order's payment method stands in no payment_methods entry of the settings.",
        "finance",
        "problem",
        "Add payment_methods.<code> with PRIMA's payment codes.",
    ),
    (
        "DELIVERY_UNMAPPED",
        "The order's shipping method stands in no delivery_methods entry of the settings.",
        "operations",
        "problem",
        "Add delivery_methods.<code> with PRIMA's charge code.",
    ),
    (
        "ADDRESS_INCOMPLETE",
        "A part of the address that PRIMA needs is empty.",
        "customer service",
        "problem",
        "Ask the customer and correct the address in Magento.",
    ),
    (
        "TEXT_LOST",
        "Magento replaced characters of a name or address by question marks.",
        "customer service",
        "warning",
        "Compare with the customer's confirmation and correct the address in PRIMA.",
    ),
    (
        "TEXT_CUT",
        "A name, address or note was longer than PRIMA takes and was cut.",
        "customer service",
        "warning",
        "Check the address in PRIMA before the parcel leaves.",
    ),
    (
        "ORDER_NUMBER_UNFIT",
        "The order's number in PRIMA would be too long or already belongs to another order.",
        "integration",
        "critical",
        "Change prima.orders.number_length or number_prefix before more orders arrive.",
    ),
    # Posting to PRIMA
    (
        "PRIMA_REFUSED",
        "PRIMA refused the order.",
        "operations",
        "problem",
        "Read PRIMA's words in the detail, put the cause right, and run orders again.",
    ),
    (
        "PRIMA_OUTCOME_UNKNOWN",
        "Nobody knows yet whether PRIMA has the order: its answer was lost and it cannot be looked up.",
        "operations",
        "critical",
        "Look for the number in PRIMA. The next run looks again by itself before it posts.",
    ),
    (
        "PRIMA_NUMBER_TAKEN",
        "PRIMA already holds another order under this number.",
        "integration",
        "critical",
        "Compare both orders; change prima.orders.number_prefix if two channels share numbers.",
    ),
    (
        "PRIMA_TOTAL_DIFFERS",
        "PRIMA shows another total for the order than Magento charged.",
        "finance",
        "problem",
        "Compare both figures in the detail and correct the order in PRIMA.",
    ),
    (
        "PRIMA_VAT_DIFFERS",
        "PRIMA shows another VAT for the order than Magento charged.",
        "finance",
        "problem",
        "Compare both figures in the detail and correct the order in PRIMA.",
    ),
    (
        "PRIMA_FIGURES_REJECTED",
        "PRIMA shows the order with figures that cannot be read or do not add up.",
        "integration",
        "problem",
        "Compare the detail with the views sales_orders and sales_order_lines of the reporting source.",
    ),
    (
        "NOT_VISIBLE_IN_PRIMA",
        "PRIMA accepted the order, but does not show it although the time for that is over.",
        "operations",
        "problem",
        "Look for the number in PRIMA. If it is there, check the reporting source; if not, enter the order by hand.",
    ),
    (
        "PRIMA_LINE_CANCELLED",
        "PRIMA cancelled some units of the order; Magento cannot cancel a part of an order.",
        "customer service",
        "problem",
        "Refund the units of the detail in Magento with a credit memo and tell the customer.",
    ),
    (
        "PRIMA_CANCELLED",
        "PRIMA cancelled the order; in Magento it is still open.",
        "customer service",
        "problem",
        "Cancel or refund the order in Magento and tell the customer.",
    ),
    (
        "CANCELLED_AFTER_POSTING",
        "The order was cancelled in Magento after PRIMA had accepted it.",
        "operations",
        "problem",
        "Cancel the order in PRIMA before the warehouse picks it.",
    ),
    (
        "MAGENTO_NOTE_FAILED",
        "PRIMA has the order, but its number could not be written to the Magento order.",
        "integration",
        "info",
        "Nothing urgent: the next run tries again.",
    ),
    # What the nightly census and the watch over the stream of orders find
    (
        "NOT_IN_PRIMA",
        "PRIMA accepted the order, but its reporting source does not show it.",
        "operations",
        "critical",
        "Look for PRIMA's number in PRIMA. If it is not there, report it with the evidence of the order's posting.",
    ),
    (
        "ORDER_STUCK",
        "The order is on its way to PRIMA for too long, and no other exception says why.",
        "integration",
        "problem",
        "Look at the last runs of orders; run orders again. It closes itself when the order moves on.",
    ),
    (
        "ORDER_FOUND_LATE",
        "The stream of orders had passed this order without seeing it as it is; the census found it and carried it.",
        "integration",
        "info",
        "Nothing to do for the order. If it comes again, make magento.overlap_minutes larger.",
    ),
    (
        "ORDER_NUMBER_GAP",
        "These order numbers were skipped: neither Magento nor the ledger has an order under them.",
        "finance",
        "info",
        "Usually a checkout that failed after it had taken a number. Keep it for the auditors' question.",
    ),
    (
        "ORDERS_SILENT",
        "No new order came for longer than the same hours of earlier weeks make likely.",
        "ecommerce",
        "critical",
        "Place a test order in the shop; look at checkout, payment provider and Magento's cron.",
    ),
    # Stock
    (
        "STOCK_SNAPSHOT_HELD",
        "PRIMA's stock snapshot is empty or much smaller than the last one, and was not pushed.",
        "ecommerce",
        "critical",
        "Check PRIMA's stock. The hold ends by itself with the next sane snapshot.",
    ),
    (
        "STOCK_ROW_REJECTED",
        "A row of PRIMA's stock answer has no usable quantity, date or item.",
        "ecommerce",
        "warning",
        "Correct the item in PRIMA; its stock in the shop stays as it was.",
    ),
    (
        "STOCK_PUSH_FAILED",
        "Magento did not take the stock of this SKU.",
        "ecommerce",
        "problem",
        "Read Magento's words in the detail; the next run tries again with fresh figures.",
    ),
    (
        "STOCK_NOT_IN_MAGENTO",
        "PRIMA has stock of a SKU that Magento does not know.",
        "ecommerce",
        "info",
        "Create the product in Magento, or mark the item as not sold online.",
    ),
    (
        "STOCK_NOT_IN_PRIMA",
        "Magento sells a SKU that PRIMA's stock answer does not contain; its stock was left unchanged.",
        "ecommerce",
        "warning",
        "Check the item in PRIMA; disable the product if it is no longer sold.",
    ),
    (
        "STOCK_DRIFT",
        "Magento shows another quantity than the one that was written.",
        "ecommerce",
        "problem",
        "See whether somebody changed it by hand; the next run writes the right figure.",
    ),
    # Dispatches
    (
        "DISPATCH_ORDER_UNKNOWN",
        "PRIMA dispatched an order that did not come through this integration.",
        "operations",
        "warning",
        "Check the order number in PRIMA.",
    ),
    (
        "DISPATCH_LINE_UNKNOWN",
        "A line of the dispatch stands on no line of the Magento order.",
        "operations",
        "problem",
        "Compare the dispatch with the order; ship the rest in Magento by hand if goods were exchanged.",
    ),
    (
        "DISPATCH_TOO_MANY",
        "PRIMA dispatched more units than Magento has left to ship.",
        "operations",
        "problem",
        "Compare the dispatch with the shipments of the order in Magento.",
    ),
    (
        "DISPATCH_ORDER_CANCELLED",
        "PRIMA dispatched an order that is cancelled or closed in Magento.",
        "customer service",
        "critical",
        "Stop the parcel or take a new payment.",
    ),
    (
        "CARRIER_UNKNOWN",
        "The dispatch names a carrier that the settings do not map.",
        "operations",
        "problem",
        "Add carriers.<code> to the settings; the dispatch is then told by the next run.",
    ),
    (
        "SHIPMENT_REFUSED",
        "Magento refused the shipment.",
        "operations",
        "problem",
        "Read Magento's words in the detail; ship by hand in Magento if the goods really left.",
    ),
    (
        "SHIPMENT_OUTCOME_UNKNOWN",
        "Nobody knows yet whether Magento has the shipment: its answer was lost.",
        "operations",
        "problem",
        "Nothing to do: the next run reads the order's shipments before it ships again.",
    ),
    (
        "PRIMA_STATUS_UNKNOWN",
        "PRIMA reports a status that the settings do not map.",
        "integration",
        "warning",
        "Add the word to statuses in the settings.",
    ),
    # Reconciliation and control
    (
        "RECON_TOTAL_VARIANCE",
        "PRIMA and Magento hold different totals for a document.",
        "finance",
        "problem",
        "See the cause in the reconciliation report and correct the side that is wrong.",
    ),
    (
        "RECON_VAT_VARIANCE",
        "PRIMA and Magento agree on the total of a document, but not on its VAT.",
        "finance",
        "problem",
        "See the cause in the reconciliation report and correct the side that is wrong.",
    ),
    (
        "RECON_MISSING_IN_PRIMA",
        "A Magento document is not in PRIMA.",
        "finance",
        "problem",
        "Find out why it was not posted; run orders for it, or enter it by hand.",
    ),
    (
        "RECON_MISSING_IN_MAGENTO",
        "A PRIMA document is not in Magento.",
        "finance",
        "problem",
        "Find out who entered it in PRIMA.",
    ),
    (
        "RECON_DUPLICATE_IN_PRIMA",
        "PRIMA holds a document twice.",
        "finance",
        "critical",
        "Cancel the second one in PRIMA.",
    ),
    (
        "RECON_INPUT_REJECTED",
        "A source of the reconciliation could not be read; that part was not reconciled.",
        "finance",
        "problem",
        "Put the extract right and run the reconciliation of that date again.",
    ),
    (
        "CONTROL_TOTALS_DISAGREE",
        "Counts or pence were lost between two steps of a run; the run stopped.",
        "integration",
        "critical",
        "Report it with the batch id: it is a defect of this product.",
    ),
)

REASONS: dict[str, Reason] = {row[0]: Reason(*row) for row in _TABLE}


def reason(code: str) -> Reason:
    """Return the reason of a code; raises KeyError for one that is not in the table."""
    return REASONS[code]
