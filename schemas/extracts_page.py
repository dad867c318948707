"""The page that a PRIMA consultant is sent: `docs/prima-reporting.md`, made from `schemas/extracts.py`.

`python -m schemas.extracts_page > docs/prima-reporting.md` writes it anew; a test says when that is due.
"""

from schemas.drops import DISPATCH_DROP, TRAILER
from schemas.extracts import EXTRACTS, Column, ColumnType, Extract

_INTRODUCTION = """\
# PRIMA's figures for the web shop integration

This page is for the person who knows the PRIMA installation: what the integration between Magento and PRIMA
reads from PRIMA, in which form, and what it is used for. It is made from the program's own column contract
(`python -m schemas.extracts_page > docs/prima-reporting.md`), so that page and program cannot disagree.

## What is asked for

{count} extracts. Each is either a **view** of that name in a database that the integration may read (SQLAlchemy
URL, setting `prima.reporting.url`), or a **file** of that name in a folder (`dispatches.csv` or
`dispatches.parquet`, setting `prima.reporting.folder`). The columns are the same. Nothing is ever written.

| Extract | One row is | Used for |
| --- | --- | --- |
{overview}

Please say which of them the installation cannot give. Where a view cannot have the name or the columns below, a
query can be set instead under `prima.reporting.queries` (one SQL statement for an extract). It must return the
same column names; it may use the parameters `:since` and `:until`.

## Rules for all of them

1. **Names.** Columns have exactly these names, in any order; upper or lower case does not matter. Further
   columns are ignored.
2. **Money** is a decimal number with two decimals in the order's currency (`NUMERIC(12,2)`; in CSV `1234.50`, a
   point, no thousands separator, no currency sign). Never a floating-point number. **Net + VAT = gross on every
   row**, to the penny; a row that breaks this is rejected and reported.
3. **Times** are UTC, without a zone: `2026-11-23 02:52:35`. **Dates** are those of London: `2026-11-23`.
4. **Empty.** Columns marked *required* are never NULL and never an empty text. The others may be.
5. **Keys.** The columns marked *key* are unique together.
6. **updated_at** moves whenever anything in the row changes, also by correction in the background. The
   integration reads `updated_at >= since AND updated_at < until`, ordered by it, with an overlap; a row whose
   `updated_at` stands still is not seen again. For a line, the time of its document will do.
7. **Nothing disappears.** Cancelled orders stay, with their status; cancelled lines stay, with their
   quantities.
8. **Order numbers** are those that the web shop sent, digit for digit, with leading zeros. **SKUs** are
   Magento's, exactly as they are written there: upper and lower case are different.
9. **Blanks** at the end of a text are ignored, so that fixed-length columns do no harm. Any other change of a
   text is not made.
10. **No personal data** is needed: no name, address, e-mail or telephone number. Please leave them out.

For files also: CSV with a header line, comma, UTF-8, quoted as usual (RFC 4180). Each file holds the whole
extract (or at least everything changed in the last 90 days) and is replaced as a whole: write it under another
name, then rename it, so that half a file is never read.

A row or file that breaks a rule is reported with extract, column and key, for instance `dispatches, column
dispatched_at, row 17 (dispatch_number 'D900021'): '23/11/2026' (str), expected a UTC date and time`.

## Access

A database user that may only SELECT from these views is enough. Its password is not in the settings file: it is
the secret `PRIMA_REPORTING_PASSWORD`. If the database is a copy, say how far it may be behind
(`prima.reporting.lag_minutes`), so that a document that is merely late is not reported as missing.
"""

_DROP = """\
## Dispatches without a reporting source

Where neither view nor extract shows dispatches, two other ways are there (`fulfilment.source`).

**Files that are dropped** (`fulfilment.drop_folder`, a folder or an fsspec URL): one row for each line of a dispatch,
with what belongs to the whole dispatch on each of its rows; the columns are those of `dispatches` and
`dispatch_lines`. Any name that ends in `.csv` or `.parquet` will do, a new one for each file. Write it under a name
that begins with a point, then rename it. A CSV file ends in `{trailer},` and the number of its rows, so that half a
file is never taken for a whole one:

```csv
{names}
{example}
{trailer},1
```

A file is moved to `claimed/` while it is read and to `archive/` afterwards. One that is cut or breaks a rule is moved
to `refused/`, with the reason beside it, and nothing of it is taken in. The same dispatch may come again, in the same
file or another: what is told is not told twice, and a tracking number that it then names is added.

**Asking order by order** (`OrderStatus`): for open orders only, less often the older they are
(`fulfilment.poll_tiers`), within `fulfilment.poll_calls` a run. `OrderStatus` says that an order has left, not when,
with whom, or which part of it: shipments then have **no tracking number**, and an order of which a part has left is
reported to a person (`DISPATCH_PART_UNTOLD`) until the rest has left as well.
"""

_USES = {
    "sales_orders": "comparing each order's total and VAT with Magento's; status of orders",
    "sales_order_lines": "finding the line and the VAT rate behind a difference; cancelled units",
    "invoices": "nightly reconciliation of totals and VAT",
    "invoice_lines": "VAT by rate; the line behind a difference",
    "credit_notes": "reconciliation of refunds",
    "credit_note_lines": "optional: credit notes as refunds in Magento (`refunds.in_magento`)",
    "dispatches": "telling customers that their parcel left, with its tracking numbers",
    "dispatch_lines": "which units left: part dispatches",
    "items": "which Magento SKU is which stock tuple (product and four matrix codes)",
    "prices": "comparing selling prices",
    "stock": "optional: stock by warehouse, where the web service's one figure is not enough (`stock.figure_from`)",
}

_TYPES: dict[ColumnType, str] = {
    "text": "text",
    "integer": "whole number",
    "money": "decimal(12,2)",
    "rate": "decimal, per cent",
    "date": "date (London)",
    "instant": "timestamp (UTC)",
    "flag": "1 or 0",
}


def page() -> str:
    """Return the whole page as Markdown."""
    overview = "\n".join(
        f"| [{extract.name}](#{extract.name}) | {extract.grain} | {_USES[extract.name]} |"
        for extract in EXTRACTS.values()
    )
    introduction = _INTRODUCTION.format(count=_count(len(EXTRACTS)), overview=overview)
    return "\n".join([introduction, *(_section(extract) for extract in EXTRACTS.values()), _drop()])


def _drop() -> str:
    """Return the section about dispatches that are dropped as files, or asked for one by one."""
    names = ",".join(column.name for column in DISPATCH_DROP.columns)
    example = ",".join(_cell(column.example) for column in DISPATCH_DROP.columns)
    return _DROP.format(names=names, example=example, trailer=TRAILER)


def _section(extract: Extract) -> str:
    """Return the section of one extract: its columns, its SQL and an example row as CSV."""
    names = [column.name for column in extract.columns]
    keys = ", ".join(f"`{name}`" for name in extract.keys)
    rows = "\n".join(_row(column) for column in extract.columns)
    example = ",".join(_cell(column.example) for column in extract.columns)
    order = ", ".join(dict.fromkeys((extract.cursor, *extract.keys)))
    return f"""\
## {extract.name}

One row: {extract.grain}. Key: {keys}.

| Column | Type | | Meaning | Example |
| --- | --- | --- | --- | --- |
{rows}

Read as:

```sql
{_select(names)}
FROM {extract.name}
WHERE {extract.cursor} >= :since AND {extract.cursor} < :until
ORDER BY {order}
```

As a file:

```csv
{",".join(names)}
{example}
```
"""


def _row(column: Column) -> str:
    need = "required" if column.is_required else "may be empty"
    mark = f"key, {need}" if column.is_key else need
    example = f"`{column.example}`" if column.example else ""
    return f"| `{column.name}` | {_TYPES[column.type]} | {mark} | {column.meaning} | {example} |"


def _select(names: list[str]) -> str:
    lines = ["SELECT"]
    for position, name in enumerate(names):
        last = position == len(names) - 1
        piece = f" {name}{'' if last else ','}"
        if len(lines[-1]) + len(piece) > 100:
            lines.append("      ")
        lines[-1] += piece
    return "\n".join(lines)


def _cell(text: str) -> str:
    return f'"{text}"' if "," in text or '"' in text else text


def _count(number: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[number] if number < len(words) else str(number)


if __name__ == "__main__":
    print(page(), end="")
