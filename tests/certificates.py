"""Certificates that tests sign for themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

END_OF_CERTIFICATE = "-----END CERTIFICATE-----\n"


def certificate(folder: Path, name: str, *, password: str = "") -> tuple[Path, Path]:
    """A certificate that signs itself, for localhost, and its key, encrypted where there is a password."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password.encode())
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return paths


def one_authority(folder: Path) -> Path:
    """Return a file in a folder with one of the authorities that everybody trusts, for clients that speak no TLS.

    A client loads every authority that it trusts when it is made, needed or not: some 25 ms for those of a machine.
    """
    file = folder / "authority.pem"
    if not file.exists():
        whole = Path(certifi.where()).read_text(encoding="utf-8")
        file.write_text(whole[: whole.index(END_OF_CERTIFICATE)] + END_OF_CERTIFICATE, encoding="utf-8")
    return file
