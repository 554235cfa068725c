"""Reading rows: a select's columns are the fields of the row class it fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from psycopg import Cursor, sql

from tongban.projections.columns import columns_of

Row = TypeVar("Row")


def selecting(table: str, row: type[Any]) -> sql.Composed:
    """`SELECT <the row's columns> FROM table`."""
    names = [sql.Identifier(column.name) for column in columns_of(row)]
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(names), sql.Identifier(table))


def fetch(
    cursor: Cursor[Any], row: type[Row], query: sql.Composed, parameters: Sequence[Any] | Mapping[str, Any]
) -> list[Row]:
    """The rows of a select."""
    cursor.execute(query, parameters)
    return [row(*record) for record in cursor.fetchall()]


def fetch_one(
    cursor: Cursor[Any], row: type[Row], query: sql.Composed, parameters: Sequence[Any] | Mapping[str, Any]
) -> Row | None:
    """The only row of a select, or None."""
    cursor.execute(query, parameters)
    record = cursor.fetchone()
    return None if record is None else row(*record)
