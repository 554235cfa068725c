"""Secrets that must not stand in the database: the key-encryption key and the pepper of the identifier index.

Each is a file of 64 hex digits in the secrets folder, mode 0600. Development makes them on first use; where the folder
is mounted from a vault or HSM agent, they are only read.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

KEY_ENCRYPTION_KEY = "key-encryption-key"
IDENTIFIER_PEPPER = "identifier-pepper"
_BYTES = 32


class BrokenSecret(Exception):
    """A secret file is not readable or not 64 hex digits; the message names the file."""


def load_secret(folder: Path, name: str) -> bytes:
    """The 32 bytes of a secret, made and kept if the file does not exist. Safe for two processes at once."""
    path = folder / name
    try:
        if not path.exists():
            _make(path)
    except OSError as error:
        raise BrokenSecret(f"{path}: cannot be made ({error.strerror}): check the secrets folder") from error
    try:
        value = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise BrokenSecret(f"{path}: cannot be read as 64 hex digits: restore it from its backup") from error
    if len(value) != _BYTES:
        raise BrokenSecret(f"{path}: holds {len(value)} bytes, 32 are needed: restore it from its backup")
    return value


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A name that no killed process can have left behind; mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first; then its secret is the one
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
