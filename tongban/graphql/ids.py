"""Ids: the same in GraphQL as in commands, on topics and on the command line, so that nobody has to translate them.

UUIDs name parties, cases and licences; catalogue ids name service items. They are unique across types, which is all
that global object identification asks for.
"""

from __future__ import annotations

from uuid import UUID


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
