"""Excel workbooks that foot: one sheet a question, sums as formulas over the rows they sum.

Amounts are pounds (or the row's currency) to the penny, given as exact decimals; each formula carries its computed
value, so that viewers without a formula engine show it as well.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from schemas.money import to_pounds

Row = Mapping[str, Any]
SUMMED_WITHIN = ("provider", "side", "level", "basis", "currency")
_MONEY = '#,##0.00;[Red]-#,##0.00;"-"'
_COUNT = "#,##0"
_HEADER_ROW = 4


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a sheet: its title, the column of the rows, and how wide it is.

    `kind` is text, count, money, percent, date or instant. Money columns are summed at the foot, within one currency;
    counts where `is_summed` says so. `formula` makes the cell from cells of its own row, named by their columns in
    braces.
    """

    title: str
    name: str
    kind: str = "text"
    width: int = 14
    formula: str = ""
    is_summed: bool = False

    @property
    def has_sum(self) -> bool:
        """Whether the column has sums at its foot."""
        return self.kind == "money" or self.is_summed


@dataclass(frozen=True, slots=True)
class Sheet:
    """One question: the sheet's name, the question itself, its columns and rows.

    `summed_within` are the columns whose values keep sums apart, where the sheet has them.
    """

    name: str
    question: str
    fields: Sequence[Field]
    rows: Sequence[Row]
    summed_within: Sequence[str] = SUMMED_WITHIN


@dataclass(frozen=True, slots=True)
class Workbook:
    """What stands on every sheet: the headline, and the marks that say which run and which data it is of."""

    title: str
    created: datetime
    headline: str
    marks: str
    footer: str


def money(*pairs: tuple[str, str]) -> list[Field]:
    """Return a money column for each title and name; the rows have it as `<name>_pence`."""
    return [Field(title, f"{name}_pence", "money", 15) for title, name in pairs]


def write_workbook(about: Workbook, sheets: Sequence[Sheet]) -> bytes:
    """Return the workbook as the bytes of an .xlsx file; the same content gives the same bytes."""
    content = io.BytesIO()
    # Texts of systems are texts: none of them becomes a formula, a number or a link.
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False, "in_memory": True}
    book = xlsxwriter.Workbook(content, options)
    book.set_properties({"title": about.title, "created": about.created})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "soft": book.add_format({"font_color": "#57606a"}),
        "header": book.add_format(
            {"bold": True, "bg_color": "#E8ECF1", "bottom": 1, "text_wrap": True, "valign": "top"}
        ),
        "text": book.add_format({}),
        "count": book.add_format({"num_format": _COUNT}),
        "money": book.add_format({"num_format": _MONEY}),
        "percent": book.add_format({"num_format": "0.##"}),
        "date": book.add_format({"num_format": "dd mmm yyyy"}),
        "instant": book.add_format({"num_format": "dd mmm yyyy hh:mm"}),
        "sum_text": book.add_format({"bold": True, "top": 1}),
        "sum_money": book.add_format({"bold": True, "top": 1, "num_format": _MONEY}),
        "sum_count": book.add_format({"bold": True, "top": 1, "num_format": _COUNT}),
    }
    for sheet in sheets:
        _write(book.add_worksheet(sheet.name), sheet, about, formats)
    book.close()
    return content.getvalue()


def _write(target: Worksheet, sheet: Sheet, about: Workbook, formats: dict[str, Format]) -> None:
    target.write_string(0, 0, sheet.question, formats["title"])
    target.write_string(1, 0, about.headline, formats["soft"])
    target.write_string(2, 0, about.marks, formats["soft"])
    for column, field in enumerate(sheet.fields):
        target.set_column(column, column, field.width)
        target.write_string(_HEADER_ROW, column, field.title, formats["header"])
    for position, row in enumerate(sheet.rows, start=_HEADER_ROW + 1):
        for column, field in enumerate(sheet.fields):
            _cell(target, position, column, field, row, sheet.fields, formats)
    last = _HEADER_ROW + len(sheet.rows)
    target.freeze_panes(_HEADER_ROW + 1, 2)
    if sheet.rows:
        target.autofilter(_HEADER_ROW, 0, last, len(sheet.fields) - 1)
        _feet(target, sheet, last, formats)
    else:
        target.write_string(_HEADER_ROW + 1, 0, "none", formats["soft"])
    target.set_landscape()
    target.set_paper(9)
    target.fit_to_pages(1, 0)
    target.repeat_rows(_HEADER_ROW)
    target.set_footer(f"&L{about.footer}&R&P of &N")


def _cell(
    target: Worksheet,
    position: int,
    column: int,
    field: Field,
    row: Row,
    fields: Sequence[Field],
    formats: dict[str, Format],
) -> None:
    if field.formula:
        formula = f"={_placed(field.formula, position, fields)}"
        target.write_formula(position, column, formula, formats[field.kind], _shown(field, _value(field, row)))
        return
    value = row[field.name]
    if value is None or value == "":
        target.write_blank(position, column, None, formats[field.kind])
    elif field.kind == "money":
        target.write_number(position, column, _shown(field, value), formats["money"])
    elif isinstance(value, date | datetime):
        target.write_datetime(position, column, value, formats[field.kind])
    elif isinstance(value, int | Decimal) and field.kind in ("count", "percent"):
        target.write_number(position, column, value, formats[field.kind])
    else:
        target.write_string(position, column, str(value), formats["text"])


def _feet(target: Worksheet, sheet: Sheet, last: int, formats: dict[str, Format]) -> None:
    """Write one line of sums for each side, kind of document and currency: different ones are never added up."""
    names = [field.name for field in sheet.fields]
    if not any(field.has_sum for field in sheet.fields):
        return
    keys = [name for name in sheet.summed_within if name in names]
    groups = sorted({tuple(row[name] for name in keys) for row in sheet.rows})
    first = _HEADER_ROW + 1
    for foot, group in enumerate(groups, start=last + 2):
        for name, value in zip(keys, group, strict=True):
            target.write_string(foot, names.index(name), value, formats["sum_text"])
        rows = [row for row in sheet.rows if tuple(row[name] for name in keys) == group]
        for column, field in enumerate(sheet.fields):
            if not field.has_sum:
                continue
            total = sum(_value(field, row) for row in rows)
            within = "".join(
                f",{_span(place, first, last)},{xl_rowcol_to_cell(foot, place)}" for place in map(names.index, keys)
            )
            span = _span(column, first, last)
            formula = f"=SUMIFS({span}{within})" if within else f"=SUM({span})"
            target.write_formula(foot, column, formula, formats[f"sum_{field.kind}"], _shown(field, total))


def _span(column: int, first: int, last: int) -> str:
    name = xl_col_to_name(column)
    return f"${name}${first + 1}:${name}${last + 1}"


def _value(field: Field, row: Row) -> int:
    """Return the pence of a money cell, or a count; a check comes to nothing on every row that foots."""
    if field.name:
        return int(row[field.name] or 0)
    return _computed(field.formula, lambda name: int(row[name] or 0))


def _computed(formula: str, figure: Callable[[str], int]) -> int:
    total, sign = 0, 1
    for part in formula.replace("{", "").replace("}", "").replace("-", "+-").split("+"):
        sign = -1 if part.startswith("-") else 1
        total += sign * figure(part.removeprefix("-"))
    return total


def _placed(formula: str, position: int, fields: Sequence[Field]) -> str:
    places = {field.name: xl_rowcol_to_cell(position, column) for column, field in enumerate(fields)}
    return formula.format_map(places)


def _shown(field: Field, figure: int) -> Any:
    return to_pounds(figure) if field.kind == "money" else figure
