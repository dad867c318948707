"""Where personal values or secrets stand in the files of an installation: row by row, and byte by byte.

What is looked for comes from the stand-ins themselves: every name, address, e-mail and telephone number of Magento's
orders, and the secrets with which both systems were called.
"""

import base64
import html
import json
import re
import sqlite3
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb

_FIELDS = """
firstname middlename lastname email customer_email customer_firstname customer_lastname street city postcode telephone
fax company vat_id customer_taxvat customer_note remote_ip
"""
PERSONAL_FIELDS = frozenset(_FIELDS.split())
# Values that stand in many places for another reason: the time zone, the country.
_ORDINARY = frozenset({"london", "none", "null", "guest"})
_SHORTEST, _LONG = 4, 6
_WORD = re.compile(r"\w+")
_SQLITE = b"SQLite format 3\x00"
PERSONAL_TABLE = "personal_data"


@dataclass(frozen=True, slots=True)
class Trace:
    """A value that stands where it must not: the file, the place in it, and which kind of value it is."""

    file: str
    place: str
    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: {self.kind} {self.value!r}"


def people(orders: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return each personal value of Magento's orders, with the name of its field; ordinary and short ones are left out.

    The lines of a street count one by one, and all together.
    """
    found: dict[str, str] = {}
    for order in orders:
        for name, value in _personal(order):
            if len(value) >= _SHORTEST and value.lower() not in _ORDINARY:
                found.setdefault(value, name)
    return found


def secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets of an environment by value, each also as Basic authentication would send it."""
    found = {}
    for name, value in environment.items():
        if len(value) >= _SHORTEST:
            found[value] = name
            found[base64.b64encode(value.encode()).decode().rstrip("=")] = f"{name} in base64"
    return found


def traces(folder: Path, values: Mapping[str, str], *, leave_out: Callable[[Path], bool], erased: bool) -> list[Trace]:
    """Return where these values stand in the files below a folder, in the form they have or in that of a format.

    Compressed content is unpacked, databases are also read row by row. `leave_out` names files that belong to somebody
    else. Unless the values are `erased`, a ledger's table of personal data may hold them.
    """
    wanted = _Wanted(values)
    found: list[Trace] = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and not leave_out(each)):
        for place, content in _contents(path, erased=erased):
            here = wanted.in_bytes(content) if isinstance(content, bytes) else wanted.in_text(content)
            found += [Trace(str(path.relative_to(folder)), place, values[each], each) for each in here]
    return list(dict.fromkeys(found))


class _Wanted:
    """Values with every form in which they may be written. A word that a text lacks rules out what needs it.

    In a database's bytes one text runs into the next, and words have no ends: there values of six characters and more
    are looked for as they are, as `exceeds` is no trace of Leeds.
    """

    def __init__(self, values: Collection[str]) -> None:
        self._forms = [(value, form, frozenset(_WORD.findall(form))) for value in values for form in _forms(value)]
        self._long = [(value, value.encode().lower()) for value in values if len(value) >= _LONG]

    def in_text(self, text: str) -> list[str]:
        text = text.lower()
        words = frozenset(_WORD.findall(text))
        likely = [(value, form) for value, form, needed in self._forms if needed <= words]
        return list(dict.fromkeys(value for value, form in likely if form in text))

    def in_bytes(self, content: bytes) -> list[str]:
        content = content.lower()
        return [value for value, form in self._long if form in content]


def _forms(value: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    escaped = {json.dumps(value)[1:-1], html.escape(value), html.escape(value, quote=False), quote(value)}
    return {form.lower() for form in {value, plain, quote_plus(value), *escaped} if len(form) >= _SHORTEST}


def _personal(record: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(record, Mapping):
        for key, value in record.items():
            yield from _personal(value, key)
    elif isinstance(record, list):
        for value in record:
            yield from _personal(value, name)
        if name == "street":
            yield name, " ".join(map(str, record))
    elif name in PERSONAL_FIELDS and record:
        yield from ((name, each.strip()) for each in {str(record), *str(record).splitlines()})


def _contents(path: Path, *, erased: bool) -> Iterator[tuple[str, str | bytes]]:
    """Yield the places of a file with their content: as text where it is one, else as bytes."""
    with path.open("rb") as file:
        start = file.read(len(_SQLITE))
    if start == _SQLITE:
        yield from _of_sqlite(path, erased=erased)
    elif path.name.endswith(("-wal", "-shm")):
        if erased or not _holds_people(path.with_name(path.name[:-4])):
            yield "bytes", path.read_bytes()
    else:
        yield "bytes", _decoded(path.read_bytes())
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                yield name, _decoded(packed.read(name))
    elif path.suffix in (".duckdb", ".parquet"):
        yield from _of_duckdb(path)


def _of_sqlite(path: Path, *, erased: bool) -> Iterator[tuple[str, str | bytes]]:
    is_ledger = not erased and _holds_people(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy.db")
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as own,
        ):
            source.backup(own)
            if is_ledger:
                own.execute(f"DELETE FROM {PERSONAL_TABLE}")
                own.commit()
                own.execute("VACUUM")
            tables = [name for (name,) in own.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                rows = own.execute(f'SELECT * FROM "{table}"')
                yield table, "\n".join(_decoded(cell) for row in rows for cell in row if cell is not None)
        yield "bytes", (copy if is_ledger else path).read_bytes()


def _of_duckdb(path: Path) -> Iterator[tuple[str, str]]:
    is_database = path.suffix == ".duckdb"
    with duckdb.connect(str(path) if is_database else ":memory:", read_only=is_database) as marts:
        named = [f'"{name}"' for (name,) in marts.execute("show tables").fetchall()] if is_database else [f"'{path}'"]
        for name in named:
            rows = marts.execute(f"select * from {name}").fetchall()
            yield name, "\n".join(str(cell) for row in rows for cell in row if cell is not None)


def _holds_people(path: Path) -> bool:
    if not path.is_file():
        return False
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        query = "SELECT count(*) FROM sqlite_master WHERE name = ?"
        return bool(database.execute(query, (PERSONAL_TABLE,)).fetchone()[0])


def _decoded(cell: object) -> str:
    """Return a cell or a file as text; what zlib has packed is unpacked."""
    if not isinstance(cell, bytes):
        return str(cell)
    with suppress(zlib.error):
        cell = zlib.decompress(cell)
    return cell.decode("utf-8", errors="replace")
