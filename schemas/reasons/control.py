"""What the reconciliation finds, and what was lost between two steps."""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    (
        "RECON_TOTAL_VARIANCE",
        "PRIMA and Magento hold different totals for a document.",
        "finance",
        "problem",
        "See the cause in the reconciliation report and correct the side that is wrong.",
        "total difference",
    ),
    (
        "RECON_VAT_VARIANCE",
        "PRIMA and Magento agree on the total of a document, but not on its VAT.",
        "finance",
        "problem",
        "See the cause in the reconciliation report and correct the side that is wrong.",
        "VAT difference",
    ),
    (
        "RECON_MISSING_IN_PRIMA",
        "A Magento document is not in PRIMA.",
        "finance",
        "problem",
        "Find out why it was not posted; run orders for it, or enter it by hand.",
        "document gross",
    ),
    (
        "RECON_MISSING_IN_MAGENTO",
        "A PRIMA document is not in Magento.",
        "finance",
        "problem",
        "Find out who entered it in PRIMA.",
        "document gross",
    ),
    (
        "RECON_DUPLICATE_IN_PRIMA",
        "PRIMA holds a document twice.",
        "finance",
        "critical",
        "Cancel the second one in PRIMA.",
        "document gross",
    ),
    (
        "RECON_INPUT_REJECTED",
        "A source of the reconciliation could not be read; that part was not reconciled.",
        "finance",
        "problem",
        "Put it right and run the reconciliation of that date again; where it names a single record, then close it.",
        "none",
    ),
    (
        "CONTROL_TOTALS_DISAGREE",
        "Counts or pence were lost between two steps of a run; the run stopped.",
        "integration",
        "critical",
        "Report it with the batch id: it is a defect of this product.",
        "none",
    ),
)
