"""Why stock does not reach Magento, or a dispatch is not told there."""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    # Stock
    (
        "STOCK_SNAPSHOT_HELD",
        "PRIMA's stock snapshot cannot be true beside the last one, and was not pushed.",
        "ecommerce",
        "critical",
        "Check PRIMA's stock. Release the hold if it is right, refuse it if not; the next sane snapshot ends it.",
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
        "STOCK_SOURCE_UNKNOWN",
        "Stock is to go to a source that Magento does not have.",
        "integration",
        "critical",
        "Create the source in Magento, or correct magento.source_code or stock.warehouses in the settings.",
    ),
    (
        "STOCK_WAREHOUSE_UNMAPPED",
        "PRIMA has stock in a warehouse of which no setting says where it is sold; it is not counted.",
        "integration",
        "problem",
        'Add the warehouse to stock.warehouses in the settings, with a Magento source, or with "" to leave it out.',
    ),
    (
        "STOCK_ITEM_AMBIGUOUS",
        "An item of PRIMA belongs to several SKUs, or a SKU to several items; its stock in the shop stays as it is.",
        "ecommerce",
        "problem",
        "Give each SKU one item of its own in PRIMA, or map the right SKU under sku.mapped in the settings.",
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
)
