"""What can go wrong once goods have left: shipments, tracking, invoices, what the Magento order shows, the census."""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    (
        "SHIPMENT_WITHOUT_STOCK",
        "Magento does not ship because its source holds too little, even after PRIMA's figure was pushed there.",
        "ecommerce",
        "problem",
        "Compare the source's quantity with PRIMA's stock: magento-prima stock SKU. The next run tries again.",
    ),
    (
        "SHIPMENT_DIFFERS",
        "The shipment in Magento does not hold what PRIMA dispatched.",
        "operations",
        "problem",
        "Compare the shipment with the dispatch; ship what is missing in Magento by hand, then close this.",
    ),
    (
        "TRACKING_CORRECTED",
        "PRIMA corrected a tracking number that the customer was already told.",
        "customer service",
        "warning",
        "The new number stands on the shipment. Remove the old one in Magento, tell the customer, then close this.",
    ),
    (
        "TRACK_NOT_ADDED",
        "A tracking number could not be added to the shipment.",
        "operations",
        "problem",
        "Nothing to do at first: the next run reads the shipment and tries again. Else add it in Magento by hand.",
    ),
    (
        "DISPATCH_FILE_REFUSED",
        "A dropped file of dispatches cannot be used; nothing of it was taken in.",
        "integration",
        "problem",
        "Read the reason in the file beside it, and let PRIMA write the file again under a new name.",
    ),
    (
        "DISPATCH_PART_UNTOLD",
        "PRIMA says that a part of the order left, and no source says which part.",
        "operations",
        "warning",
        "Ship the part in Magento by hand, or wait: the rest is told when the whole order has left.",
    ),
    (
        "INVOICE_FAILED",
        "Magento did not take the invoice of what PRIMA accepted or dispatched.",
        "finance",
        "problem",
        "Read Magento's words in the detail; invoice in Magento by hand where the money is due.",
    ),
    (
        "INVOICE_OUTCOME_UNKNOWN",
        "Nobody knows yet whether Magento has the invoice: its answer was lost.",
        "finance",
        "problem",
        "Nothing to do: the next run reads the order's invoices before it invoices again.",
    ),
    (
        "ORDER_STATUS_NOT_WRITTEN",
        "The Magento order does not show how far PRIMA is with it.",
        "integration",
        "info",
        "Check that the status of stores.marks exists in Magento; the next run tries again.",
    ),
    (
        "NOT_SHIPPED_IN_MAGENTO",
        "PRIMA dispatched goods that Magento does not show as shipped; the customer was not told.",
        "operations",
        "problem",
        "See the other exception of the dispatch; without one, run fulfilment, or ship in Magento by hand.",
    ),
    (
        "SHIPPED_BY_HAND",
        "A shipment in Magento belongs to no dispatch of PRIMA: somebody made it by hand.",
        "operations",
        "warning",
        "Find out whether the goods left; book them in PRIMA, or its stock stays too high. Then close this.",
    ),
)
