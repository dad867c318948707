"""A whole installation for one test: both stand-ins, the settings file, the ledger, and the product pointed at them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL

from sandbox.installation import write_installation
from sandbox.magento import MagentoStandIn
from sandbox.prima import PrimaStandIn
from tasks import connect
from tasks.settings import Settings
from tasks.systems.ledger import Ledger
from tests import commands


class Installation:
    """Both stand-ins on one folder. `environment` is what a process needs to work against them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.magento = MagentoStandIn(folder)
        self.prima = PrimaStandIn(folder)

    def start(self) -> None:
        """Serve both systems and write the settings."""
        self.magento.start()
        self.prima.start()
        write_installation(
            self.folder,
            {
                "magento_url": self.magento.url,
                "wsdl_url": self.prima.wsdl_url,
                "not_found_text": self.prima.not_found_text,
                "reporting_url": self.prima.reporting_url,
            },
            self.magento.secrets,
        )

    def stop(self) -> None:
        """Stop serving both."""
        self.magento.__exit__(None, None, None)
        self.prima.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the sandbox's `env` file sets."""
        return {"MAGENTO_PRIMA_CONFIG": str(self.folder / "config.toml"), **self.magento.secrets}

    @property
    def settings(self) -> Settings:
        """The settings as the product reads them now."""
        return Settings.from_file(self.folder / "config.toml")

    def configure(self, **replacements: str) -> None:
        """Replace `key = value` lines of the settings file, by key; raises ValueError for a key that is not there."""
        path = self.folder / "config.toml"
        text = path.read_text(encoding="utf-8")
        for key, value in replacements.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", lambda _, key=key, value=value: f"{key} = {value}", text)
            if not count:
                raise ValueError(f"{key} stands nowhere in {path}")
        path.write_text(text, encoding="utf-8")

    def add_settings(self, text: str) -> None:
        """Append tables to the settings file."""
        with (self.folder / "config.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    def add_to_section(self, section: str, line: str) -> None:
        """Add a `key = value` line to a section of the settings file that is there."""
        path = self.folder / "config.toml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"\n[{section}]\n", f"\n[{section}]\n{line}\n", 1), encoding="utf-8")

    def holds(self, *orders: Mapping[str, Any]) -> None:
        """Give Magento these orders, and PRIMA an item for each of their SKUs."""
        documents = json.loads(json.dumps(orders, default=float))
        self.magento.load_orders(documents)
        self.prima.items_from_orders(documents)

    def ledger(self) -> AbstractContextManager[Ledger]:
        """Open the ledger."""
        return connect.open_ledger(self.settings)

    def open_codes(self, codes: Iterable[str] = ()) -> dict[str, str]:
        """Return the code of each open exception by subject; only these codes where some are named."""
        with self.ledger() as ledger:
            wanted = set(codes)
            return {note.subject: note.code for note in ledger.exceptions() if not wanted or note.code in wanted}

    def command(
        self, *words: str, environment: Mapping[str, str] | None = None, is_fresh: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run `magento-prima` in a process of its own and return what it printed.

        The process is forked from one that has imported the command line; with `is_fresh` a new interpreter is started
        for it. It works against the Prefect server of the session; with `PREFECT_API_URL=""` in the environment it
        brings up one of its own, which takes seconds.
        """
        server = {"PREFECT_API_URL": PREFECT_API_URL.value() or ""}
        whole = {**os.environ, **server, **self.environment, **(environment or {})}
        if not is_fresh:
            return commands.run(words, whole)
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *words],
            env=whole,
            capture_output=True,
            text=True,
            timeout=commands.LONGEST_SECONDS,
            check=False,
        )
