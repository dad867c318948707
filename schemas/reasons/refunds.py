"""Refunds: what one side gave back and the other does not know, with the clock of the UK's credit notes.

VAT may be adjusted only for what was really refunded, and the credit note is due within 14 days of the refund
(VATSC06635; Revenue and Customs Brief 6 (2019)).
"""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    (
        "REFUND_TO_CREDIT",
        "Magento refunded, and PRIMA has no credit note for it yet.",
        "finance",
        "info",
        "Enter the credit note in PRIMA with the amounts of the detail. It closes itself; else magento-prima refunds "
        "settle.",
        "refund gross",
    ),
    (
        "REFUND_CREDIT_DUE",
        "Magento refunded ten days ago or more, and PRIMA still has no credit note for it.",
        "finance",
        "warning",
        "Issue the credit note in PRIMA now: the UK wants it within 14 days of the refund.",
        "refund gross",
    ),
    (
        "REFUND_CREDIT_OVERDUE",
        "Magento refunded 14 days ago or more, and PRIMA has no credit note for it.",
        "finance",
        "critical",
        "Issue the credit note in PRIMA today, and check in which VAT period the adjustment belongs.",
        "refund gross",
    ),
    (
        "CREDIT_NOTE_TO_REFUND",
        "PRIMA credited, and Magento shows no refund for it.",
        "finance",
        "info",
        "Refund the customer in Magento with these amounts, or settle it: magento-prima refunds settle.",
        "refund gross",
    ),
    (
        "CREDIT_NOTE_REFUND_DUE",
        "PRIMA credited ten days ago or more, and Magento still shows no refund for it.",
        "finance",
        "warning",
        "Find out whether the customer has the money; VAT may be reduced only for what was really refunded.",
        "refund gross",
    ),
    (
        "CREDIT_NOTE_REFUND_OVERDUE",
        "PRIMA credited 14 days ago or more, and Magento shows no refund for it.",
        "finance",
        "critical",
        "Refund the customer in Magento, or cancel the credit note: its VAT is reduced without a refund.",
        "refund gross",
    ),
    (
        "REFUND_DIFFERS",
        "A refund and its credit note do not have the same figures.",
        "finance",
        "problem",
        "Compare the two, correct the credit note in PRIMA (Magento's cannot be changed), then close this.",
        "total difference",
    ),
    (
        "REFUND_REJECTED",
        "A credit memo of Magento cannot be read as a refund; nothing was told of it.",
        "finance",
        "problem",
        "Compare it in Magento with the detail, and enter the credit note in PRIMA by hand where one is due.",
        "refund gross",
    ),
    (
        "REFUND_UNREADABLE",
        "Magento does not hand out a credit memo: a refund was made that is not known here, and its clock runs.",
        "integration",
        "problem",
        "Open it in Magento's admin and tell finance; the cause is in var/log/exception.log there. Each run asks.",
        "order gross",
    ),
    (
        "CREDIT_NOTE_NOT_CARRIED",
        "A credit note of PRIMA could not become a refund in Magento.",
        "finance",
        "problem",
        "Read why in the detail; refund in Magento by hand with these amounts, or correct the credit note in PRIMA.",
        "refund gross",
    ),
    (
        "REFUND_OUTCOME_UNKNOWN",
        "Nobody knows yet whether Magento made a refund: its answer was lost.",
        "finance",
        "critical",
        "Nothing to do at first: the next run reads the order's credit memos. Do not refund by hand before that.",
        "refund gross",
    ),
    (
        "REFUND_NOT_EXPORTED",
        "The file of a refund could not be put into the folder for PRIMA.",
        "integration",
        "problem",
        "Check that the folder of refunds.export_folder exists and can be written; the next run tries again.",
        "refund gross",
    ),
)
