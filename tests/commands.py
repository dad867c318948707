"""`magento-prima` in processes of its own, forked from one that has imported it: a command costs no start of Python.

The process that is forked from is this module run as a program. It reads a line of JSON for each command (`words`,
`environment`, `folder`, `stdout` and `stderr`, the latter two as files to write), and answers with the exit code.
"""

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Any

LONGEST_SECONDS = 240


def run(words: tuple[str, ...], environment: Mapping[str, str]) -> CompletedProcess[str]:
    """Run a command with exactly this environment and return what it printed; raises TimeoutExpired."""
    parent = _parent()
    with tempfile.TemporaryDirectory(prefix="command-") as folder:
        files = {name: str(Path(folder, name)) for name in ("stdout", "stderr")}
        asked = {"words": words, "environment": dict(environment), "folder": os.getcwd(), **files}
        parent.stdin.write(json.dumps(asked) + "\n")
        parent.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(parent.stdout, selectors.EVENT_READ)
            if not selector.select(LONGEST_SECONDS):
                _end(parent)
                _parent.cache_clear()
                raise TimeoutExpired(words, LONGEST_SECONDS)
        code = int(parent.stdout.readline())
        said = {name: Path(file).read_text(encoding="utf-8") for name, file in files.items()}
    return CompletedProcess(["magento-prima", *words], code, **said)


@cache
def _parent() -> Any:
    """Start the process that commands are forked from: once for each process of the tests."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.commands"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    atexit.register(_end, started)
    return started


def _end(parent: Any) -> None:
    """Kill it, and the command that it may be waiting for."""
    if parent.poll() is None:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()


def _serve() -> None:
    """Fork a command for each line; in the fork this does not return but ends as the command does."""
    import flows.cli  # everything that a command needs, and no thread

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what is printed by mistake is no answer
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            answers.close()
            _become(json.loads(line))
            flows.cli.main()
        _, status = os.waitpid(pid, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _become(asked: Mapping[str, Any]) -> None:
    """Take on the environment, the folder, the files and the arguments of a command, as a fresh process has them."""
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    for number, file in ((0, os.devnull), (1, asked["stdout"]), (2, asked["stderr"])):
        opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["magento-prima", *asked["words"]]
    refresh_global_settings_context()
    setup_logging(incremental=False)


if __name__ == "__main__":
    _serve()
