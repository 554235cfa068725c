"""Rows → one array literal per column, for `unnest`: measured a third cheaper than one JSON document of all rows.

The type of a column follows from the row class (a NamedTuple): what a field may hold says how it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson

Write = Callable[[Sequence[Any]], str]


def _plain(write: Callable[[Any], str]) -> Write:
    def join(values: Sequence[Any]) -> str:
        return ",".join(map(write, values))

    return join


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _texts(values: Sequence[str]) -> str:
    return ",".join([f'"{_escaped(value)}"' for value in values])


def _json(values: Sequence[Any]) -> str:
    # JSON holds no raw control character: one can stand between the documents while all are escaped at once.
    documents = b"\x01".join(map(orjson.dumps, values)).decode()
    return f'"{_escaped(documents)}"'.replace("\x01", '","')


def _lists(values: Sequence[Iterable[str]]) -> str:
    return _texts(["{" + _texts(list(value)) + "}" for value in values])


def _hex(value: UUID) -> str:
    return value.hex


# Python type → type in unnest, type it is cast to (empty: none), how values are written in an array literal.
_SCALARS: Mapping[type, tuple[str, str, Write]] = {
    UUID: ("uuid", "", _plain(_hex)),
    int: ("bigint", "", _plain(str)),
    bool: ("boolean", "", _plain(str)),
    str: ("text", "", _texts),
    datetime: ("timestamptz", "", _plain(datetime.isoformat)),
    date: ("date", "", _plain(date.isoformat)),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a row class: `wire` is its type in unnest, `cast` what the select makes of it (empty: nothing)."""

    name: str
    wire: str
    cast: str
    nullable: bool
    write: Write

    def literal(self, values: Sequence[Any]) -> str:
        """The array literal of values."""
        if self.nullable and None in values:
            parts = ["NULL" if value is None else self.write((value,)) for value in values]
            return "{" + ",".join(parts) + "}"
        return "{" + self.write(values) + "}"


_KNOWN: dict[type[Any], tuple[Column, ...]] = {}


def columns_of(row: type[Any]) -> tuple[Column, ...]:
    """The columns of a row class, in its order."""
    known = _KNOWN.get(row)
    if known is None:
        known = _KNOWN[row] = tuple(_column(name, hint) for name, hint in get_type_hints(row).items())
    return known


def _column(name: str, hint: Any) -> Column:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    nullable = NoneType in get_args(hint)
    if nullable:
        (hint,) = kinds
    if hint in _SCALARS:
        wire, cast, write = _SCALARS[hint]
    elif get_origin(hint) is Sequence and get_args(hint) == (str,):
        wire, cast, write = "text", "text[]", _lists
    else:
        wire, cast, write = "text", "jsonb", _json
    return Column(name, wire, cast, nullable, write)


def array_literals(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """For each column, the array literal of that column's value in every row."""
    return [column.literal(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]
