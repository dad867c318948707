"""The folder in which PRIMA finds Magento's refunds: each file appears whole and once, whoever takes it away when.

A file is written and flushed beside the folder's others where nobody reads (`.staging`), and then moved into the folder
in one step. So the question "was it handed over?" has an answer even after a crash, and even when PRIMA has taken the
file away since: what still stands in `.staging` was not, what does not was.
"""

import os
from pathlib import Path

from tasks.errors import SystemUnavailableError

STAGING = ".staging"


class RefundFolder:
    """One folder. Every method raises SystemUnavailableError when the folder cannot be used; nothing happened then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staging = folder / STAGING

    def stage(self, name: str, content: bytes) -> None:
        """Write a file where nobody reads it yet, and see it safely on the disk."""
        try:
            self._staging.mkdir(parents=True, exist_ok=True)
            with (self._staging / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _flush(self._staging)
        except OSError as error:
            raise self._unusable("write", name, error) from error

    def is_staged(self, name: str) -> bool:
        """Tell whether a file that was staged is still to be handed over."""
        try:
            return (self._staging / name).exists()
        except OSError as error:
            raise self._unusable("look for", name, error) from error

    def hand_over(self, name: str) -> None:
        """Move a staged file into the folder, in one step. A move that failed and yet happened counts as one."""
        try:
            os.replace(self._staging / name, self._folder / name)
            _flush(self._folder)
        except OSError as error:
            if not self.is_staged(name):
                return
            raise self._unusable("hand over", name, error) from error

    def _unusable(self, what: str, name: str, error: OSError) -> SystemUnavailableError:
        return SystemUnavailableError(
            f"{self._folder}: {error.strerror or error}.",
            system="folder of refunds",
            operation=what,
            reference=name,
            next_step="Check that the folder of refunds.export_folder exists and can be written.",
        )


def _flush(folder: Path) -> None:
    """Have the disk keep the names of a folder; systems without such a thing are left alone."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
