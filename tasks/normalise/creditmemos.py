"""Magento credit memo records as rows. Pure."""

from collections.abc import Iterable

from tasks.normalise.sales_documents import Amounts, DocumentFrames, Record, sales_documents


def creditmemos(records: Iterable[Record], amounts: Amounts = "order") -> DocumentFrames:
    """Return credit memos and their charges, in pence and UTC; amounts are positive, as they were given back.

    Source: GET /rest/V1/creditmemos, one record per element of "items". Free adjustments are charges without VAT.
    Cancelled credit memos (state 3) are left out.
    """
    return sales_documents((record for record in records if record.get("state") != 3), amounts)
