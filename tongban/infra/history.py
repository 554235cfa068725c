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

StoredRow = tuple[int, UUID, int, str, bytes]
"""Position, stream, version, type, bytes."""

_STREAMS = """
SELECT notification_id, originator_id, originator_version, topic, state FROM events.stored_events
WHERE originator_id = ANY(%s) ORDER BY notification_id
"""

_WINDOW = """
SELECT notification_id, originator_id, originator_version, topic, state FROM events.stored_events
WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""


def case_rows(conn: Connection[tuple[Any, ...]], case_id: UUID) -> list[StoredRow]:
    """The stored rows of a case, of its licence and of its rating, in the order of the store. Empty: no such case."""
    case = conn.execute(_STREAMS, ([case_id],)).fetchall()
    if not case:
        return []
    events = (decode(state, position).event for position, _, _, _, state in case)
    related = [event.licence_id for event in events if isinstance(event, LicenceIssued)]
    others = conn.execute(_STREAMS, ([*related, rating_stream(case_id)],)).fetchall()
    return sorted([*case, *others])


def case_history(conn: Connection[tuple[Any, ...]], case_id: UUID, unsealer: Unsealer | None = None) -> list[Recorded]:
    """The same as events; personal fields are unsealed where an unsealer is given."""
    return [decode(state, position, unsealer) for position, _, _, _, state in case_rows(conn, case_id)]


def all_events(conn: Connection[tuple[Any, ...]], *, after: int = 0, window: int = 2_000) -> Iterator[StoredRow]:
    """Every event after a position, in order, in bounded memory."""
    while rows := conn.execute(_WINDOW, (after, window)).fetchall():
        yield from rows
        after = rows[-1][0]


def last_position(conn: Connection[tuple[Any, ...]]) -> int:
    """The position of the newest event; 0 when there is none."""
    row = conn.execute("SELECT coalesce(max(notification_id), 0) FROM events.stored_events").fetchone()
    return int(row[0]) if row else 0


def count(conn: Connection[tuple[Any, ...]]) -> int:
    """How many events there are."""
    row = conn.execute("SELECT count(*) FROM events.stored_events").fetchone()
    return int(row[0]) if row else 0
