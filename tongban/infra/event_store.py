"""The event store: the eventsourcing library's PostgreSQL recorder, with our append order, command log and batch reads.

What is changed of the library, and why:
- Append order is kept by an advisory lock instead of the table lock: commit order is position order all the same, and
  ANALYZE, autovacuum and index builds are not shut out.
- Events are inserted from arrays of columns, so that a batch costs one statement without a composite type.
- The command log and the identifier index are written in the transaction of the events.
- A batch is one transaction that is sent whole and waited for later, without the library's retries: after a lost
  connection its retry would report our own commit as a conflict.
The library's database functions must stay off: with them a tailing reader loses events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError, PersistenceError
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection, Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow
from psycopg.sql import SQL

from tongban.commands.ports import (
    NOTHING_RELIED_ON,
    LoggedAnswer,
    LogUnavailable,
    NewEvent,
    Reading,
    StaleStream,
    StoredEvent,
)
from tongban.infra.database import DbRole, conninfo

APPEND_LOCK = 7301

_TAILS = """
SELECT e.originator_id, e.originator_version, e.notification_id, e.state
FROM unnest(%b::uuid[], %b::bigint[]) AS wanted (stream, after)
CROSS JOIN LATERAL (
    SELECT * FROM events.stored_events
    WHERE originator_id = wanted.stream AND originator_version > wanted.after
    ORDER BY originator_version LIMIT 1000000  -- a limit keeps this an index scan per stream at any table size
) AS e
ORDER BY e.notification_id
"""

ANSWERS = """
SELECT l.principal, l.idempotency_key, l.fingerprint, l.stream, l.version, l.human_number, l.event_types,
       coalesce(e.notification_id, 0)
FROM unnest(%b::text[], %b::uuid[]) AS wanted (principal, idempotency_key)
JOIN events.command_log AS l USING (principal, idempotency_key)
LEFT JOIN events.stored_events AS e ON e.originator_id = l.stream AND e.originator_version = l.version
"""

_LOG = """
INSERT INTO events.command_log
    (principal, idempotency_key, fingerprint, stream, version, human_number, event_types, batch)
SELECT principal, idempotency_key, fingerprint, stream, version, human_number, string_to_array(event_types, ','), batch
FROM unnest(%b::text[], %b::uuid[], %b::bytea[], %b::uuid[], %b::bigint[], %b::text[], %b::text[], %b::uuid[])
    AS t (principal, idempotency_key, fingerprint, stream, version, human_number, event_types, batch)
"""

_IDENTIFIERS = "INSERT INTO keys.identifier (digest, party) SELECT * FROM unnest(%b::bytea[], %b::uuid[])"

_UNCHANGED = "SELECT events.require_unchanged(%b::uuid[], %b::bigint[])"

_INSERT = SQL("""
INSERT INTO events.stored_events (originator_id, originator_version, topic, state)
SELECT originator_id, originator_version, topic, state
FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[]) WITH ORDINALITY
    AS t (originator_id, originator_version, topic, state, place)
ORDER BY place
RETURNING notification_id
""")


class Datastore(PostgresDatastore):
    """The library's connection pool, in our role and with our time limits."""

    def __init__(self, url: str, *, size: int) -> None:
        """`url` is the event store's database; at most `size` connections."""
        given = conninfo_to_dict(conninfo(url, DbRole.WRITER))
        super().__init__(
            dbname=str(given.get("dbname", "")),
            host=str(given.get("host", "")),
            port=str(given.get("port", "")),
            user=str(given.get("user", "")),
            password=str(given.get("password", "")),
            schema="events",
            pool_size=1,
            max_overflow=size - 1,
            idle_in_transaction_session_timeout=5,
            lock_timeout=2,
            pre_ping=False,
        )
        # The library passes on only what it names; the role and the time limits ride in the options.
        assert isinstance(self.pool.kwargs, dict)
        self.pool.kwargs.update({key: value for key, value in given.items() if value is not None})


class EventRecorder(PostgresApplicationRecorder):
    """The library's application recorder with the changes named above."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        """Refuses a datastore with database functions on."""
        super().__init__(datastore, events_table_name="stored_events")
        if datastore.enable_db_functions:
            raise ValueError("the library's database functions lose events for a tailing reader: turn them off")
        self.lock_table_statements = [
            SQL("SET LOCAL lock_timeout = '2s'"),
            SQL("SELECT pg_advisory_xact_lock({0})").format(APPEND_LOCK),
        ]

    def queue(
        self,
        conn: Connection[DictRow],
        events: Sequence[NewEvent],
        answers: Sequence[LoggedAnswer],
        identifiers: Sequence[tuple[bytes, UUID]],
        unchanged: Mapping[UUID, int],
    ) -> Cursor[DictRow]:
        """Queue one transaction on a connection in pipeline mode. The cursor will hold the events' positions."""
        conn.execute("BEGIN", prepare=True)
        if answers:
            conn.execute(_LOG, _columns(answers), prepare=True)
        if identifiers:
            conn.execute(_IDENTIFIERS, ([d for d, _ in identifiers], [p for _, p in identifiers]), prepare=True)
        inserted = conn.cursor()
        if events:
            self._lock_table(inserted)
            self._notify_channel(inserted)
            if unchanged:  # looked at under the append lock: nobody changes them before this commits
                conn.execute(_UNCHANGED, (list(unchanged), list(unchanged.values())), prepare=True)
            streams, versions, types, states = zip(*events, strict=True)
            rows = (list(streams), list(versions), list(types), list(states))
            inserted.execute(_INSERT, rows, prepare=True, binary=True)
        conn.execute("COMMIT", prepare=False)  # readable on the wire, for whoever has to look there
        return inserted


def _columns(answers: Sequence[LoggedAnswer]) -> Sequence[Sequence[Any]]:
    return (
        [a.principal for a in answers],
        [a.idempotency_key for a in answers],
        [a.fingerprint for a in answers],
        [a.stream for a in answers],
        [a.version for a in answers],
        [a.number for a in answers],
        [",".join(a.events) for a in answers],
        [a.batch for a in answers],
    )


class Append:
    """A transaction that was sent whole, its COMMIT included; the server works on it until `wait` takes its results.

    One thread can thus decide the next commands meanwhile. A thread for the append would fight it for the interpreter.
    """

    def __init__(
        self,
        recorder: EventRecorder,
        events: Sequence[NewEvent],
        answers: Sequence[LoggedAnswer],
        identifiers: Sequence[tuple[bytes, UUID]],
        unchanged: Mapping[UUID, int],
    ) -> None:
        """Takes a connection of the recorder's until `wait` returns or raises. Raises LogUnavailable."""
        self._some = bool(events)
        with _as_ports_say(), ExitStack() as stack:
            conn = stack.enter_context(recorder.datastore.get_connection())
            stack.enter_context(conn.pipeline())
            self._inserted = recorder.queue(conn, events, answers, identifiers, unchanged)
            self._open = stack.pop_all()

    def wait(self) -> Sequence[int]:
        """See `commands.ports.PendingAppend`."""
        with _as_ports_say(), self._open:
            pass  # the end of the pipeline waits for every result, and raises what went wrong
        return [row["notification_id"] for row in self._inserted.fetchall()] if self._some else ()


@contextmanager
def _as_ports_say() -> Iterator[None]:
    """The library's persistence errors as those of `commands.ports`."""
    try:
        yield
    except IntegrityError as error:
        raise StaleStream from error
    except (PersistenceError, psycopg.Error) as error:
        raise LogUnavailable(f"the event store did not confirm ({type(error).__name__})") from error


class EventStore:
    """The event log of `commands.ports` on PostgreSQL."""

    def __init__(self, url: str, *, size: int = 4) -> None:
        """`url` is the event store's database. Raises psycopg.Error when it cannot be reached."""
        self._datastore = Datastore(url, size=size)
        self.recorder = EventRecorder(self._datastore)
        self._check()

    def _check(self) -> None:
        """Refuse to write where a stuck writer could hold the append lock for ever."""
        with self._datastore.get_connection() as conn, conn.cursor() as curs:
            row = curs.execute("SHOW idle_in_transaction_session_timeout").fetchone()
        if row is None or row["idle_in_transaction_session_timeout"] in ("0", "0ms"):
            raise ValueError("idle_in_transaction_session_timeout is off: a stuck writer would stop all appends")

    def close(self) -> None:
        """Close the connections."""
        self._datastore.close()

    def read(
        self, *, after: Mapping[UUID, int], commands: Sequence[tuple[str, UUID]], identifiers: Sequence[bytes]
    ) -> Reading:
        """See `commands.ports.EventLog`."""
        tails: list[StoredEvent] = []
        answers: dict[tuple[str, UUID], LoggedAnswer] = {}
        parties: dict[bytes, UUID] = {}
        try:
            with self._datastore.get_connection() as conn:
                with conn.pipeline():
                    clock = conn.execute("SELECT clock_timestamp()", prepare=True)
                    found = conn.cursor(row_factory=psycopg.rows.tuple_row, binary=True)
                    found.execute(_TAILS, (list(after), list(after.values())), prepare=True)
                    logged = conn.cursor(row_factory=psycopg.rows.tuple_row, binary=True)
                    logged.execute(ANSWERS, ([p for p, _ in commands], [k for _, k in commands]), prepare=True)
                    known = conn.cursor(row_factory=psycopg.rows.tuple_row, binary=True)
                    known.execute(
                        "SELECT digest, party FROM keys.identifier WHERE digest = ANY(%b)", (list(identifiers),)
                    )
                tails.extend(StoredEvent(*row) for row in found)
                for principal, key, fingerprint, stream, version, number, types, position in logged:
                    answers[principal, key] = LoggedAnswer(
                        principal, key, fingerprint, stream, version, number, tuple(types), position
                    )
                parties.update(known.fetchall())
                told = clock.fetchone()
                assert told is not None
                now: datetime = told["clock_timestamp"]
        except (PersistenceError, psycopg.Error) as error:
            raise LogUnavailable(f"the event store cannot be read ({type(error).__name__})") from error
        return Reading(now=now, tails=tails, answers=answers, parties=parties)

    def start_append(
        self,
        events: Sequence[NewEvent],
        answers: Sequence[LoggedAnswer],
        identifiers: Sequence[tuple[bytes, UUID]],
        unchanged: Mapping[UUID, int] = NOTHING_RELIED_ON,
    ) -> Append:
        """See `commands.ports.EventLog`."""
        return Append(self.recorder, events, answers, identifiers, unchanged)
