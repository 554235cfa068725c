"""Rows → one array literal per column, for `unnest`: measured a third cheaper than one JSON document of all rows.

The type of a column follows from the row class: what a field may hold says how it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson


def _quoted(text: str) -> str:
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: Any) -> str:
    return _quoted(orjson.dumps(value).decode())


def _texts(value: Iterable[str]) -> str:
    return _quoted("{" + ",".join(map(_quoted, value)) + "}")


# Python type → type in unnest, type it is cast to, how one value is written in an array literal.
_SCALARS: Mapping[type, tuple[str, str, Callable[[Any], str]]] = {
    UUID: ("uuid", "", str),
    int: ("bigint", "", str),
    bool: ("boolean", "", str),
    str: ("text", "", _quoted),
    datetime: ("timestamptz", "", datetime.isoformat),
    date: ("date", "", date.isoformat),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a row class: `wire` is its type in unnest, `cast` what the select makes of it (empty: nothing)."""

    name: str
    wire: str
    cast: str
    write: Callable[[Any], str]


_KNOWN: dict[type[Any], tuple[Column, ...]] = {}


def columns_of(row: type[Any]) -> tuple[Column, ...]:
    """The columns of a row class, in its order."""
    known = _KNOWN.get(row)
    if known is None:
        hints = get_type_hints(row)
        known = _KNOWN[row] = tuple(Column(field.name, *_kind(hints[field.name])) for field in fields(row))
    return known


def _kind(hint: Any) -> tuple[str, str, Callable[[Any], str]]:
    if NoneType in get_args(hint):
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if get_origin(hint) is Sequence and get_args(hint) == (str,):
        return "text", "text[]", _texts
    return "text", "jsonb", _json


def array_literals(columns: Sequence[Column], rows: Sequence[Any]) -> list[str]:
    """For each column, the array literal of that column's value in every row."""
    literals = []
    for column in columns:
        name, write = column.name, column.write
        values = (getattr(row, name) for row in rows)
        literals.append("{" + ",".join(["NULL" if value is None else write(value) for value in values]) + "}")
    return literals
