"""The data dictionary as a page: `python -m tasks.reconcile.dictionary` brings `docs/reconciliation.md` up to date.

What stands outside the two markers is written by hand and stays as it is.
"""

from pathlib import Path

from schemas.reconciliation import CAUSES, MARTS, STAGED
from schemas.tables import UNITS, Table

BEGIN = "<!-- dictionary: generated from schemas/reconciliation, do not edit -->"
END = "<!-- end of dictionary -->"
PAGE = Path("docs/reconciliation.md")


def dictionary() -> str:
    """Return the generated part of the page: causes, tables for readers, staged tables."""
    causes = ["| cause | meaning | who acts |", "|---|---|---|"]
    causes += [f"| `{cause.code}` | {cause.sentence} | {cause.owner} |" for cause in CAUSES.values()]
    parts = ["## Causes", "\n".join(causes), "## Tables"]
    parts += [_section(table, table.name) for table in MARTS.values()]
    parts += ["## Staged tables", "The inputs as they were read, in the schema `staged` of the same file."]
    parts += [_section(table, f"staged.{table.name}") for table in STAGED.values()]
    return "\n\n".join(parts)


def _section(table: Table, name: str) -> str:
    lines = [
        f"### {name}",
        "",
        f"Grain: {table.grain}.",
        "",
        "| column | type | unit | meaning |",
        "|---|---|---|---|",
    ]
    for column in table.columns:
        kind = _SQL_TYPES[column.type] + (", key" if column.is_key else "")
        empty = "" if column.is_required else " May be empty."
        meaning = column.meaning[0].upper() + column.meaning[1:]
        lines.append(f"| `{column.name}` | {kind} | {UNITS[column.type]} | {meaning}.{empty} |")
    return "\n".join(lines)


_SQL_TYPES = {
    "text": "varchar",
    "integer": "bigint",
    "pence": "bigint",
    "rate": "decimal(6,2)",
    "date": "date",
    "instant": "timestamp",
    "flag": "boolean",
}


def updated(page: str) -> str:
    """Return the page with its generated part replaced; raises ValueError when a marker is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page must hold {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{dictionary()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
