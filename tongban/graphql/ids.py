"""Global ids (Relay): base64 of `Type:key`. What is not an id names nothing; it is never an error."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID


def global_id(kind: str, key: object) -> str:
    """The global id of an object: its GraphQL type and its key."""
    return base64.b64encode(f"{kind}:{key}".encode()).decode("ascii")


def split_global_id(text: str) -> tuple[str, str] | None:
    """Type and key of a global id, or None."""
    try:
        kind, colon, key = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
    except (ValueError, binascii.Error):
        return None
    return (kind, key) if colon and "\0" not in key else None


def key_of(text: str, kind: str) -> UUID | None:
    """The UUID in a global id of `kind`, or in a plain UUID; None if it is neither."""
    split = split_global_id(text)
    if split is not None:
        text = split[1] if split[0] == kind else ""
    return uuid_of(text)


def uuid_of(text: str) -> UUID | None:
    """A UUID, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def askable(text: str) -> bool:
    """Whether PostgreSQL can be asked for this text at all (no NUL, no lone surrogate)."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text
