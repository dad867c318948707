"""Why a row differs: the fixed list of causes, in the order in which a person reads them. No input or output."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a row differs: the code, one plain sentence, and the team that acts on it."""

    code: str
    sentence: str
    owner: str


# Differences with these causes count as unexplained: nobody knows yet why, or the records could not be compared.
WITHOUT_EXPLANATION = ("UNEXPLAINED", "NOT_RECONCILED")

CAUSES: dict[str, Cause] = {
    cause.code: cause
    for cause in (
        Cause("UNEXPLAINED", "No known cause fits: look at both documents, line by line.", "finance"),
        Cause("NOT_RECONCILED", "A record of it could not be read, so it was not compared.", "integration"),
        Cause("CURRENCY", "The two systems hold the document in different currencies.", "integration"),
        Cause("POSTED_TWICE", "PRIMA holds the same document more than once.", "operations"),
        Cause("CANCELLED_IN_PRIMA", "PRIMA cancelled the order, Magento did not.", "operations"),
        Cause("CANCELLED_IN_MAGENTO", "Magento cancelled the order, PRIMA did not.", "operations"),
        Cause("NOT_YET_POSTED", "The order is held or not accepted yet; its exception says why.", "operations"),
        Cause("EXCLUDED_BY_RULE", "The import rules keep the order out of PRIMA; the reason says which.", "ecommerce"),
        Cause(
            "AWAITING_DISPATCH", "PRIMA invoices what it dispatches, and has not dispatched all of it.", "operations"
        ),
        Cause("LATE_POSTING", "Younger than the allowed lag: the other system may not show it yet.", "operations"),
        Cause("REFUND_WITHOUT_CREDIT_NOTE", "Magento paid money back, PRIMA has no credit note for it.", "finance"),
        Cause("SIGN", "PRIMA holds the same amounts with the opposite sign.", "finance"),
        Cause(
            "EDITED_AFTER_POSTING",
            "Both agreed to the penny once; the document was changed afterwards on the side that is named.",
            "operations",
        ),
        Cause(
            "GIFT_CARD_AS_DISCOUNT",
            "PRIMA's total is lower by exactly the gift cards and store credit: they are payment, not discount.",
            "finance",
        ),
        Cause(
            "DISCOUNT_VAT_COMPENSATION",
            "The difference is exactly the VAT inside the discount, which Magento keeps apart.",
            "finance",
        ),
        Cause("DELIVERY_VAT", "Only the VAT of delivery differs; the VAT of the goods agrees.", "finance"),
        Cause(
            "VAT_RECALCULATED_ON_ORDER_TOTAL",
            "PRIMA's VAT is the VAT of the whole document at each rate, not the VAT that was charged line by line.",
            "finance",
        ),
        Cause("ROUNDING_METHOD", "PRIMA's VAT is what rounding by row, by unit or on the net total gives.", "finance"),
        Cause("VAT_ROUNDED_DOWN", "PRIMA's VAT is the charged VAT with every fraction of a penny cut off.", "finance"),
        Cause(
            "DISCOUNT_SPLIT",
            "The goods add up to the same, but the discount is divided over the lines in another way.",
            "finance",
        ),
        Cause("WRONG_RATE", "PRIMA has another VAT rate or class on the lines that are named.", "finance"),
        Cause(
            "MISSING_OR_EXTRA_LINE", "The lines that are named stand on one side only; all others agree.", "operations"
        ),
        Cause("QUANTITY", "PRIMA has another quantity on the lines that are named, at the same price.", "operations"),
        Cause(
            "PRICE_ENTERED",
            "PRIMA has another price on the lines that are named: entered or taken from its list, not carried.",
            "finance",
        ),
    )
}
