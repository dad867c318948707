"""Files for people in a folder: each is there as a whole or not at all, and old ones go."""

import os
import re
import uuid
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from urllib.parse import quote


def put(path: Path, content: bytes) -> None:
    """Write a file beside the one that is read, and put it in its place at once; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def delete_before(folder: Path, name: str, first: date, endings: Iterable[str]) -> list[Path]:
    """Delete the files `<name>-<date><ending>` of dates before `first`; return them. Nothing else is touched."""
    pattern = re.compile(rf"{re.escape(name)}-(\d{{4}}-\d\d-\d\d)({'|'.join(map(re.escape, endings))})")
    gone = []
    for path in sorted(folder.iterdir()):
        found = pattern.fullmatch(path.name)
        if found and found[1] < first.isoformat():
            path.unlink(missing_ok=True)
            gone.append(path)
    return gone


def address(path: Path, url: str) -> str:
    """Return where a file is found: below `url` where its folder is served, else its path."""
    return f"{url.rstrip('/')}/{quote(path.name)}" if url else str(path)


def link(path: Path, url: str) -> str:
    """Return a file as Markdown: a link where its folder is served; a browser opens no path of a disk from a page."""
    return f"[{path.name}]({address(path, url)})" if url else f"`{path}`"
