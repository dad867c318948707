"""The folder into which PRIMA drops files of dispatches: claimed by a rename, read, archived or refused with a reason.

    FOLDER/NAME.csv                     dropped; a name that begins with a point or ends in .part is being written
    FOLDER/claimed/NAME.csv             being read; left there by a run that stopped, and read again by the next
    FOLDER/archive/2026-11-23/NAME.csv  taken in
    FOLDER/refused/NAME.csv             not usable; NAME.csv.reason.txt beside it says why

On a local disk a claim is one atomic rename. An object store moves by copying, so there the ledger's lane alone keeps
two workers apart. The files of a folder are read in the order of their names.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import fsspec

from schemas.drops import DISPATCH_DROP, TRAILER, DroppedDispatch, dropped_dispatches
from tasks.errors import ConfigurationError, SystemUnavailableError
from tasks.systems.prima.conversion import broken, records
from tasks.systems.prima.files import read_csv, read_parquet

SYSTEM = "PRIMA drop folder"
CLAIMED, ARCHIVE, REFUSED = "claimed", "archive", "refused"
REASON = ".reason.txt"
_DROPPED = re.compile(r"[^.].*\.(csv|parquet)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file that this run has to itself."""

    name: str
    path: str


class DropFolder:
    """Claims and files away what is dropped. Raises SystemUnavailableError when the folder cannot be used now."""

    def __init__(self, folder: str) -> None:
        try:
            self._files, root = fsspec.core.url_to_fs(folder)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(
                f"fulfilment.drop_folder {folder} cannot be used: {error}.", system=SYSTEM
            ) from error
        self._folder, self._root = folder, root.rstrip("/")

    def claim(self) -> list[Claimed]:
        """Claim every file that is dropped, and those that a stopped run had claimed."""
        try:
            if not self._files.isdir(self._root):
                raise FileNotFoundError("there is no such folder")
            for name in self._names(self._root):
                self._claim(name)
            names = self._names(f"{self._root}/{CLAIMED}")
        except OSError as error:
            raise self._unusable(error) from error
        return [Claimed(name, f"{self._root}/{CLAIMED}/{name}") for name in names]

    def read(self, claimed: Claimed, *, has_trailer: bool) -> list[DroppedDispatch]:
        """Return the dispatches of a claimed file.

        Raises UnexpectedResponseError for one that is cut, incomplete or breaks the contract of its columns.
        """
        try:
            content: bytes = self._files.cat_file(claimed.path)
        except OSError as error:
            raise self._unusable(error) from error
        if claimed.name.lower().endswith(".parquet"):
            rows = read_parquet(DISPATCH_DROP, claimed.name, content)
        else:
            whole = _without_trailer(claimed.name, content) if has_trailer else _to_the_end(claimed.name, content)
            rows = read_csv(DISPATCH_DROP, claimed.name, whole)
        try:
            return dropped_dispatches(records(DISPATCH_DROP, rows))
        except ValueError as error:
            raise broken(DISPATCH_DROP, f"{claimed.name}: {error}") from error

    def archive(self, claimed: Claimed) -> None:
        """File a claimed file under today's date."""
        folder = f"{ARCHIVE}/{datetime.now(UTC):%Y-%m-%d}"
        try:
            name = self._free_name(claimed, folder)
            self._files.mv(claimed.path, f"{self._root}/{folder}/{name}")
        except OSError as error:
            raise self._unusable(error) from error

    def refuse(self, claimed: Claimed, reason: str) -> str:
        """Put a claimed file among the refused ones, with the reason beside it; returns the name that it has there.

        The reason is there first: whenever a run stops, no file lies refused without one.
        """
        try:
            name = self._free_name(claimed, REFUSED)
            self._files.pipe_file(
                f"{self._root}/{REFUSED}/{name}{REASON}", f"{claimed.name} was refused: {reason}\n".encode()
            )
            self._files.mv(claimed.path, f"{self._root}/{REFUSED}/{name}")
        except OSError as error:
            raise self._unusable(error) from error
        return name

    def refused(self) -> dict[str, str]:
        """Return the names of the refused files that still lie there, each with the reason beside it."""
        folder = f"{self._root}/{REFUSED}"
        try:
            return {name: self._reason(f"{folder}/{name}{REASON}") for name in self._names(folder)}
        except OSError as error:
            raise self._unusable(error) from error

    def _reason(self, path: str) -> str:
        """Return the reason beside a refused file; somebody may have taken it away."""
        try:
            content: bytes = self._files.cat_file(path)
        except FileNotFoundError:
            return "no reason lies beside it"
        return content.decode(errors="replace").strip()

    def _claim(self, name: str) -> None:
        """Move a dropped file among the claimed ones; one of the same name that a stopped run left goes first."""
        target = f"{self._root}/{CLAIMED}/{name}"
        if self._files.exists(target):
            return
        self._files.makedirs(f"{self._root}/{CLAIMED}", exist_ok=True)
        try:
            self._files.mv(f"{self._root}/{name}", target)
        except FileNotFoundError:
            return  # another worker was quicker, or whoever dropped it took it back

    def _free_name(self, claimed: Claimed, folder: str) -> str:
        """Return the name of a claimed file, with the time behind it where it is taken; the folder is made."""
        self._files.makedirs(f"{self._root}/{folder}", exist_ok=True)
        if not self._files.exists(f"{self._root}/{folder}/{claimed.name}"):
            return claimed.name
        stem, _, ending = claimed.name.rpartition(".")
        return f"{stem}-{datetime.now(UTC):%H%M%S%f}.{ending}"

    def _names(self, folder: str) -> list[str]:
        if not self._files.isdir(folder):
            return []
        self._files.invalidate_cache()
        found = [
            str(each["name"]).rpartition("/")[2]
            for each in self._files.ls(folder, detail=True)
            if each["type"] == "file"
        ]
        return sorted(name for name in found if _DROPPED.fullmatch(name))

    def _unusable(self, error: OSError) -> SystemUnavailableError:
        return SystemUnavailableError(
            f"{self._folder} cannot be used: {error}.",
            system=SYSTEM,
            next_step="Check fulfilment.drop_folder and its permissions.",
        )


def _without_trailer(name: str, content: bytes) -> bytes:
    """Return a CSV file without its last line, which must count the rows before it: a cut file has no such line."""
    lines = _to_the_end(name, content).rstrip(b"\r\n").split(b"\n")
    words = lines[-1].strip().split(b",")
    rows = len([line for line in lines[1:-1] if line.strip()])
    if len(words) != 2 or words[0].strip(b'" ') != TRAILER.encode() or not words[1].strip(b'" ').isdigit():
        raise broken(DISPATCH_DROP, f"{name} does not end in {TRAILER},<number of rows>: it is cut or not finished")
    if int(words[1].strip(b'" ')) != rows:
        said = words[1].decode("ascii").strip()
        raise broken(DISPATCH_DROP, f"{name} has {rows} rows, and its last line says {said}: it is not whole")
    return b"\n".join(lines[:-1]) + b"\n"


def _to_the_end(name: str, content: bytes) -> bytes:
    """Return a CSV file whose last line is ended; one that breaks off in the middle of a line is refused."""
    if not content.strip():
        raise broken(DISPATCH_DROP, f"{name} is empty")
    if not content.endswith(b"\n"):
        raise broken(DISPATCH_DROP, f"{name} breaks off in its last line")
    return content
