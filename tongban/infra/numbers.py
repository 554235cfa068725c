"""Serial numbers in blocks: one look at the database gives a process a thousand. Gaps are allowed, repeats are not."""

from __future__ import annotations

from threading import Lock
from typing import Any

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from tongban.commands.ports import LogUnavailable

BLOCK = 1000


class SerialNumbers:
    """Serial numbers of the whole store, each given out once. Thread-safe."""

    def __init__(self, pool: ConnectionPool[Connection[tuple[Any, ...]]]) -> None:
        """`pool` connects in the writer role."""
        self._pool = pool
        self._lock = Lock()
        self._next = self._end = 0

    def next(self) -> int:
        """The next number. Raises LogUnavailable."""
        with self._lock:
            if self._next == self._end:
                try:
                    with self._pool.connection() as conn:
                        row = conn.execute("SELECT nextval('events.human_number')").fetchone()
                except (psycopg.Error, PoolTimeout) as error:
                    raise LogUnavailable(f"no serial numbers can be had ({type(error).__name__})") from error
                assert row is not None
                self._next = (row[0] - 1) * BLOCK + 1
                self._end = row[0] * BLOCK + 1
            number = self._next
            self._next += 1
            return number
