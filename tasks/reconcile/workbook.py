"""What a run found as an Excel workbook that foots: one sheet a question, sums as formulas over the rows they sum.

Amounts are pounds (or the row's currency) to the penny, given as exact decimals; each sum carries its computed value,
so that viewers without a formula engine show it as well.
"""

import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from schemas.money import to_pounds
from tasks.reconcile.payment_sheets import payment_sheets
from tasks.reconcile.run import Reconciliation
from tasks.reconcile.sheet import CURRENCY, LEVEL, RATE, Field, Sheet, money
from tasks.reconcile.vat_sheets import vat_sheets
from tasks.systems.warehouse import Row

_MONEY = '#,##0.00;[Red]-#,##0.00;"-"'
_HEADER_ROW = 4
_SUMMED_WITHIN = ("provider", "side", "level", "basis", "currency")


_BRIDGE = [
    *money(("Magento net", "magento_net"), ("Magento VAT", "magento_vat")),
    *money(("Unexplained net", "unexplained_net"), ("Unexplained VAT", "unexplained_vat")),
    *money(("Explained net", "explained_net"), ("Explained VAT", "explained_vat")),
    *money(("PRIMA net", "prima_net"), ("PRIMA VAT", "prima_vat")),
    Field(
        "Check net",
        "",
        "money",
        11,
        "{magento_net_pence}+{unexplained_net_pence}+{explained_net_pence}-{prima_net_pence}",
    ),
    Field(
        "Check VAT",
        "",
        "money",
        11,
        "{magento_vat_pence}+{unexplained_vat_pence}+{explained_vat_pence}-{prima_vat_pence}",
    ),
]


def sheets(found: Reconciliation) -> list[Sheet]:
    """Return the sheets of the workbook, in the order in which finance asks."""
    totals = [
        LEVEL,
        CURRENCY,
        Field("In Magento", "magento_count", "count", 11),
        Field("In PRIMA", "prima_count", "count", 11),
        *money(("Magento", "magento_gross"), ("Unexplained", "unexplained_variance")),
        *money(("Explained", "explained_variance"), ("PRIMA", "prima_gross")),
        Field(
            "Check",
            "",
            "money",
            11,
            "{magento_gross_pence}+{unexplained_variance_pence}+{explained_variance_pence}-{prima_gross_pence}",
        ),
        *money(("Magento VAT", "magento_vat"), ("Unexplained VAT", "unexplained_vat_variance")),
        *money(("Explained VAT", "explained_vat_variance"), ("PRIMA VAT", "prima_vat")),
        Field(
            "Check VAT",
            "",
            "money",
            11,
            "{magento_vat_pence}+{unexplained_vat_variance_pence}+{explained_vat_variance_pence}-{prima_vat_pence}",
        ),
    ]
    day = Field("Day", "business_date", "date", 12)
    place = [Field("Store", "store", width=12), Field("Destination", "destination", width=12)]
    return [
        Sheet("Totals", "Do they agree, document by document?", totals, found.control_totals),
        Sheet(
            "Days",
            "On which day and at which rate do they differ?",
            [LEVEL, CURRENCY, day, RATE, *_BRIDGE],
            found.day_totals,
        ),
        Sheet("Why", "What makes the difference?", _WHY, found.differences),
        Sheet("Breaks", "What must somebody act on?", _BREAKS, found.breaks),
        Sheet("Lines", "Which lines differ?", _LINES, found.lines),
        Sheet("Ageing", "How old are the open breaks?", _AGEING, found.open_breaks),
        Sheet("VAT", "What VAT is there at each rate and destination?", _VAT, found.vat_by_rate),
        Sheet(
            "Tie-out",
            "By store, destination, day and rate?",
            [LEVEL, CURRENCY, day, *place, RATE, *_BRIDGE],
            found.tie_out,
        ),
        *vat_sheets(found),
        *payment_sheets(found),
        Sheet("Settled", "What was accepted or journalled?", _SETTLED, found.settled_breaks),
        Sheet("Not reconciled", "What could not be compared?", _REJECTED, found.not_reconciled),
    ]


_VARIANCES = money(("Variance", "variance"), ("VAT variance", "vat_variance"))
_WHY = [
    LEVEL,
    CURRENCY,
    Field("How", "status", width=20),
    Field("Cause", "cause", width=34),
    Field("Orders", "order_count", "count", 9),
    *_VARIANCES,
]
_ORDER = [Field("Order", "order_key", width=18), Field("PRIMA order", "order_number_prima", width=14)]
_LIFE = [
    Field("Owner", "owner", width=14),
    Field("First seen", "first_seen_at", "instant", 17),
    Field("Age days", "age_days", "count", 9),
    Field("Age band", "age_band", width=10),
    Field("Reason", "reason_code", width=14),
    Field("Comment", "comment", width=30),
]
_BREAKS = [
    Field("Rank", "rank", "count", 7),
    LEVEL,
    *_ORDER,
    CURRENCY,
    Field("Day", "business_date", "date", 12),
    Field("Store", "store", width=12),
    Field("Destination", "destination", width=12),
    Field("Kind", "status", width=20),
    Field("Cause", "cause", width=34),
    Field("Detail", "cause_detail", width=34),
    *money(("Magento", "magento_gross"), ("PRIMA", "prima_gross")),
    Field("Variance", "variance_pence", "money", 15, "{prima_gross_pence}-{magento_gross_pence}"),
    *money(("Magento VAT", "magento_vat"), ("PRIMA VAT", "prima_vat")),
    Field("VAT variance", "vat_variance_pence", "money", 15, "{prima_vat_pence}-{magento_vat_pence}"),
    *_LIFE,
    Field("Hash of Magento's record", "magento_sha256", width=20),
    Field("Hash sent to PRIMA", "prima_sha256", width=20),
]
_LINES = [
    LEVEL,
    Field("Order", "order_key", width=18),
    CURRENCY,
    Field("Line", "line_key", "count", 7),
    Field("SKU", "sku", width=18),
    Field("PRIMA product", "product", width=20),
    Field("Magento units", "magento_qty", "count", 12),
    Field("PRIMA units", "prima_qty", "count", 12),
    Field("Magento rate %", "magento_rate_percent", "percent", 13),
    Field("PRIMA rate %", "prima_rate_percent", "percent", 13),
    *money(("Magento", "magento_gross"), ("PRIMA", "prima_gross")),
    *_VARIANCES,
]
_AGEING = [
    LEVEL,
    Field("Order", "order_key", width=18),
    CURRENCY,
    Field("Day", "business_date", "date", 12),
    Field("Kind", "status", width=20),
    Field("Cause", "cause", width=34),
    *_LIFE,
    *money(("Value", "value")),
]
_VAT = [
    LEVEL,
    CURRENCY,
    Field("Destination", "destination", width=12),
    RATE,
    *money(("Magento net", "magento_net"), ("PRIMA net", "prima_net")),
    *money(("Magento VAT", "magento_vat"), ("PRIMA VAT", "prima_vat")),
    Field("VAT variance", "vat_variance_pence", "money", 15, "{prima_vat_pence}-{magento_vat_pence}"),
]
_SETTLED = [
    LEVEL,
    Field("Order", "order_key", width=18),
    CURRENCY,
    Field("Day", "business_date", "date", 12),
    Field("Kind", "status", width=20),
    Field("Cause", "cause", width=34),
    Field("Closed by", "settled_by", width=12),
    Field("Reference", "settlement_reference", width=30),
    *_VARIANCES,
]
_REJECTED = [
    Field("What", "subject", width=40),
    Field("What is wrong", "detail", width=90),
    Field("Documents", "level", width=11),
]


def workbook(found: Reconciliation, headline: str) -> bytes:
    """Return the workbook as the bytes of an .xlsx file."""
    content = io.BytesIO()
    # Texts of systems are texts: none of them becomes a formula, a number or a link.
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False, "in_memory": True}
    book = xlsxwriter.Workbook(content, options)
    # The same run gives the same file.
    book.set_properties({"title": "Reconciliation of Magento and PRIMA", "created": found.run["run_at"]})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "soft": book.add_format({"font_color": "#57606a"}),
        "header": book.add_format(
            {"bold": True, "bg_color": "#E8ECF1", "bottom": 1, "text_wrap": True, "valign": "top"}
        ),
        "text": book.add_format({}),
        "count": book.add_format({"num_format": "#,##0"}),
        "money": book.add_format({"num_format": _MONEY}),
        "percent": book.add_format({"num_format": "0.##"}),
        "date": book.add_format({"num_format": "dd mmm yyyy"}),
        "instant": book.add_format({"num_format": "dd mmm yyyy hh:mm"}),
        "sum_text": book.add_format({"bold": True, "top": 1}),
        "sum_money": book.add_format({"bold": True, "top": 1, "num_format": _MONEY}),
    }
    for sheet in sheets(found):
        _write(book.add_worksheet(sheet.name), sheet, found.run, headline, formats)
    book.close()
    return content.getvalue()


def _write(target: Worksheet, sheet: Sheet, run: Row, headline: str, formats: dict[str, Format]) -> None:
    target.write_string(0, 0, sheet.question, formats["title"])
    target.write_string(1, 0, headline, formats["soft"])
    marks = f"run {run['run_id']}   data {run['input_hash']}"
    target.write_string(2, 0, marks, formats["soft"])
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
    target.set_footer(f"&L{run['run_id']} {run['input_hash'][:16]}&R&P of &N")


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
        target.write_formula(
            position,
            column,
            f"={_placed(field.formula, position, fields)}",
            formats["money"],
            _pounds(_value(field, row)),
        )
        return
    value = row[field.name]
    if value is None or value == "":
        target.write_blank(position, column, None, formats[field.kind])
    elif field.kind == "money":
        target.write_number(position, column, _pounds(value), formats["money"])
    elif isinstance(value, date | datetime):
        target.write_datetime(position, column, value, formats[field.kind])
    elif isinstance(value, int | Decimal) and field.kind in ("count", "percent"):
        target.write_number(position, column, value, formats[field.kind])
    else:
        target.write_string(position, column, str(value), formats["text"])


def _feet(target: Worksheet, sheet: Sheet, last: int, formats: dict[str, Format]) -> None:
    """Write one line of sums for each side, kind of document and currency: different ones are never added up."""
    names = [field.name for field in sheet.fields]
    if not any(field.kind == "money" for field in sheet.fields):
        return
    keys = [name for name in _SUMMED_WITHIN if name in names]
    groups = sorted({tuple(row[name] for name in keys) for row in sheet.rows})
    first = _HEADER_ROW + 1
    for foot, group in enumerate(groups, start=last + 2):
        for name, value in zip(keys, group, strict=True):
            target.write_string(foot, names.index(name), value, formats["sum_text"])
        rows = [row for row in sheet.rows if tuple(row[name] for name in keys) == group]
        for column, field in enumerate(sheet.fields):
            if field.kind != "money":
                continue
            total = sum(_value(field, row) for row in rows)
            within = "".join(
                f",{_span(place, first, last)},{xl_rowcol_to_cell(foot, place)}" for place in map(names.index, keys)
            )
            formula = f"=SUMIFS({_span(column, first, last)}{within})"
            target.write_formula(foot, column, formula, formats["sum_money"], _pounds(total))


def _span(column: int, first: int, last: int) -> str:
    name = xl_col_to_name(column)
    return f"${name}${first + 1}:${name}${last + 1}"


def _value(field: Field, row: Row) -> int:
    """Return the pence of a money cell; the checks come to nothing on every row of a run that was published."""
    if field.name:
        return int(row[field.name] or 0)
    return _computed(field.formula, lambda name: int(row[name] or 0))


def _computed(formula: str, pence: Callable[[str], int]) -> int:
    total, sign = 0, 1
    for part in formula.replace("{", "").replace("}", "").replace("-", "+-").split("+"):
        sign = -1 if part.startswith("-") else 1
        total += sign * pence(part.removeprefix("-"))
    return total


def _placed(formula: str, position: int, fields: Sequence[Field]) -> str:
    places = {field.name: xl_rowcol_to_cell(position, column) for column, field in enumerate(fields)}
    return formula.format_map(places)


def _pounds(pence: int) -> Any:
    return to_pounds(pence)
