"""Settlement files of payment providers: CSV in a folder for each provider, read through its map of columns.

A file that does not fit its map is refused as a whole, by name and with what was expected; the other files go on.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.money import to_pence
from schemas.settlements import SIGNS, Settlement, SettlementFormat

LONDON = ZoneInfo("Europe/London")
# Currencies whose smallest unit is not a hundredth: their figures would be wrong by a power of ten.
OTHER_UNITS = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF"),
        *("XOF", "XPF", "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
    )
)
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was not taken: `provider/name`, and why."""

    name: str
    why: str


class FileRefusedError(Exception):
    """What is wrong with a file, as a sentence."""


def read_folder(folder: Path, formats: Iterable[SettlementFormat]) -> tuple[list[Settlement], list[RefusedFile]]:
    """Return the rows of `folder/<provider>/*.csv`, each once, and the files that were refused.

    A row that stands with the same content in two files counts once: downloads overlap.
    """
    rows: list[Settlement] = []
    refused: list[RefusedFile] = []
    seen: dict[tuple[object, ...], str] = {}
    for form in formats:
        if not (folder / form.name).is_dir():
            refused.append(RefusedFile(form.name, f"{folder / form.name} is no folder"))
            continue
        for path in sorted((folder / form.name).glob("*.csv")):
            name = f"{form.name}/{path.name}"
            try:
                found = read_file(name, path.read_bytes(), form)
            except (FileRefusedError, OSError) as error:
                refused.append(RefusedFile(name, str(error)))
                continue
            rows += [row for row in found if seen.get(row.content, name) == name]
            seen |= {row.content: name for row in found if row.content not in seen}
    return rows, refused


def read_file(name: str, content: bytes, form: SettlementFormat) -> list[Settlement]:
    """Return the rows of one file; raises FileRefusedError that names the line, or what the header lacks."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefusedError(f"it is not UTF-8 (byte {error.start})") from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    rows = []
    try:
        header = [cell.strip() for cell in next(lines, [])]
        _check_header(header, form)
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise FileRefusedError(f"line {lines.line_num}: {len(cells)} cells, expected {len(header)}")
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            if form.status and row[form.status] not in form.statuses:
                continue
            try:
                rows.append(_settlement(name, lines.line_num, row, form))
            except ValueError as error:
                raise FileRefusedError(f"line {lines.line_num}: {error}") from error
    except csv.Error as error:
        raise FileRefusedError(f"line {lines.line_num}: {error}") from error
    return rows


def _check_header(header: list[str], form: SettlementFormat) -> None:
    missing = [column for column in form.columns if column not in header]
    if missing:
        found = ", ".join(header[:40]) or "nothing"
        raise FileRefusedError(
            f"its header lacks {', '.join(missing)}; expected {', '.join(form.columns)}; found {found}"
        )
    twice = sorted({column for column in form.columns if header.count(column) > 1})
    if twice:
        raise FileRefusedError(f"its header names {', '.join(twice)} more than once")


def _settlement(name: str, line: int, row: Row, form: SettlementFormat) -> Settlement:
    word = row[form.kind]
    kind = form.kinds.get(word, "other")
    currency = row[form.currency].upper()
    if len(currency) != 3 or currency in OTHER_UNITS:
        raise ValueError(f"{row[form.currency] or 'nothing'} is no currency of hundredths")
    if form.net_currency and row[form.net_currency].upper() not in ("", currency):
        raise ValueError(f"it was paid in {currency} and settled in {row[form.net_currency]}: not converted here")
    gross = _signed_amount(row, form.gross, form.gross_debit, form.gross_credit, form)
    if gross is None and kind in SIGNS:
        raise ValueError(f"a {kind} without an amount")
    gross, fee, net = _amounts(gross, row, form)
    sign = SIGNS.get(kind, -1 if kind == "fee" else 0)
    if sign and form.sign == "by_kind":
        gross, net = sign * abs(gross), sign * abs(gross) - fee
    elif kind in SIGNS and gross * sign < 0:
        raise ValueError(f"a {kind} ({word}) of {gross} pence has the wrong sign")
    return Settlement(
        form.name,
        name,
        line,
        next((row[column] for column in form.reference if row[column]), ""),
        row[form.order_reference],
        kind,
        word,
        _date(row[form.date], form),
        currency,
        gross,
        fee,
        net,
        row[form.payout] if form.payout else "",
    )


def _amounts(gross: int | None, row: Row, form: SettlementFormat) -> tuple[int, int, int]:
    """Return gross, fee as a cost, and net; raises ValueError when the three of the file do not add up."""
    fee = _pence(row[form.fee], form) if form.fee else None
    if fee is not None and form.fee_sign == "signed":
        fee = -fee
    net = _signed_amount(row, form.net, form.net_debit, form.net_credit, form)
    gross = gross if gross is not None else (net or 0) + (fee or 0)
    if fee is None:
        fee = 0 if net is None else gross - net
    if net is None:
        net = gross - fee
    if gross - fee != net:
        raise ValueError(f"gross {gross}, fee {fee} and net {net} pence do not add up")
    return gross, fee, net


def _signed_amount(row: Row, plain: str, debit: str, credit: str, form: SettlementFormat) -> int | None:
    """Return an amount from its one column, or credit less debit; None when the file says nothing."""
    if plain:
        return _pence(row[plain], form)
    if not debit:
        return None
    taken, given = _pence(row[debit], form), _pence(row[credit], form)
    return None if taken is None and given is None else (given or 0) - (taken or 0)


def _pence(text: str, form: SettlementFormat) -> int | None:
    """Return an amount in pence; None for an empty cell. Raises ValueError for anything else that is no amount."""
    if not text:
        return None
    plain = text.replace(" ", "").replace("\u00a0", "")
    plain = plain.replace(".", "").replace(",", ".") if form.decimal_comma else plain.replace(",", "")
    try:
        amount = Decimal(plain)
    except InvalidOperation as error:
        raise ValueError(f"{text} is no amount") from error
    if not amount.is_finite():
        raise ValueError(f"{text} is no amount")
    return to_pence(amount / 100 if form.unit == "minor" else amount)


def _date(text: str, form: SettlementFormat) -> date:
    """Return London's date of a time; a date alone stays as it is."""
    try:
        # A zone follows below, for a time that names none.
        at = datetime.strptime(text, form.date_format) if form.date_format else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError as error:
        raise ValueError(f"{text or 'nothing'} is no date of the form {form.date_format or 'ISO 8601'}") from error
    if at.tzinfo is None and at.time() == time.min:
        return at.date()
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(form.zone))).astimezone(LONDON).date()
