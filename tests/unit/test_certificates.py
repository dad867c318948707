"""The one certificate authority that processes of a demo or a test know is a real one."""

import ssl
from pathlib import Path

from sandbox import certificates


def test_a_tls_context_can_be_made_from_the_one_authority(tmp_path: Path) -> None:
    path = certificates.write_one(tmp_path / "new" / "folder")

    assert len(ssl.create_default_context(cafile=str(path)).get_ca_certs()) == 1
