"""What is asked about commands outside the writer's thread: what changed a stream, and how far a batch has come.

Its few connections are its own, so that whoever asks much here never holds up an append.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from tongban.commands.ports import LoggedAnswer
from tongban.commands.requests import Unavailable
from tongban.infra.event_store import ANSWERS

MOST_CHANGES = 20
"""Events that are told of a stream that changed: the newest."""

# The envelope alone is looked at, and never a field of the event: those may be personal.
_CHANGES = """
SELECT wanted.place, e.originator_version, e.topic, e.state::json ->> 'effective_at',
       e.state::json -> 'actor' ->> 'role', e.state::json -> 'actor' ->> 'department'
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS wanted (stream, after, upto, place)
CROSS JOIN LATERAL (
    SELECT originator_version, topic, convert_from(state, 'UTF8') AS state FROM events.stored_events
    WHERE originator_id = wanted.stream AND originator_version > wanted.after AND originator_version <= wanted.upto
    ORDER BY originator_version DESC LIMIT %s
) AS e
ORDER BY wanted.place, e.originator_version
"""


class Seen(NamedTuple):
    """A stream that was seen at version `expected` and is at version `current`."""

    stream: UUID
    expected: int
    current: int


class CommandBatch(NamedTuple):
    """A batch as it was first given. `answer` is what was sent, once every command had its outcome."""

    id: UUID
    command: str
    fingerprint: bytes
    size: int
    answer: bytes | None


class CommandRecords:
    """Looks up and keeps what the API tells of commands. Thread-safe; a call may wait. Each raises Unavailable."""

    def __init__(self, pool: ConnectionPool[Connection[tuple[Any, ...]]]) -> None:
        """`pool` connects in the writer role."""
        self._pool = pool

    def changes(self, wanted: Sequence[Seen]) -> list[list[dict[str, Any]]]:
        """For each stream what happened since it was seen, newest last, at most MOST_CHANGES.

        Persons are told by role and department only.
        """
        found: list[list[dict[str, Any]]] = [[] for _ in wanted]
        columns = ([w.stream for w in wanted], [w.expected for w in wanted], [w.current for w in wanted])
        with self._connection() as conn:
            rows = conn.execute(_CHANGES, (*columns, MOST_CHANGES))
            for place, version, event_type, effective_at, role, department in rows:
                found[place - 1].append(
                    {
                        "version": version,
                        "type": event_type,
                        "effective_at": effective_at,
                        "actor": {"role": role, "department": department},
                    }
                )
        return found

    def open_batch(self, principal: str, batch: CommandBatch) -> CommandBatch:
        """Keep a batch before its first command is given. Returns the one that was kept under this id first."""
        with self._connection() as conn:
            conn.execute(
                "INSERT INTO events.command_batch (principal, id, command, fingerprint, size)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (principal, *batch[:4]),
            )
            kept = _find(conn, principal, batch.id)
        return kept or batch

    def find_batch(self, principal: str, batch: UUID) -> CommandBatch | None:
        """The batch that this principal gave under this id."""
        with self._connection() as conn:
            return _find(conn, principal, batch)

    def close_batch(self, principal: str, batch: UUID, answer: bytes) -> bytes:
        """Keep what is answered. Returns what was kept first: two who did one batch side by side answer the same."""
        with self._connection() as conn:
            conn.execute(
                "UPDATE events.command_batch SET answer = %s WHERE (principal, id) = (%s, %s) AND answer IS NULL",
                (answer, principal, batch),
            )
            kept = _find(conn, principal, batch)
        return kept.answer if kept is not None and kept.answer is not None else answer

    def answers(self, principal: str, keys: Sequence[UUID]) -> dict[UUID, LoggedAnswer]:
        """Idempotency key → what was answered to it, for those that were done."""
        with self._connection() as conn, conn.cursor(binary=True) as cursor:
            rows = cursor.execute(ANSWERS, ([principal] * len(keys), list(keys)))
            return {
                key: LoggedAnswer(who, key, fingerprint, stream, version, number, tuple(types), position)
                for who, key, fingerprint, stream, version, number, types, position in rows
            }

    @contextmanager
    def _connection(self) -> Iterator[Connection[tuple[Any, ...]]]:
        try:
            with self._pool.connection() as conn:
                yield conn
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:
            raise Unavailable(reason="the command log cannot be read") from error


def _find(conn: Connection[tuple[Any, ...]], principal: str, batch: UUID) -> CommandBatch | None:
    row = conn.execute(
        "SELECT id, command, fingerprint, size, answer FROM events.command_batch WHERE (principal, id) = (%s, %s)",
        (principal, batch),
    ).fetchone()
    return CommandBatch(*row) if row else None
