"""What the files of payment providers say of orders: money that is missing, different, or without its order."""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    (
        "RECON_PAYMENT_MISSING",
        "An order was charged, and the files of its payment provider show no payment after the allowed days.",
        "finance",
        "problem",
        "Look the payment up with the provider; capture it, or cancel the invoice. A file that lacks is fetched again.",
        "order gross",
    ),
    (
        "RECON_PAYMENT_DIFFERS",
        "A payment provider settled another sum for an order than Magento charged.",
        "finance",
        "problem",
        "Compare capture and invoice; capture or refund the rest.",
        "total difference",
    ),
    (
        "RECON_PAYMENT_NOT_IN_PRIMA",
        "An order is paid, and PRIMA does not have it after the allowed days.",
        "finance",
        "critical",
        "See the exception of the order; have it posted, or pay the money back.",
        "order gross",
    ),
    (
        "RECON_PAYMENT_CHARGED_BACK",
        "The customer's bank took the payment of an order back.",
        "finance",
        "problem",
        "Answer the dispute with the provider, or accept it and credit the order in Magento and PRIMA.",
        "total difference",
    ),
    (
        "RECON_REFUND_NOT_PAID",
        "Magento refunded an order, and the files of its provider do not show all of it after the allowed days.",
        "finance",
        "problem",
        "Look the refund up with the provider; a refund that was paid in another way is closed with a note.",
        "total difference",
    ),
    (
        "RECON_REFUND_NOT_RECORDED",
        "A payment provider paid more back for an order than Magento's credit memos say.",
        "finance",
        "problem",
        "Find out who refunded it with the provider, and make the credit memo in Magento.",
        "total difference",
    ),
)
