"""Writes a batch of events to the read tables: folded in memory first, then one statement per table and kind of change.

COPY cannot be used: PostgreSQL refuses it on tables under forced row-level security.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection, Cursor, sql
from psycopg.types.json import set_json_loads

from tongban.domain.recorded import Recorded
from tongban.projections.columns import Column, array_literals, columns_of
from tongban.projections.projection import DerivedTable, LogTable, PoisonEvent, Projection, StreamTable

AnyCursor = Cursor[tuple[Any, ...]]
AnyConnection = Connection[tuple[Any, ...]]


def apply_events(cursor: AnyCursor, projections: Sequence[Projection], events: Sequence[Recorded]) -> None:
    """Apply `events` to `projections`, in the caller's transaction, whose search_path names the read schema.

    Events of one stream come in version order. Those already applied are skipped. Raises PoisonEvent for one that
    cannot be applied or that leaves a gap; then the transaction is to be rolled back.
    """
    fresh: set[int] = set()
    conn = cursor.connection
    # Pipelined: PostgreSQL writes the rows of one table while those of the next are folded here.
    with conn.pipeline():
        loading = [
            _Loading(conn, table, mine)
            for table in projections
            if isinstance(table, StreamTable) and (mine := [r for r in events if r.event.__class__ in table.events])
        ]
        for loaded in loading:
            derived = [p for p in projections if isinstance(p, DerivedTable) and p.source is loaded.table]
            fresh |= _fold(conn, loaded, derived)
        for table in projections:
            if isinstance(table, LogTable):
                new = [r for r in events if r.position in fresh and r.event.__class__ in table.events]
                rows = [_guarded(table.name, recorded, table.entry, recorded) for recorded in new]
                _upsert(conn, table.name, table.row, (), rows)


class _Loading:
    """The rows of a stream table that a batch will change, asked for at once and read when they are needed."""

    def __init__(self, conn: AnyConnection, table: StreamTable[Any], events: Sequence[Recorded]) -> None:
        self.table = table
        self.events = events
        self._cursor = conn.cursor(binary=True)
        set_json_loads(orjson.loads, self._cursor)
        streams = list({recorded.envelope.stream for recorded in events})
        self._cursor.execute(_load_statement(table.name, columns_of(table.row)), (streams,))

    def rows(self) -> dict[UUID, Any]:
        make = self.table.row
        with self._cursor as cursor:
            rows = [make(*record) for record in cursor.fetchall()]
        return {row.id: row for row in rows}


def _fold(conn: AnyConnection, loading: _Loading, derived: Sequence[DerivedTable[Any, Any]]) -> set[int]:
    """Fold a stream table's events and write what changed. Returns the positions that were new to it."""
    table = loading.table
    before = loading.rows()
    after = dict(before)
    changed: dict[UUID, Any] = {}
    fresh: set[int] = set()
    for recorded in loading.events:
        envelope = recorded.envelope
        row = after.get(envelope.stream)
        applied = row.version if row is not None else 0
        if envelope.version <= applied:
            continue
        if envelope.version > applied + 1:
            raise PoisonEvent(
                envelope.stream,
                recorded.position,
                f"{table.name}: version {envelope.version} follows version {applied}, a gap",
            )
        row = _guarded(table.name, recorded, table.fold, row, recorded)
        after[envelope.stream] = changed[envelope.stream] = row
        fresh.add(recorded.position)
    _upsert(conn, table.name, table.row, ("id",), changed.values())
    for child in derived:
        _apply_derived(conn, child, before, changed)
    return fresh


def _guarded(name: str, recorded: Recorded, step: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return step(*arguments)
    except Exception as error:  # noqa: BLE001 (whatever it is, this event cannot be folded)
        # Not the error's text: it may hold a value of the event.
        problem = f"{name}: {recorded.envelope.type} cannot be folded ({type(error).__name__})"
        raise PoisonEvent(recorded.envelope.stream, recorded.position, problem) from None


def _apply_derived(
    conn: AnyConnection, table: DerivedTable[Any, Any], before: dict[UUID, Any], changed: dict[UUID, Any]
) -> None:
    def keyed(row: Any) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in table.key)

    gone: list[Any] = []
    new: list[Any] = []
    for stream, row in changed.items():
        old = before.get(stream)
        held = {keyed(child): child for child in table.rows(old)} if old is not None else {}
        wanted = {keyed(child): child for child in table.rows(row)}
        gone += [child for key, child in held.items() if key not in wanted]
        new += [child for key, child in wanted.items() if held.get(key) != child]
    if gone:
        key = tuple(column for column in columns_of(table.row) if column.name in table.key)
        gone = [tuple(getattr(child, column.name) for column in key) for child in gone]
        conn.execute(_delete_statement(table.name, key), array_literals(key, gone))
    _upsert(conn, table.name, table.row, table.key, new)


def _upsert(conn: AnyConnection, name: str, row: type[Any], key: tuple[str, ...], rows: Iterable[Any]) -> None:
    if rows := list(rows):
        columns = columns_of(row)
        conn.execute(_upsert_statement(name, columns, key), array_literals(columns, rows))


@cache
def _load_statement(name: str, columns: tuple[Column, ...]) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {} WHERE id = ANY(%s)").format(_list(c.name for c in columns), sql.Identifier(name))


@cache
def _upsert_statement(name: str, columns: tuple[Column, ...], key: tuple[str, ...]) -> sql.Composed:
    names = [column.name for column in columns]
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
        sql.Identifier(name), _list(names), sql.SQL(", ").join(map(_cast, columns)), _unnest(columns)
    )
    if not key:
        return statement
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in names if column not in key
    )
    return statement + sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(_list(key), changes)


@cache
def _delete_statement(name: str, key: tuple[Column, ...]) -> sql.Composed:
    same = sql.SQL(" AND ").join(sql.SQL("kept.{0} = given.{0}").format(sql.Identifier(column.name)) for column in key)
    return sql.SQL("DELETE FROM {} AS kept USING {} WHERE {}").format(sql.Identifier(name), _unnest(key), same)


def _list(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _unnest(columns: tuple[Column, ...]) -> sql.Composed:
    # The type names are this program's own words (columns._SCALARS), never data.
    arrays = sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(column.wire)) for column in columns)
    return sql.SQL("unnest({}) AS given ({})").format(arrays, _list(column.name for column in columns))


def _cast(column: Column) -> sql.Composable:
    name = sql.SQL("given.{}").format(sql.Identifier(column.name))
    return name + sql.SQL("::" + column.cast) if column.cast else name
