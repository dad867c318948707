"""The file that tells PRIMA of a refund: the column contract, in one table.

`python -m schemas.refund_export > docs/refund-export.md` makes the page that a PRIMA consultant is sent. Money is
decimal with two places in the order's currency, positive as it was given back (a fee that was kept back is negative).
"""

import csv
import io
import re
from dataclasses import dataclass

from schemas.money import pounds_text
from schemas.refunds import RefundLine, RefundToTell


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of the file."""

    name: str
    meaning: str
    example: str


COLUMNS = (
    ExportColumn("refund_number", "Magento's credit memo; with line_number the key", "000000004"),
    ExportColumn("order_number", "Magento's order number", "000000034"),
    ExportColumn("order_number_prima", "PRIMA's order number", "30000034"),
    ExportColumn("refunded_at", "when it was refunded, UTC", "2026-11-23 03:04:01"),
    ExportColumn("refund_date", "the same as a date in London: the date of payment", "2026-11-23"),
    ExportColumn("currency", "ISO 4217", "GBP"),
    ExportColumn("payment_method", "Magento's code of the payment method of the order", "checkmo"),
    ExportColumn("line_number", "charge of the refund, from 1", "1"),
    ExportColumn("charge", "goods, delivery or adjustment (a free amount or fee)", "goods"),
    ExportColumn("order_line_number", "line of the order in PRIMA; empty unless goods", "1"),
    ExportColumn("sku", "Magento's SKU; empty unless goods", "OB-1234-BLK-8"),
    ExportColumn("quantity", "units; empty unless goods", "1"),
    ExportColumn("vat_rate", "per cent; empty for an adjustment, which has no VAT split in Magento", "20"),
    ExportColumn("net_amount", "without VAT", "5.56"),
    ExportColumn("vat_amount", "VAT as Magento gave it back", "1.11"),
    ExportColumn("gross_amount", "net_amount + vat_amount", "6.67"),
    ExportColumn("total_net_amount", "of the whole refund, on each row", "5.56"),
    ExportColumn("total_vat_amount", "of the whole refund, on each row", "1.11"),
    ExportColumn("total_gross_amount", "of the whole refund, on each row", "6.67"),
    ExportColumn("total_tender_amount", "of total_gross_amount, went to gift cards, store credit or points", "0.00"),
)


def file_name(refund_number: str) -> str:
    """Return the name of a refund's file; a number with other signs than letters, digits and dashes has them replaced.

    Such a number gets its code points instead, so that no two refunds share a name.
    """
    safe = re.sub(r"[^A-Za-z0-9-]", lambda sign: f"_{ord(sign.group()):x}", refund_number)
    return f"refund-{safe}.csv"


def file_of(told: RefundToTell) -> bytes:
    """Return the file of a refund: CSV in UTF-8 with a header, one row a charge.

    The same refund gives the same bytes.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(column.name for column in COLUMNS)
    for line in told.refund.lines:
        writer.writerow(_row(told, line))
    return out.getvalue().encode()


def _row(told: RefundToTell, line: RefundLine) -> list[str]:
    refund = told.refund
    is_goods = line.charge == "goods"
    return [
        refund.refund_number,
        refund.order_number,
        told.order_number_prima,
        refund.refunded_at.strftime("%Y-%m-%d %H:%M:%S"),
        refund.refund_date.isoformat(),
        refund.currency,
        told.payment_method,
        str(line.line_number),
        line.charge,
        str(told.line_numbers.get(line.item_id_magento, "")) if is_goods else "",
        line.sku if is_goods else "",
        str(line.quantity) if is_goods else "",
        line.vat_rate_percent,
        *(pounds_text(pence) for pence in (line.net_pence, line.vat_pence, line.gross_pence)),
        *(pounds_text(pence) for pence in (refund.net_pence, refund.vat_pence, refund.gross_pence)),
        pounds_text(refund.tender_pence),
    ]


def page() -> str:
    """Return the page of the contract."""
    rows = "\n".join(f"| `{column.name}` | {column.meaning} | `{column.example}` |" for column in COLUMNS)
    header = ",".join(column.name for column in COLUMNS)
    example = ",".join(column.example for column in COLUMNS)
    return f"""# The file of a refund

Made from `schemas/refund_export.py`: `python -m schemas.refund_export > docs/refund-export.md`.

With `refunds.to_prima = "export"` each credit memo of Magento becomes one file in `refunds.export_folder`:
`refund-<credit memo>.csv`, CSV in UTF-8 with a header, one row for each charge of the refund. Only refunds of orders
that PRIMA accepted are told.

- The folder must be there: where it is not, refunds wait, and `magento-prima check` says so. It is never made here.
- A file appears whole, in one step, and each refund once, also when a run is killed half-way. What is not yet handed
  over stands in the folder `.staging`: leave it alone.
- Take a file away (move or delete it) once it is read. It does not come again.
- The rows add up: the `gross_amount` of all rows make `total_gross_amount`, and so do net and VAT.
- VAT is what Magento gave back, by line; do not compute it anew. An `adjustment` has no VAT split in Magento: which VAT
  it carries finance decides.
- The refund is closed here when the extract `credit_notes` shows a credit note of the order with the same gross and
  VAT, or several that make them. Until then it ages: a warning after 10 days, critical after 14
  (`refunds.warn_days`, `refunds.alert_days`).
- Refunds that were made in Magento before PRIMA invoiced are told like any other; one of units that PRIMA cancelled is
  not.

| Column | What | Example |
|---|---|---|
{rows}

```text
{header}
{example}
```
"""


if __name__ == "__main__":
    print(page(), end="")
