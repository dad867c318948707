"""Magento invoice records as rows. Pure."""

from collections.abc import Iterable

from tasks.normalise.sales_documents import Amounts, DocumentFrames, Record, sales_documents


def invoices(records: Iterable[Record], amounts: Amounts = "order") -> DocumentFrames:
    """Return invoices and their charges, in pence and UTC; delivery stands on the order's first invoice.

    Source: GET /rest/V1/invoices, one record per element of "items". Cancelled invoices (state 3) are left out.
    """
    return sales_documents((record for record in records if record.get("state") != 3), amounts)
