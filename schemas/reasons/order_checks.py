"""What the checks of an order find that could be posted: addresses, VAT, duplicates; and what a mapping lacks."""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    (
        "TENDER_UNMAPPED",
        "A part of the order was paid by gift card, store credit or reward points; PRIMA's codes for that are not set.",
        "finance",
        "problem",
        "Add the table [tender.<kind>] with PRIMA's payment codes, or the setting that the detail names.",
        "order gross",
    ),
    (
        "BUNDLE_HELD",
        "The order has a bundle, and the settings do not post orders with bundles.",
        "operations",
        "problem",
        "Enter the order in PRIMA by hand, or set orders.bundles to post; a bundle that Magento ships together is then "
        "shipped there by hand.",
        "order gross",
    ),
    (
        "LINE_FLOORED",
        "The discount of a line is larger than its price; Magento shows the line as 0 and the total less.",
        "finance",
        "problem",
        "Correct the discount rule in Magento. Name prima.orders.rounding_product for them, or enter it by hand.",
        "order gross",
    ),
    (
        "COUNTRY_UNMAPPED",
        "An address lies in a country that the settings do not list.",
        "integration",
        "problem",
        "Add it to orders.countries, and to prima.orders.country_codes where PRIMA spells it otherwise.",
        "order gross",
    ),
    (
        "PHONE_MISSING",
        "The order has no telephone number.",
        "customer service",
        "warning",
        "Ask the customer if the carrier needs one, and enter it in PRIMA.",
        "order gross",
    ),
    (
        "TEXT_UNSENDABLE",
        "A text holds characters that PRIMA cannot take, and the settings reject such orders.",
        "customer service",
        "problem",
        "Correct the text in Magento, or set prima.character_policy to transliterate.",
        "order gross",
    ),
    (
        "VAT_ZERO_ON_ADULT_SIZE",
        "A size that is no children's size was sold without VAT, in a style whose children's sizes are zero-rated.",
        "finance",
        "problem",
        "Correct the tax class of the SKU in Magento. If VAT was owed, finance decides who bears it; then release it.",
        "order gross",
    ),
    (
        "VAT_CHARGED_ON_CHILD_SIZE",
        "VAT was charged on a children's size that PRIMA keeps as zero-rated.",
        "finance",
        "problem",
        "Correct the tax class of the SKU in Magento; decide whether the customer gets the VAT back, then release it.",
        "order gross",
    ),
    (
        "VAT_ROUNDED_DOWN",
        "Magento cut VAT off to whole pence, which a retailer may not do.",
        "finance",
        "problem",
        "Look for an extension of the shop that rounds VAT down (HMRC VATREC12020); then release the order.",
        "order gross",
    ),
    (
        "SUSPECTED_DUPLICATE",
        "The same customer ordered the same lines a few minutes before.",
        "customer service",
        "problem",
        "Ask the customer. Cancel one of the two in Magento, or release this one: magento-prima exceptions release.",
        "order gross",
    ),
)
