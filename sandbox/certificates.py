"""One certificate authority in place of all of them, for processes that reach Prefect without TLS.

Each client that Prefect opens reads the whole list of authorities first, though its address is `http://`: 24 ms, dozens
of times in a flow run. With one entry in the list it takes half a millisecond.
"""

from pathlib import Path

import certifi

END = "-----END CERTIFICATE-----\n"


def write_one(folder: Path) -> Path:
    """Write the first authority of the usual list to a file for PREFECT_API_SSL_CERT_FILE; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "one-authority.pem"
    path.write_text(certifi.contents().partition(END)[0] + END, encoding="ascii", errors="replace")
    return path.resolve()
