"""Columns that many sheets of the reconciliation's workbook share."""

from tasks.systems.reports.workbook import Field

LEVEL = Field("Documents", "level", width=11)
CURRENCY = Field("Currency", "currency", width=9)
RATE = Field("VAT rate %", "vat_rate_percent", "percent", 11)
