"""Secrets that must not stand in the database: the key-encryption key and the pepper of the identifier index.

Each is a file of 64 hex digits in the secrets folder, mode 0600. Development makes them on first use; where the folder
is mounted from a vault or HSM agent, they are only read.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

KEY_ENCRYPTION_KEY = "key-encryption-key"
IDENTIFIER_PEPPER = "identifier-pepper"
_BYTES = 32


class BrokenSecret(Exception):
    """A secret file is not readable or not 64 hex digits; the message names the file."""


def load_secret(folder: Path, name: str) -> bytes:
    """The 32 bytes of a secret, made and kept if the file does not exist. Safe for two processes at once."""
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = folder / f".{name}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # fails if another process was first; then its secret is the one
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    try:
        value = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise BrokenSecret(f"{path}: cannot be read as 64 hex digits: restore it from its backup") from error
    if len(value) != _BYTES:
        raise BrokenSecret(f"{path}: holds {len(value)} bytes, 32 are needed: restore it from its backup")
    return value
