"""Secrets by name: from the environment, or from the look-up that the caller gives."""

import os
from collections.abc import Callable

from tasks.errors import ConfigurationError

OAUTH_SECRETS = (
    "MAGENTO_CONSUMER_KEY",
    "MAGENTO_CONSUMER_SECRET",
    "MAGENTO_ACCESS_TOKEN",
    "MAGENTO_ACCESS_TOKEN_SECRET",
)
SECRETS = (
    *OAUTH_SECRETS,
    "PRIMA_PASSWORD",
    "PRIMA_REPORTING_PASSWORD",
    "PRIMA_HEADER_VALUE",
    "PRIMA_PROXY_PASSWORD",
    "PRIMA_CLIENT_KEY_PASSWORD",
    "MAIL_PASSWORD",
)

SecretLookup = Callable[[str], str | None]


def no_lookup(name: str) -> str | None:
    """The look-up of secrets that knows none: only the environment counts."""
    return None


class Secrets:
    """Secrets by name: the environment first, then the look-up; never printed, never logged."""

    def __init__(self, lookup: SecretLookup = no_lookup) -> None:
        self._lookup = lookup

    def __repr__(self) -> str:
        return "Secrets(...)"

    def get(self, name: str) -> str:
        """Return the secret, or an empty string where it is set nowhere."""
        if name not in SECRETS:
            raise KeyError(f"{name} is not a known secret")
        return os.environ.get(name, "") or self._lookup(name) or ""

    def require(self, *names: str) -> list[str]:
        """Return the secrets in order; raises ConfigurationError that names all that are set nowhere."""
        values = [self.get(name) for name in names]
        missing = [name for name, value in zip(names, values, strict=True) if not value]
        if missing:
            blocks = ", ".join(name.lower().replace("_", "-") for name in missing)
            raise ConfigurationError(
                f"{', '.join(missing)} not set: neither in the environment nor as Prefect Secret blocks ({blocks}).",
                problems=[f"{name} is not set" for name in missing],
                system="settings",
            )
        return values
