"""The folder in which PRIMA finds Magento's refunds: each file appears whole and once, whoever takes it away when.

A file is written and flushed beside the folder's others where nobody reads (`.staging`), and then moved into the folder
in one step. So the question "was it handed over?" has an answer even after a crash, and even when PRIMA has taken the
file away since: what still stands in `.staging` was not, what does not was.
"""

import os
import shutil
import tempfile
from pathlib import Path

from tasks.errors import ConfigurationError, SystemUnavailableError

STAGING = ".staging"
MEBIBYTE = 2**20
# A refund's file has a few hundred bytes; a disk this full is about to fail at something else.
LEAST_FREE_BYTES = 16 * MEBIBYTE


class RefundFolder:
    """One folder. Every method raises SystemUnavailableError when the folder cannot be used; nothing happened then.

    The folder itself is never made: where a mount is away, its files would stay on this machine and reach nobody.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._staging = folder / STAGING

    def stage(self, name: str, content: bytes) -> None:
        """Write a file where nobody reads it yet, and see it safely on the disk."""
        try:
            self._staging.mkdir(exist_ok=True)
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

    def check(self) -> str:
        """Write and remove a file where nobody reads, and return what the folder has free and what waits there.

        Raises ConfigurationError when a refund could not be written: no folder, no right to write, hardly any room.
        """
        if not self._folder.is_dir():
            what = "is no folder" if self._folder.exists() else "does not exist"
            raise self._misnamed(f"{self._folder} {what}", "Make it, or mount it; it is not made here")
        try:
            self._staging.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self._staging, prefix=".check-") as file:
                file.write(b"check")
                file.flush()
            free = shutil.disk_usage(self._folder).free
            waiting = sum(path.is_file() for path in self._folder.iterdir())
        except OSError as error:
            raise self._misnamed(
                f"{self._folder} cannot be written: {error.strerror or error}",
                "Let the user of this program write there",
            ) from error
        if free < LEAST_FREE_BYTES:
            raise self._misnamed(f"{self._folder} has {free // MEBIBYTE} MiB left", "Make room there")
        return f"{self._folder}, {free // MEBIBYTE:,} MiB free, {waiting} files that PRIMA has not taken yet"

    def _misnamed(self, problem: str, what_to_do: str) -> ConfigurationError:
        return ConfigurationError(
            f"{problem}.",
            system="folder of refunds",
            next_step=f"{what_to_do}, or correct refunds.export_folder; until then each refund is REFUND_NOT_EXPORTED.",
        )

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
