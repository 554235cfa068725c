"""A story, applied: events in the read tables of a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from psycopg import Connection, Cursor

from tests.servers import Database
from tongban.domain.recorded import Recorded
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.read_access import ReadAccess
from tongban.projections.registry import PROJECTIONS, apply_batch


@dataclass
class ReadTables:
    """The read tables of one database, as the projector writes them."""

    database: Database
    conn: Connection[tuple[Any, ...]]

    def apply(self, events: Sequence[Recorded], *, schema: str = "read") -> None:
        """Apply one batch in one transaction."""
        with self.conn.transaction(), self.conn.cursor() as cursor:
            cursor.execute(f"SET LOCAL search_path TO {schema}")
            apply_batch(cursor, events)

    def apply_in(self, batches: Iterable[Sequence[Recorded]]) -> None:
        """Apply several batches."""
        for batch in batches:
            self.apply(batch)

    def rows(self, table: str, order: str = "1") -> list[tuple[Any, ...]]:
        """Every row of a table."""
        return self.conn.execute(f"SELECT * FROM read.{table} ORDER BY {order}").fetchall()

    def texts(self) -> dict[str, list[str]]:
        """Every row of every table, as text, sorted."""
        return {
            p.name: sorted(row[0] for row in self.conn.execute(f"SELECT t::text FROM read.{p.name} t").fetchall())
            for p in PROJECTIONS
        }

    @contextmanager
    def selecting(self) -> Iterator[Cursor[tuple[Any, ...]]]:
        """A cursor on the read tables that sees everything."""
        with self.conn.transaction(), self.conn.cursor() as cursor:
            cursor.execute("SET LOCAL search_path TO read")
            yield cursor


@pytest.fixture
def tables(database: Database) -> Iterator[ReadTables]:
    """Empty read tables."""
    with connect(database.url, DbRole.PROJECTOR) as conn:
        yield ReadTables(database, conn)


@pytest.fixture
def access(tables: ReadTables) -> Iterator[ReadAccess]:
    """The reader's door to them."""
    with open_pool(tables.database.url, DbRole.READER, size=2) as pool:
        yield ReadAccess(pool)
