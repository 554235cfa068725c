"""Reading the event store: one case with what belongs to it, or every event in order. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from psycopg import Connection

from tongban.domain.case.events import LicenceIssued
from tongban.domain.ids import rating_stream
from tongban.domain.personal import Unsealer
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import decode

_STREAMS = """
SELECT notification_id, state FROM events.stored_events
WHERE originator_id = ANY(%s) ORDER BY notification_id
"""

_WINDOW = """
SELECT notification_id, originator_id, originator_version, topic, state FROM events.stored_events
WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""


def case_history(conn: Connection[tuple[Any, ...]], case_id: UUID, unsealer: Unsealer | None = None) -> list[Recorded]:
    """The events of a case, of its licence and of its rating, in the order of the store. Empty: no such case."""
    case = [decode(state, position, unsealer) for position, state in conn.execute(_STREAMS, ([case_id],)).fetchall()]
    if not case:
        return []
    related = [recorded.event.licence_id for recorded in case if isinstance(recorded.event, LicenceIssued)]
    rows = conn.execute(_STREAMS, ([*related, rating_stream(case_id)],)).fetchall()
    others = [decode(state, position, unsealer) for position, state in rows]
    return sorted(case + others, key=lambda recorded: recorded.position)


def all_events(
    conn: Connection[tuple[Any, ...]], *, after: int = 0, window: int = 2_000
) -> Iterator[tuple[int, UUID, int, str, bytes]]:
    """(position, stream, version, type, bytes) of every event after a position, in order, in bounded memory."""
    while rows := conn.execute(_WINDOW, (after, window)).fetchall():
        yield from rows
        after = rows[-1][0]


def last_position(conn: Connection[tuple[Any, ...]]) -> int:
    """The position of the newest event; 0 when there is none."""
    row = conn.execute("SELECT coalesce(max(notification_id), 0) FROM events.stored_events").fetchone()
    return int(row[0]) if row else 0
