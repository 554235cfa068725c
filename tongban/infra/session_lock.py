"""A lock that is held by one process at a time, for as long as its database session lives.

In: a connection of its own and a lock id. The lock is lost silently when the session ends, so the holder probes it
before each step that rests on it. A holder that was stopped (not killed) loses it too: PostgreSQL ends a session that
has been silent for `SILENCE`.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection

from tongban.infra.database import DbRole, connect

RELAY_LEADER = 7302
"""Advisory lock of the relay that may publish."""
READ_TABLES = 7303
"""Advisory lock of a transaction on the read tables: appliers share it, what replaces or repairs them does not."""

SILENCE = 15
"""Seconds."""


class LockLost(Exception):
    """The session that held a lock is gone; another process may hold the lock now."""


def end_when_silent(conn: Connection[tuple[Any, ...]], seconds: int = SILENCE) -> None:
    """Let PostgreSQL end this session when its process has stopped, so that its locks pass on."""
    conn.execute(f"SET idle_session_timeout = '{seconds}s'")
    conn.execute(f"SET idle_in_transaction_session_timeout = '{seconds}s'")


class SessionLock:
    """One advisory lock on a connection of its own. Probe it at least every few seconds."""

    def __init__(self, url: str, role: DbRole, lock: int) -> None:
        self._lock = lock
        self._conn = connect(url, role)
        end_when_silent(self._conn)

    def try_acquire(self) -> bool:
        """Whether the lock is ours now. Does not wait."""
        row = self._conn.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,)).fetchone()
        return bool(row and row[0])

    def probe(self) -> None:
        """Return if the session still lives. Raises LockLost."""
        try:
            self._conn.execute("SELECT 1")
        except psycopg.Error as error:
            raise LockLost(f"the session that held lock {self._lock} ended ({type(error).__name__})") from error

    def close(self) -> None:
        """End the session, and with it the lock."""
        self._conn.close()
