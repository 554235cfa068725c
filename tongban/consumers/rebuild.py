"""Rebuilds the read tables from the event store beside the live ones, compares, and exchanges them.

The fold goes into schema `read_next`, batch by batch, while readers and the projector go on. Only the last remainder,
the comparison and the exchange happen while the projector is held off; readers never are. An event is folded once the
live projector has passed it, so that both sides have seen exactly the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection, sql

from tongban.consumers.feed import Message, Partition
from tongban.consumers.parked import Parking, park
from tongban.consumers.projector import PROJECTOR, Sifting, read_message
from tongban.infra.database import DbRole, connect
from tongban.infra.migrate import create_read_tables
from tongban.infra.session_lock import READ_TABLES
from tongban.infra.topics import UnknownTopic, partition_of, topic_of
from tongban.projections.registry import PROJECTIONS, apply_batch

log = structlog.get_logger(__name__)

REBUILD_LOCK = 7304
"""Advisory lock of the one rebuild that may run."""

BATCH = 2_000
_ROUNDS = 5  # how often what the projector has passed meanwhile is folded before it is held off
_STORE = Partition("store", 0)  # the one partition of StoreFeed
_TABLES = tuple(projection.name for projection in PROJECTIONS)

Progress = Callable[[int, int], None]


def _in_silence(_done: int, _total: int) -> None:
    pass


class RebuildRefused(Exception):
    """A rebuild cannot be done as it was asked for; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table: its rows, and the digests (order-independent, 128 bits) of the live and of the rebuilt one."""

    table: str
    rows: int
    live: str
    rebuilt: str
    equal: bool


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild found. `parked` maps each stream that cannot be folded to the reason."""

    events: int
    tables: tuple[TableReport, ...]
    parked: Mapping[str, str]
    exchanged: bool
    equal: bool


def rebuild(
    url: str,
    *,
    tables: Sequence[str] | None = None,
    check: bool = False,
    progress: Progress = _in_silence,
) -> RebuildReport:
    """Fold the event store at `url` into new read tables and put them in the place of the live ones.

    `tables` limits comparison and exchange to some of them; `check` only compares. `progress(done, total)` counts
    events. Raises RebuildRefused, psycopg.Error; then the live tables are as they were.
    """
    if unknown := sorted(set(tables or ()) - set(_TABLES)):
        raise RebuildRefused(f"There is no read table {', '.join(unknown)}: there are {', '.join(_TABLES)}.")
    with closing(connect(url, DbRole.PROJECTOR)) as conn, _only_one(conn):
        with conn.transaction():
            conn.execute("CREATE SCHEMA read_next")
            conn.execute("GRANT USAGE ON SCHEMA read_next TO tongban_reader")
            create_read_tables(conn, "read_next")
        total = conn.execute("SELECT count(*) FROM events.stored_events").fetchone()
        fold = _Fold(conn, progress, total=total[0] if total else 0)
        for _ in range(_ROUNDS):
            if fold.round(_passed(conn)) < BATCH:
                break
        return _finish(conn, fold, tables, check=check)


@dataclass
class _Fold:
    """How far the store was read, what the projector had not passed by then, and what is parked."""

    conn: Connection[tuple[Any, ...]]
    progress: Progress
    total: int
    scanned: int = 0
    folded: int = 0
    deferred: list[int] = field(default_factory=list)
    parked: dict[UUID, str] = field(default_factory=dict)
    parkings: list[Parking] = field(default_factory=list)

    def round(self, passed: Mapping[Partition, int]) -> int:
        """Fold what is passed: first of what was deferred, then of what is new. Returns how many were folded.

        What is passed of one partition is a prefix of it, so each stream stays in order.
        """
        before = self.folded
        waiting, self.deferred = self.deferred, []
        for start in range(0, len(waiting), BATCH):
            condition = sql.SQL("notification_id = ANY({})").format(waiting[start : start + BATCH])
            self._take(self._messages(condition), passed)
        while messages := self._messages(sql.SQL("notification_id > {}").format(self.scanned)):
            self.scanned = messages[-1].position
            self._take(messages, passed)
        return self.folded - before

    def _messages(self, condition: sql.Composable) -> list[Message]:
        query = sql.SQL(
            "SELECT originator_id, originator_version, topic, state, notification_id FROM events.stored_events"
            " WHERE {} ORDER BY notification_id LIMIT {}"
        ).format(condition, BATCH)
        with self.conn.cursor(binary=True) as cursor:
            return [
                Message(*_place(event_type, stream), position, position, None, stream, version, state)
                for stream, version, event_type, state, position in cursor.execute(query)
            ]

    def _take(self, messages: Sequence[Message], passed: Mapping[Partition, int]) -> None:
        by_store = passed.get(_STORE, -1)
        ready: list[Message] = []
        for message in messages:
            # After a change of feeds the tables hold what either of them has passed.
            by_topic = passed.get(Partition(message.topic, message.partition), -1)
            if message.position <= max(by_store, by_topic):
                ready.append(message)
            else:
                self.deferred.append(message.position)
        with self.conn.transaction(), self.conn.cursor() as cursor:
            cursor.execute("SET LOCAL search_path TO read_next")
            sifting = Sifting(cursor, apply_batch, self.parked)
            sifting.sift([read_message(message) for message in ready])
        self.parkings += sifting.parkings
        self.folded += len(ready)
        self.progress(self.folded, max(self.total, self.folded))


def _place(event_type: str, stream: UUID) -> Partition:
    try:
        return Partition(topic_of(event_type), partition_of(stream))
    except UnknownTopic:
        # No topic carries it; only a feed of the store itself shows it to the projector.
        return _STORE


def _passed(conn: Connection[tuple[Any, ...]]) -> dict[Partition, int]:
    """Up to which position the live projector has passed each partition it follows."""
    rows = conn.execute(
        "SELECT topic, partition, last_position FROM consumers.progress WHERE consumer = %s", (PROJECTOR,)
    )
    return {Partition(topic, partition): position for topic, partition, position in rows}


def _finish(
    conn: Connection[tuple[Any, ...]], fold: _Fold, tables: Sequence[str] | None, *, check: bool
) -> RebuildReport:
    """Fold the remainder, compare and exchange, all while the projector waits."""
    with conn.transaction():
        conn.execute("SET LOCAL lock_timeout TO 0")
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (READ_TABLES,))
        fold.round(_passed(conn))
        reports = tuple(_compare(conn, table) for table in _TABLES if not tables or table in tables)
        if not check:
            if tables:
                _copy(conn, tables)
            else:
                conn.execute("ALTER SCHEMA read RENAME TO read_old")
                conn.execute("ALTER SCHEMA read_next RENAME TO read")
                _replace_parked(conn, fold.parkings)
    return RebuildReport(
        events=fold.folded,
        tables=reports,
        parked={str(stream): problem for stream, problem in fold.parked.items()},
        exchanged=not check,
        equal=all(report.equal for report in reports),
    )


def _compare(conn: Connection[tuple[Any, ...]], table: str) -> TableReport:
    _, live = _digest(conn, "read", table)
    rows, rebuilt = _digest(conn, "read_next", table)
    return TableReport(table, rows, live, rebuilt, equal=live == rebuilt)


def _digest(conn: Connection[tuple[Any, ...]], schema: str, table: str) -> tuple[int, str]:
    """Rows and digest of a table: the number of rows, and the sums of two 64-bit hashes of each row's text."""
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)::numeric), 0),"
        " coalesce(sum(hashtextextended(r::text, 1)::numeric), 0) FROM {} AS r"
    ).format(sql.Identifier(schema, table))
    rows, first, second = next(iter(conn.execute(query)))
    return rows, f"{rows}:{int(first) % 2**64:016x}{int(second) % 2**64:016x}"


def _copy(conn: Connection[tuple[Any, ...]], tables: Sequence[str]) -> None:
    """Exchange the rows of some tables. They stay where they are: the policies of others name them."""
    for table in tables:
        live, rebuilt = sql.Identifier("read", table), sql.Identifier("read_next", table)
        conn.execute(sql.SQL("DELETE FROM {}").format(live))
        conn.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(live, rebuilt))


def _replace_parked(conn: Connection[tuple[Any, ...]], parkings: Sequence[Parking]) -> None:
    conn.execute("DELETE FROM consumers.parked WHERE consumer = %s", (PROJECTOR,))
    with conn.cursor() as cursor:
        park(cursor, PROJECTOR, parkings)


@contextmanager
def _only_one(conn: Connection[tuple[Any, ...]]) -> Iterator[None]:
    """Hold off other rebuilds; drop what is nobody's before and after, also of one that was killed."""
    held = conn.execute("SELECT pg_try_advisory_lock(%s)", (REBUILD_LOCK,)).fetchone()
    if not held or not held[0]:
        raise RebuildRefused("Another rebuild is under way: wait for it to end.")
    _drop_leftovers(conn)
    try:
        yield
    finally:
        if not conn.closed and not conn.broken:
            _drop_leftovers(conn)
            conn.execute("SELECT pg_advisory_unlock(%s)", (REBUILD_LOCK,))


def _drop_leftovers(conn: Connection[tuple[Any, ...]]) -> None:
    """Readers that are still in the old tables are waited for, for a while; the next rebuild tries again."""
    for schema in ("read_next", "read_old"):
        for _ in range(10):
            try:
                conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                continue
            break
        else:
            log.warning("rebuild_left_schema", schema=schema)
