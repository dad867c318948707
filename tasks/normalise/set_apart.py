"""What Magento keeps apart from a document's lines: the tender that paid it, the VAT inside its discount. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from tasks.normalise.fields import pence_of, text
from tasks.normalise.tender import tender_total

SET_APART_TYPES = {"document_number": "str", "tender_pence": "Int64", "discount_vat_pence": "Int64"}
COMPENSATIONS = {
    "": ("discount_tax_compensation_amount", "shipping_discount_tax_compensation_amount"),
    # Magento cuts the name of the second column short.
    "base_": ("base_discount_tax_compensation_amount", "base_shipping_discount_tax_compensation_amnt"),
}


def set_apart(records: Iterable[Mapping[str, Any]], amounts: str = "order") -> pd.DataFrame:
    """Return one row per order, invoice or credit memo: what gift cards, store credit and reward points paid of it
    (`tender_pence`), and the discount tax compensation of goods and delivery (`discount_vat_pence`).
    """
    prefix = "base_" if amounts == "base" else ""
    rows = [
        {
            "document_number": text(record.get("increment_id")),
            "tender_pence": tender_total(record, prefix),
            "discount_vat_pence": sum((pence_of(record, name) for name in COMPENSATIONS[prefix]), start=0),
        }
        for record in records
    ]
    return pd.DataFrame(rows, columns=list(SET_APART_TYPES)).astype(SET_APART_TYPES)
