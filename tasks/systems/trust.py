"""Whose certificates are trusted, read once: that takes 20 ms, and every step opens its systems anew."""

import os
import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

Usual = Callable[[], ssl.SSLContext]


def authorities(ca_file: str, usual: Usual) -> ssl.SSLContext:
    """Return a context that trusts the authorities of the file, else the `usual` ones; its users must not change it.

    One context is shared while the file, and what SSL_CERT_FILE and SSL_CERT_DIR name, is as it was. Raises OSError or
    ssl.SSLError for a file that cannot be read.
    """
    named = (ca_file, os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
    return _kept(ca_file, usual, tuple((name, _state(name)) for name in named))


def read_authorities(ca_file: str, usual: Usual) -> ssl.SSLContext:
    """Return such a context for its caller alone."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else usual()


@lru_cache(8)
def _kept(ca_file: str, usual: Usual, state: tuple[object, ...]) -> ssl.SSLContext:
    return read_authorities(ca_file, usual)


def _state(path: str) -> tuple[int, int] | None:
    """Return what changes with a file's content; None where there is none, which reading it will tell."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
