"""Where Magento's stock is not what was written, or not what its own orders make of it."""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    (
        "STOCK_PUSH_MISSED",
        "Magento answered that it took the stock of this SKU, and does not hold it.",
        "ecommerce",
        "problem",
        "Nothing to do: the next run writes fresh figures. If it comes again, look at Magento's logs and extensions.",
        "stock value",
    ),
    (
        "STOCK_DRIFT",
        "Somebody or something else changed the stock of this SKU in Magento.",
        "ecommerce",
        "problem",
        "See who did it: PRIMA owns stock. The next run writes the right figure; stock-repair sets the rest right.",
        "stock value",
    ),
    (
        "STOCK_RESERVATIONS_OFF",
        "Magento sells another quantity of this SKU than its sources and its own open orders make.",
        "ecommerce",
        "problem",
        "Clear Magento's reservations (inventory:reservation:list-inconsistencies); stock is not bent to hide it.",
        "stock value",
    ),
    (
        "STOCK_OPEN_UNITS_OFF",
        "The ledger and Magento disagree on how many units of an accepted order are still to be shipped.",
        "integration",
        "problem",
        "Nothing to do where Magento has moved on: the ledger follows. Else report it with the order number.",
        "stock value",
    ),
    (
        "STOCK_ORPHAN",
        "A Magento source holds stock of a SKU that is no product.",
        "ecommerce",
        "info",
        "Create the product, or remove the source item with stock-repair and delete_orphans.",
        "stock value",
    ),
    (
        "STOCK_SOURCE_UNMAPPED",
        "A Magento source that the settings do not know holds stock of this SKU.",
        "ecommerce",
        "problem",
        "Map a PRIMA warehouse to the source, or take its stock out of Magento: nobody keeps it right.",
        "stock value",
    ),
)
