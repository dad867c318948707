"""The extracts of PRIMA's reporting source: the column contract, in one table.

This table is the source of the default SQL (`tasks/systems/prima/reporting.py`), of the pandera models
(`schemas/reporting.py`), of the sandbox's views and of the page that a PRIMA consultant is sent
(`docs/prima-reporting.md`). Money is decimal with two places in the order's currency, quantities are whole units,
instants are UTC (`2026-11-23 02:52:35`), dates are London's (`2026-11-23`).
"""

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "integer", "money", "rate", "date", "instant", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `is_key` columns together are unique; `is_required` columns are never empty."""

    name: str
    type: ColumnType
    meaning: str
    example: str
    is_key: bool = False
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Extract:
    """One extract: the view or file of that name, one row per `grain`, read in order of `cursor`."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    cursor: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(column.name for column in self.columns if column.is_key)


_ORDER = Column("order_number_prima", "text", "PRIMA's order number, as it was sent by the web shop", "30000042")
_TUPLE = (
    Column("product", "text", "PRIMA's product code", "HARBRN"),
    Column("mtrx1", "text", "matrix code 1", "BLK", is_required=False),
    Column("mtrx2", "text", "matrix code 2", "075", is_required=False),
    Column("mtrx3", "text", "matrix code 3", "", is_required=False),
    Column("mtrx4", "text", "matrix code 4", "", is_required=False),
)
_AMOUNTS = (
    Column("net_amount", "money", "without VAT", "49.98"),
    Column("vat_amount", "money", "VAT", "9.99"),
    Column("gross_amount", "money", "net_amount + vat_amount", "59.97"),
)
_CURRENCY = Column("currency", "text", "ISO 4217", "GBP")
_UPDATED = Column(
    "updated_at", "instant", "last change of the row, for reading only what is new", "2026-11-23 09:15:00"
)


def _key(column: Column) -> Column:
    return Column(column.name, column.type, column.meaning, column.example, is_key=True)


EXTRACTS: dict[str, Extract] = {
    extract.name: extract
    for extract in (
        Extract(
            "sales_orders",
            "one sales order, delivery included in the amounts",
            (
                _key(_ORDER),
                Column("status", "text", "state of the order, in PRIMA's words", "Part Despatched"),
                Column("customer_code", "text", "PRIMA's customer", "0000912345", is_required=False),
                _CURRENCY,
                Column("ordered_at", "instant", "when PRIMA took the order", "2026-11-23 02:53:10"),
                *_AMOUNTS,
                Column("delivery_net_amount", "money", "delivery without VAT, 0.00 if none", "3.29"),
                Column("delivery_vat_amount", "money", "VAT of delivery", "0.66"),
                Column("delivery_gross_amount", "money", "delivery with VAT", "3.95"),
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "sales_order_lines",
            "one line of a sales order; delivery sent as a charge stands on the order instead",
            (
                _key(_ORDER),
                Column("line_number", "integer", "line of the order, from 1", "1", is_key=True),
                *_TUPLE,
                Column("quantity", "integer", "ordered units", "3"),
                Column("quantity_dispatched", "integer", "units that left", "0"),
                Column("quantity_cancelled", "integer", "units cancelled", "0"),
                Column("vat_code", "text", "PRIMA's VAT code", "S", is_required=False),
                Column("vat_rate", "rate", "per cent", "20"),
                *_AMOUNTS,
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "invoices",
            "one sales invoice, delivery included in the amounts",
            (
                Column("invoice_number", "text", "PRIMA's invoice number", "INV500017", is_key=True),
                _ORDER,
                Column("invoice_date", "date", "tax point", "2026-11-23"),
                _CURRENCY,
                *_AMOUNTS,
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "invoice_lines",
            "one line of an invoice; delivery is a line of its own with line_type delivery",
            (
                Column("invoice_number", "text", "the invoice", "INV500017", is_key=True),
                Column("line_number", "integer", "line of the invoice, from 1", "1", is_key=True),
                _ORDER,
                Column("line_type", "text", "goods or delivery", "goods"),
                Column("order_line_number", "integer", "line of the order; empty for delivery", "1", is_required=False),
                *_TUPLE,
                Column("quantity", "integer", "invoiced units", "3"),
                Column("vat_rate", "rate", "per cent", "20"),
                *_AMOUNTS,
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "credit_notes",
            "one credit note; amounts are positive",
            (
                Column("credit_note_number", "text", "PRIMA's credit note number", "CRN700003", is_key=True),
                _ORDER,
                Column("invoice_number", "text", "the invoice credited", "INV500017", is_required=False),
                Column("credit_note_date", "date", "date of the credit note", "2026-11-25"),
                _CURRENCY,
                *_AMOUNTS,
                Column("reason", "text", "why", "RETURN", is_required=False),
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "credit_note_lines",
            "one line of a credit note; delivery and free amounts are lines of their own",
            (
                Column("credit_note_number", "text", "the credit note", "CRN700003", is_key=True),
                Column("line_number", "integer", "line of the credit note, from 1", "1", is_key=True),
                _ORDER,
                Column("line_type", "text", "goods, delivery or adjustment (a free amount)", "goods"),
                Column("order_line_number", "integer", "line of the order; empty unless goods", "1", is_required=False),
                Column("quantity", "integer", "credited units; 0 unless goods", "1"),
                Column("vat_rate", "rate", "per cent", "20"),
                *_AMOUNTS,
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "dispatches",
            "one dispatch (goods of one order leaving together)",
            (
                Column("dispatch_number", "text", "PRIMA's dispatch number", "D900021", is_key=True),
                _ORDER,
                Column("dispatched_at", "instant", "when the goods left", "2026-11-23 15:40:00"),
                Column("carrier", "text", "PRIMA's carrier code", "DPD", is_required=False),
                Column("service", "text", "PRIMA's service code", "NEXTDAY", is_required=False),
                Column(
                    "tracking_numbers",
                    "text",
                    "one per parcel, several separated by a semicolon",
                    "15501234567890;15501234567891",
                    is_required=False,
                ),
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "dispatch_lines",
            "one line of a dispatch",
            (
                Column("dispatch_number", "text", "the dispatch", "D900021", is_key=True),
                Column("line_number", "integer", "line of the dispatch, from 1", "1", is_key=True),
                _ORDER,
                Column("order_line_number", "integer", "line of the order, as it was sent", "1"),
                *_TUPLE,
                Column("quantity", "integer", "units in this dispatch", "2"),
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "items",
            "one sellable item",
            (
                Column("sku", "text", "the web shop's SKU, exactly as in Magento", "HARBRN-BLK-075", is_key=True),
                *_TUPLE,
                Column("description", "text", "name of the item", "Harbour boot brown", is_required=False),
                Column("vat_code", "text", "PRIMA's VAT code", "S"),
                Column("vat_rate", "rate", "per cent in the UK", "20"),
                Column("is_active", "flag", "1 when it may be sold", "1"),
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "prices",
            "one price of an item in a currency",
            (
                Column("sku", "text", "the web shop's SKU", "HARBRN-BLK-075", is_key=True),
                Column("currency", "text", "ISO 4217", "GBP", is_key=True),
                Column("gross_price", "money", "selling price with VAT", "39.99"),
                _UPDATED,
            ),
            "updated_at",
        ),
        Extract(
            "stock",
            "the stock of one item in one warehouse, also where it is 0",
            (
                *(Column(c.name, c.type, c.meaning, c.example, is_key=True, is_required=c.is_required) for c in _TUPLE),
                Column("warehouse", "text", "PRIMA's warehouse", "MAIN", is_key=True),
                Column(
                    "available_quantity",
                    "integer",
                    "units free to sell: what is there less what is allocated to orders of every channel",
                    "12",
                ),
                Column("physical_quantity", "integer", "units on the shelf", "17", is_required=False),
                Column(
                    "allocated_quantity",
                    "integer",
                    "units of it allocated to orders of every channel, accepted web orders among them",
                    "5",
                    is_required=False,
                ),
                Column(
                    "reserved_quantity",
                    "integer",
                    "units set aside for other channels (shops, wholesale) that available_quantity still counts",
                    "0",
                    is_required=False,
                ),
                Column("available_date", "date", "when the next stock is expected", "2026-12-14", is_required=False),
                _UPDATED,
            ),
            "updated_at",
        ),
    )
}
