"""Waiting for new events: PostgreSQL's NOTIFY of an append, and a poll because a notification is only a hint."""

from __future__ import annotations

import contextlib

from psycopg import sql

from tongban.infra.database import DbRole, connect

CHANNEL = "stored_events"
POLL_SECONDS = 0.2


class Wakeup:
    """Listens on a connection of its own. Raises psycopg.OperationalError when that connection is lost."""

    def __init__(self, url: str, role: DbRole) -> None:
        self._conn = connect(url, role)
        self._conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))

    def wait(self, seconds: float = POLL_SECONDS) -> None:
        """Return when something was appended, at the latest after `seconds`."""
        with contextlib.closing(self._conn.notifies(timeout=seconds, stop_after=1)) as notifications:
            for _ in notifications:
                return

    def close(self) -> None:
        """End the connection."""
        self._conn.close()
