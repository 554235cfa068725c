"""The life of a consumer: own partitions, poll, apply the reader rule, write rows and progress in one transaction.

In: a feed and a handler. Out: what the handler writes, exactly once per event, because the progress moves by
compare-and-set in the same transaction, on the session that holds the partitions' locks. When that session is lost the
partitions may already be another's: the loop gives up by raising ConsumerDoubt, and the process starts afresh.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, Generic, Protocol, TypeVar

import psycopg
import structlog
from kafka.errors import KafkaError
from psycopg import Cursor

from tongban.consumers.failures import PAUSE, RETRY_DELAYS, describe, is_transient
from tongban.consumers.feed import Batch, Feed, Message, Partition
from tongban.consumers.metrics import ConsumerMetrics
from tongban.consumers.ownership import REFRESH_SECONDS, Ownership
from tongban.consumers.progress import Move, ProgressMoved, load_progress, move_progress
from tongban.consumers.reader import PartitionReader, Reading
from tongban.infra.collector import collect_rarely
from tongban.infra.database import DbRole, connect
from tongban.infra.event_age import age_of
from tongban.infra.session_lock import end_when_silent

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.2
SILENCE = 60
"""Seconds after which the partitions of a process that was stopped, not killed, pass on."""

Work = TypeVar("Work")


class ConsumerDoubt(Exception):
    """The consumer cannot be sure that its partitions are still its own; its process has to end and start again."""


class Handler(Protocol[Work]):
    """What a consumer does with events."""

    def prepare(self, messages: Sequence[Message]) -> Work:
        """Whatever can be done before the transaction; may be done again for the same messages."""
        ...

    def write(self, cursor: Cursor[tuple[Any, ...]], work: Work) -> int:
        """Write the result in the loop's transaction. Returns how many events were parked."""
        ...

    def lock(self, cursor: Cursor[tuple[Any, ...]]) -> None:
        """Take what the transaction needs before anything else."""
        ...


class ConsumerLoop(Generic[Work]):
    """One worker of one consumer. `run` returns when asked to stop and raises ConsumerDoubt otherwise."""

    def __init__(
        self,
        *,
        name: str,
        feed: Feed,
        database_url: str,
        handler: Handler[Work],
        metrics: ConsumerMetrics,
        progress: Callable[[int], None] | None = None,
        silence: int = SILENCE,
    ) -> None:
        """Keep what the loop works with.

        `progress` is told the number of events handled after each commit. `silence`: seconds that the session may say
        nothing, longer than the handler takes to prepare one poll.
        """
        self._name = name
        self._feed = feed
        self._url = database_url
        self._handler = handler
        self._metrics = metrics
        self._progress = progress
        self._silence = silence
        self._log = log.bind(consumer=name)
        self._readers: dict[Partition, PartitionReader] = {}

    def run(self, stop: Event) -> None:
        """Handle events until `stop` is set. The feed is closed on the way out."""
        collect_rarely()
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(self._feed))
            try:
                conn = stack.enter_context(contextlib.closing(connect(self._url, DbRole.PROJECTOR)))
                end_when_silent(conn, self._silence)
                self._follow(conn, stop)
            except (psycopg.OperationalError, KafkaError) as error:
                raise ConsumerDoubt(f"{type(error).__name__}: {error}".strip()) from error
            finally:
                self._metrics.partitions.labels(self._name).set(0)

    def _follow(self, conn: psycopg.Connection[tuple[Any, ...]], stop: Event) -> None:
        ownership = Ownership(conn, self._name, self._feed.partitions)
        refresh_at = 0.0
        while not stop.is_set():
            now = time.monotonic()
            if now >= refresh_at:
                # Also the probe of the session, and what keeps it from falling silent.
                if ownership.refresh():
                    self._begin(conn, ownership.owned)
                self._tell_lag(None)
                refresh_at = now + REFRESH_SECONDS
            self._mind_gaps(now)
            if batches := self._feed.poll(_POLL_SECONDS):
                try:
                    self._handle(conn, batches, stop)
                except ProgressMoved as moved:
                    self._log.warning("progress_moved", problem=str(moved))
                    self._begin(conn, ownership.owned)

    def _begin(self, conn: psycopg.Connection[tuple[Any, ...]], owned: set[Partition]) -> None:
        """Go to where PostgreSQL says the owned partitions stand."""
        states = load_progress(conn, self._name, sorted(owned))
        self._readers = {s.partition: PartitionReader(s.next_offset, s.last_position) for s in states}
        self._feed.assign({s.partition: s.next_offset for s in states})
        self._metrics.partitions.labels(self._name).set(len(owned))
        self._log.info("partitions_owned", count=len(owned))

    def _handle(self, conn: psycopg.Connection[tuple[Any, ...]], batches: Sequence[Batch], stop: Event) -> None:
        now = time.monotonic()
        readings: dict[Partition, Reading] = {}
        for batch in batches:
            if (reader := self._readers.get(batch.partition)) is not None:
                readings[batch.partition] = reader.read(batch, now)
        self._count(readings)
        moves = []
        for partition, reading in readings.items():
            reader = self._readers[partition]
            if (reading.next_offset, reading.last_position) != (reader.next_offset, reader.last_position):
                moves.append(Move(partition, reader.next_offset, reading.next_offset, reading.last_position))
        messages = sorted(
            (message for reading in readings.values() for message in reading.accepted),
            key=lambda message: message.position,
        )
        if moves and not self._commit(conn, messages, moves, stop):
            return
        for partition, reading in readings.items():
            self._readers[partition].moved(reading)
        if messages:
            self._metrics.events.labels(self._name).inc(len(messages))
            self._tell_lag(messages[-1])
            if self._progress is not None:
                self._progress(len(messages))

    def _commit(
        self,
        conn: psycopg.Connection[tuple[Any, ...]],
        messages: Sequence[Message],
        moves: Sequence[Move],
        stop: Event,
    ) -> bool:
        """Write rows and progress together, again and again while the obstacle passes by itself. False: stopped."""
        attempt = 0
        while True:
            try:
                work = self._handler.prepare(messages)
                with conn.transaction(), conn.cursor() as cursor:
                    self._handler.lock(cursor)
                    move_progress(cursor, self._name, moves)
                    parked = self._handler.write(cursor, work)
            except Exception as error:
                # A transaction on a session that is gone may be another worker's by now.
                if conn.closed or not is_transient(error):
                    raise
                delay = RETRY_DELAYS[attempt] if attempt < len(RETRY_DELAYS) else PAUSE
                attempt += 1
                self._log.warning("retry_later", problem=describe(error), attempt=attempt, seconds=delay)
                if self._wait(conn, stop, delay):
                    return False
            else:
                self._metrics.parked.labels(self._name).inc(parked)
                return True

    @staticmethod
    def _wait(conn: psycopg.Connection[tuple[Any, ...]], stop: Event, seconds: float) -> bool:
        """Wait, then touch the session so that it keeps its locks. Whether the loop was asked to stop."""
        stopped = stop.wait(seconds)
        conn.execute("SELECT 1")
        return stopped

    def _mind_gaps(self, now: float) -> None:
        """Go back to the beginning of a partition that misses something, and say so when that did not help."""
        for partition, reader in self._readers.items():
            if reader.must_rewind(now):
                self._log.warning("gap_rewinds", topic=partition.topic, partition=partition.partition)
                self._feed.rewind(partition)
            if reader.must_alarm(now) and (gap := reader.gap) is not None:
                self._log.error(
                    "gap_open",
                    topic=partition.topic,
                    partition=partition.partition,
                    position=gap.position,
                    missing=gap.prev_position,
                    last=reader.last_position,
                )

    def _count(self, readings: dict[Partition, Reading]) -> None:
        duplicates = sum(reading.duplicates for reading in readings.values())
        gaps = sum(reading.gaps for reading in readings.values())
        self._metrics.duplicates.labels(self._name).inc(duplicates)
        self._metrics.gaps.labels(self._name).inc(gaps)
        if gaps:
            self._log.warning("gap_seen", messages=gaps)

    def _tell_lag(self, last: Message | None) -> None:
        """Lag in events by the feed's ends; in seconds by the age of the event that was handled last."""
        ends = {partition: self._feed.end_offset(partition) for partition in self._readers}
        lag = sum(
            max(0, end - self._readers[partition].next_offset) for partition, end in ends.items() if end is not None
        )
        self._metrics.lag_events.labels(self._name).set(lag)
        if lag == 0:
            self._metrics.lag_seconds.labels(self._name).set(0)
        elif last is not None:
            self._metrics.lag_seconds.labels(self._name).set(age_of(last.state))
        open_gaps = sum(reader.gap is not None for reader in self._readers.values())
        self._metrics.open_gaps.labels(self._name).set(open_gaps)
