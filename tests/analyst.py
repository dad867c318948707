"""An analyst in a process of its own who looks at the published file while nights are run.

`python -m tests.analyst FILE STOP again` opens the file, asks every table, closes it, and so on until the file STOP is
there; `once` opens it once and asks through that connection. What an answer holds is printed when it is a new one: by
table the number of its rows and a checksum over them.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import duckdb

# One who never looked up from the screen would take a processor from the night.
_PAUSE_SECONDS = 0.02


class Analyst:
    """One analyst; `new_answer()` waits for what he has not seen before, `stop()` sends him home; use with `with`."""

    def __init__(self, file: Path, folder: Path, how: str) -> None:
        self._stop = folder / f"stop-{how}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.analyst", str(file), str(self._stop), how],
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def new_answer(self) -> dict[str, Any]:
        """Return his next new answer; raises AssertionError with his error when he has failed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(self._process.communicate()[1])
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> list[dict[str, Any]]:
        """Let him look once more and go; return what was new, raise AssertionError when he met an error."""
        self._stop.touch()
        answers, errors = self._process.communicate()
        assert self._process.returncode == 0, errors
        return [json.loads(line) for line in answers.splitlines()]


def answer_of(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the run of a file and, table by table in a query each, its rows and their checksum."""
    tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'main'").fetchall()
    found: dict[str, Any] = {}
    for (table,) in tables:
        (found[table],) = connection.execute(f'select count(*), sum(hash(t))::text from "{table}" as t').fetchall()
    ((found["run_id"],),) = connection.execute("select run_id from reconciliation_run").fetchall()
    return found


def published(file: Path) -> dict[str, Any]:
    """Return the answer that the file gives when nobody works on it, as an analyst prints it."""
    with duckdb.connect(str(file), read_only=True) as connection:
        answer: dict[str, Any] = json.loads(json.dumps(answer_of(connection)))
    return answer


def _look(file: str, stop: Path, how: str) -> None:
    known = set()
    connection = duckdb.connect(file, read_only=True)
    while True:
        is_over = stop.exists()
        answer = json.dumps(answer_of(connection))
        if answer not in known:
            known.add(answer)
            print(answer, flush=True)
        if is_over:
            return
        time.sleep(_PAUSE_SECONDS)
        if how == "again":
            connection.close()
            connection = duckdb.connect(file, read_only=True)


if __name__ == "__main__":
    _look(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
