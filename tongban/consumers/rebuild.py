"""Rebuilds the read tables from the event store beside the live ones, compares, and swaps them in.

The fold goes into schema `read_next`, batch by batch, while readers and the projector go on. Only the last remainder,
the comparison and the swap happen while the projector is held off (exclusive lock 7303); readers are never held off.
An event is folded when the live projector has passed it, so that both sides have seen exactly the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection, sql

from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import UnreadableEvent, decode
from tongban.infra.migrate import create_read_tables
from tongban.projections.projection import PoisonEvent
from tongban.projections.registry import PROJECTIONS, apply_batch

log = structlog.get_logger(__name__)

PROJECTOR = "projector"
APPLYING_LOCK = 7303  # read tables are being applied: projector shared, rebuild's last step exclusive
REBUILD_LOCK = 7304  # one rebuild at a time
BATCH = 2_000
ROUNDS = 5  # how often what the projector has passed meanwhile is folded before it is held off

Place = tuple[str, int]
PlaceOf = Callable[[str, UUID], Place]
STORE: Place = ("store", 0)


class RebuildRunning(Exception):
    """Another rebuild is under way: wait for it to end."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table: its rows, and the digests (order-independent, 128 bits) of the live and of the rebuilt one."""

    table: str
    rows: int
    live: str
    rebuilt: str

    @property
    def equal(self) -> bool:
        """Whether both hold the same rows, bit for bit."""
        return self.live == self.rebuilt


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild found. `parked` maps each stream that cannot be folded to the reason."""

    events: int
    tables: tuple[TableReport, ...]
    parked: Mapping[UUID, str]
    swapped: bool

    @property
    def equal(self) -> bool:
        """Whether every table was the same."""
        return all(table.equal for table in self.tables)


@dataclass(frozen=True, slots=True)
class _Stored:
    stream: UUID
    version: int
    type: str
    state: bytes
    position: int


@dataclass
class _Fold:
    """The state of one rebuild: how far the store was read, what the projector had not passed yet, what is parked."""

    conn: Connection[tuple[Any, ...]]
    place_of: PlaceOf
    progress: Callable[[int, int], None]
    total: int
    scanned: int = 0
    folded: int = 0
    deferred: list[int] = field(default_factory=list)
    parked: dict[UUID, str] = field(default_factory=dict)
    parked_events: list[_Stored] = field(default_factory=list)

    def round(self, passed: Mapping[Place, int]) -> int:
        """Fold what is passed, first of what was deferred, then of what is new. Returns how many were folded."""
        before = self.folded
        waiting, self.deferred = self.deferred, []
        for start in range(0, len(waiting), BATCH):
            rows = self._select("notification_id = ANY(%s)", [waiting[start : start + BATCH]])
            self._fold_passed(rows, passed)
        while rows := self._select("notification_id > %s", [self.scanned]):
            self.scanned = rows[-1].position
            self._fold_passed(rows, passed)
        return self.folded - before

    def _select(self, condition: str, values: list[Any]) -> list[_Stored]:
        query = (
            "SELECT originator_id, originator_version, topic, state, notification_id FROM events.stored_events"
            f" WHERE {condition} ORDER BY notification_id LIMIT {BATCH}"  # noqa: S608 (our own words)
        )
        with self.conn.cursor(binary=True) as cursor:
            return [_Stored(*row) for row in cursor.execute(query.encode(), values)]

    def _fold_passed(self, rows: Sequence[_Stored], passed: Mapping[Place, int]) -> None:
        ready: list[_Stored] = []
        for row in rows:
            place = STORE if STORE in passed else self.place_of(row.type, row.stream)
            if row.position <= passed.get(place, -1):
                ready.append(row)
            else:
                self.deferred.append(row.position)
        self._apply(ready)
        self.folded += len(ready)
        self.progress(self.folded, max(self.total, self.folded))

    def _apply(self, rows: Sequence[_Stored]) -> None:
        """Fold events, as the projector does: what cannot be folded parks its stream from there on."""
        while True:
            stored = {row.position: row for row in rows}
            events: list[Recorded] = []
            for row in rows:
                if row.stream in self.parked:
                    self.parked_events.append(row)
                    continue
                try:
                    events.append(decode(row.state, row.position))
                except UnreadableEvent as unreadable:
                    self.parked[row.stream] = str(unreadable)
                    self.parked_events.append(row)
            poison = self._try(events)
            if poison is None:
                return
            self.parked[poison.stream] = poison.problem
            # What was parked in this attempt is met again in the next.
            again = set(stored)
            self.parked_events = [row for row in self.parked_events if row.position not in again]

    def _try(self, events: Sequence[Recorded]) -> PoisonEvent | None:
        """Apply events as one; on failure nothing of them is applied and the culprit is named."""
        try:
            with self.conn.transaction(), self.conn.cursor() as cursor:
                cursor.execute("SET LOCAL search_path TO read_next")
                apply_batch(cursor, events)
        except PoisonEvent as poison:
            return poison
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(events) > 1:
                return self._culprit(events)
            envelope = events[0].envelope
            return PoisonEvent(envelope.stream, events[0].position, f"refused by PostgreSQL ({type(error).__name__})")
        return None

    def _culprit(self, events: Sequence[Recorded]) -> PoisonEvent | None:
        """Which event PostgreSQL refuses; all before it are applied then, and are skipped when they come again."""
        for recorded in events:
            if (poison := self._try([recorded])) is not None:
                return poison
        return None


def rebuild(
    conn: Connection[tuple[Any, ...]],
    *,
    place_of: PlaceOf,
    check: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RebuildReport:
    """Fold the event store into new read tables and put them in the place of the live ones; with `check` only compare.

    `conn` is in the projector's role, in autocommit. `place_of(type, stream)` is the topic and partition of an event.
    `progress(done, total)` counts events. Raises RebuildRunning, psycopg.Error; then the live tables are as they were.
    """
    with _only_one(conn):
        with conn.transaction():
            conn.execute("DROP SCHEMA IF EXISTS read_next CASCADE")
            conn.execute("CREATE SCHEMA read_next")
            conn.execute("GRANT USAGE ON SCHEMA read_next TO tongban_reader")
            create_read_tables(conn, "read_next")
        row = conn.execute("SELECT count(*) FROM events.stored_events").fetchone()
        fold = _Fold(conn, place_of, progress, total=row[0] if row else 0)
        try:
            for _ in range(ROUNDS):
                if fold.round(_passed(conn)) < BATCH:
                    break
            report = _finish(conn, fold, check=check)
        except BaseException:
            conn.rollback()
            _drop(conn, "read_next")
            raise
        _drop(conn, "read_next" if check else "read_old")
        return report


def _finish(conn: Connection[tuple[Any, ...]], fold: _Fold, *, check: bool) -> RebuildReport:
    with conn.transaction():
        conn.execute("SET LOCAL lock_timeout TO 0")
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (APPLYING_LOCK,))
        fold.round(_passed(conn))
        tables = tuple(_compare(conn, projection.name) for projection in PROJECTIONS)
        if not check:
            _replace_parked(conn, fold)
            conn.execute("ALTER SCHEMA read RENAME TO read_old")
            conn.execute("ALTER SCHEMA read_next RENAME TO read")
    return RebuildReport(fold.folded, tables, dict(fold.parked), swapped=not check)


def _passed(conn: Connection[tuple[Any, ...]]) -> dict[Place, int]:
    """Up to which position the live projector has passed each topic-partition it follows."""
    rows = conn.execute(
        "SELECT topic, partition, last_position FROM consumers.progress WHERE consumer = %s", (PROJECTOR,)
    )
    return {(topic, partition): position for topic, partition, position in rows}


def _compare(conn: Connection[tuple[Any, ...]], table: str) -> TableReport:
    (_, live), (rows, rebuilt) = (_digest(conn, schema, table) for schema in ("read", "read_next"))
    return TableReport(table, rows, live, rebuilt)


def _digest(conn: Connection[tuple[Any, ...]], schema: str, table: str) -> tuple[int, str]:
    """Rows and digest of a table: the sums of two 64-bit hashes of each row's text, and the number of rows."""
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)::numeric), 0) % 18446744073709551616,"
        " coalesce(sum(hashtextextended(r::text, 1)::numeric), 0) % 18446744073709551616 FROM {} AS r"
    ).format(sql.Identifier(schema, table))
    found = conn.execute(query).fetchone()
    assert found is not None, "an aggregate always has a row"
    rows, first, second = found
    return rows, f"{rows}:{int(first) % 2**64:016x}{int(second) % 2**64:016x}"


def _replace_parked(conn: Connection[tuple[Any, ...]], fold: _Fold) -> None:
    conn.execute("DELETE FROM consumers.parked WHERE consumer = %s", (PROJECTOR,))
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO consumers.parked (consumer, stream, version, position, topic, state, error)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    PROJECTOR,
                    row.stream,
                    row.version,
                    row.position,
                    fold.place_of(row.type, row.stream)[0],
                    row.state,
                    fold.parked[row.stream],
                )
                for row in fold.parked_events
            ],
        )


def _drop(conn: Connection[tuple[Any, ...]], schema: str) -> None:
    """Drop a schema nobody is told of any more; readers that are still in it are waited for."""
    for _ in range(10):
        try:
            conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            continue
        return
    log.warning("rebuild_schema_left", schema=schema, do="the next rebuild drops it")


@contextmanager
def _only_one(conn: Connection[tuple[Any, ...]]) -> Iterator[None]:
    found = conn.execute("SELECT pg_try_advisory_lock(%s)", (REBUILD_LOCK,)).fetchone()
    if not found or not found[0]:
        raise RebuildRunning(RebuildRunning.__doc__)
    try:
        # What a rebuild that was killed has left behind.
        conn.execute("DROP SCHEMA IF EXISTS read_old CASCADE")
        yield
    finally:
        if not conn.closed:
            conn.execute("SELECT pg_advisory_unlock(%s)", (REBUILD_LOCK,))
