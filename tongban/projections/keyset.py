"""Pages by key: a cursor names the order key of the last row seen, so a page never shifts when rows arrive."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

LARGEST_PAGE = 100
_LONGEST_CURSOR = 500  # characters; ours are shorter

Row = TypeVar("Row")


class BadCursor(ValueError):
    """The cursor is not one this list gave out: take `endCursor` of its last page, unchanged."""


class BadPageSize(ValueError):
    """`first` must be between 1 and 100."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Up to `first` rows, each with its cursor, and whether more follow."""

    rows: Sequence[tuple[str, Row]]
    has_next: bool


@dataclass(frozen=True, slots=True)
class Keyset(Generic[Row]):
    """The order of one list: its name (written into its cursors), the key of a row, and how each part is read back."""

    name: str
    key: Callable[[Row], tuple[Any, ...]]
    parts: tuple[Callable[[str], Any], ...]

    def encode(self, row: Row) -> str:
        """The cursor of a row: opaque to clients, URL-safe."""
        text = json.dumps([self.name, *map(_text, self.key(row))], ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")

    def decode(self, cursor: str) -> tuple[Any, ...]:
        """The key in a cursor. Raises BadCursor."""
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            name, *key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if name != self.name or len(cursor) > _LONGEST_CURSOR:
                raise BadCursor(BadCursor.__doc__)
            return tuple(read(part) for read, part in zip(self.parts, key, strict=True))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, binascii.Error):
            raise BadCursor(BadCursor.__doc__) from None

    def page(self, rows: Sequence[Row], first: int) -> Page[Row]:
        """A page of the `first + 1` rows (or fewer) that were selected."""
        return Page([(self.encode(row), row) for row in rows[:first]], has_next=len(rows) > first)


def check_first(first: int) -> int:
    """`first`, if it is within bounds. Raises BadPageSize."""
    if not 1 <= first <= LARGEST_PAGE:
        raise BadPageSize(BadPageSize.__doc__)
    return first


def read_moment(text: str) -> datetime:
    """A moment with its offset. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without offset")
    return moment


def read_uuid(text: str) -> UUID:
    """A UUID. Raises ValueError."""
    return UUID(text)


def read_position(text: str) -> int:
    """A position within bigint. Raises ValueError."""
    position = int(text)
    if not 0 <= position < 2**63:
        raise ValueError("not a position")
    return position


def read_code(text: str) -> str:
    """A catalogue code. Raises ValueError."""
    if b"\0" in text.encode():  # nor a lone surrogate, whose encoding is a ValueError
        raise ValueError("a NUL")
    return text


def _text(part: Any) -> str:
    return part.isoformat() if isinstance(part, datetime) else str(part)
