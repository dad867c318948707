"""What a sheet of the workbook is: its question, its columns and rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.systems.warehouse import Row


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a sheet: its title, the column of the mart, and how wide it is.

    `kind` is text, count, money, percent, date or instant. Money columns are summed at the foot, within one currency.
    `formula` makes the cell from cells of its own row, named by their columns in braces.
    """

    title: str
    name: str
    kind: str = "text"
    width: int = 14
    formula: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One question: the sheet's name, the question itself, its columns and rows."""

    name: str
    question: str
    fields: Sequence[Field]
    rows: Sequence[Row]


def money(*pairs: tuple[str, str]) -> list[Field]:
    return [Field(title, f"{name}_pence", "money", 15) for title, name in pairs]


LEVEL = Field("Documents", "level", width=11)
CURRENCY = Field("Currency", "currency", width=9)
RATE = Field("VAT rate %", "vat_rate_percent", "percent", 11)
