"""Publishes every committed event to its topic, in order per stream, at least once.

In: rows of `events.stored_events` in position order. Out: messages on the topics, then the checkpoint. One relay leads
(advisory lock and epoch); a window of events is sent, flushed and every acknowledgement is looked at before the
checkpoint moves. At any doubt the relay gives up by raising RelayDoubt: its process ends and a fresh one starts
from the checkpoint, which repeats events but never leaves one out. Readers drop repeats by the position headers.

The store is the truth: a broker that holds less than the checkpoint says, or is another one, gets everything again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any, NamedTuple

import psycopg
import structlog
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, KafkaTimeoutError
from prometheus_client import CollectorRegistry

from tongban.infra import relay_checkpoint
from tongban.infra.cloudevents import Headers, headers_of, source_of
from tongban.infra.collector import collect_rarely
from tongban.infra.database import DbRole, connect
from tongban.infra.event_age import age_of
from tongban.infra.kafka import DELIVERY_SECONDS, open_admin, open_producer
from tongban.infra.relay_checkpoint import Checkpoint, Mark, Place
from tongban.infra.relay_metrics import RelayMetrics
from tongban.infra.session_lock import RELAY_LEADER, LockLost, SessionLock
from tongban.infra.topics import UnknownTopic, ensure_topics, incarnation, partition_of_key, topic_of
from tongban.infra.wakeup import Wakeup

log = structlog.get_logger(__name__)

WINDOW = 500
"""Events between two checkpoints."""
_STANDBY_SECONDS = 1.0
_BROKER_CHECK_SECONDS = 5.0
_FLUSH_SLICE_SECONDS = 5.0

# One statement, one snapshot; commit order is position order, so what is behind `position` is complete.
_NEXT = (
    "SELECT notification_id, originator_id::text, originator_version, topic, state FROM events.stored_events"
    " WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
)


class Outgoing(NamedTuple):
    """One event on its way: its position in the store, its place, and the arguments of the producer's send."""

    position: int
    place: Place
    to_send: tuple[str, bytes, bytes, Headers, int, int]


class RelayDoubt(Exception):
    """The relay cannot be sure of its place any more; its process has to end and start again."""


class Relay:
    """One relay process. `run` returns when asked to stop and raises RelayDoubt otherwise."""

    def __init__(
        self,
        *,
        database_url: str,
        bootstrap: str,
        jurisdiction: str,
        metrics: RelayMetrics | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """`progress` is told the position after each checkpoint."""
        self._url = database_url
        self._bootstrap = bootstrap
        self._source = source_of(jurisdiction)
        self._metrics = metrics or RelayMetrics(CollectorRegistry())
        self._progress = progress
        self._next_broker_check = 0.0

    def run(self, stop: Event) -> None:
        """Wait until this relay leads, then publish until `stop` is set. Raises RelayDoubt, TopicsUnusable."""
        collect_rarely()
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context(contextlib.closing(SessionLock(self._url, DbRole.RELAY, RELAY_LEADER)))
                if self._lead(lock, stop):
                    self._publish_until(stop, lock, stack)
            except (psycopg.Error, KafkaError, LockLost, UnknownTopic) as error:
                raise RelayDoubt(f"{type(error).__name__}: {error}".strip()) from error
            finally:
                self._metrics.leading.set(0)

    def _lead(self, lock: SessionLock, stop: Event) -> bool:
        """Whether this relay leads now; False when it was asked to stop first."""
        said = False
        while not lock.try_acquire():
            if not said:
                log.info("relay_standby")
                said = True
            if stop.wait(_STANDBY_SECONDS):
                return False
        return True

    def _publish_until(self, stop: Event, lock: SessionLock, stack: contextlib.ExitStack) -> None:
        ensure_topics(self._bootstrap)
        conn = stack.enter_context(contextlib.closing(connect(self._url, DbRole.RELAY)))
        epoch = relay_checkpoint.take_epoch(conn)
        # Losing the last checkpoints with the database's machine only repeats events; the epoch above is on disk.
        conn.execute("SET synchronous_commit = off")
        wakeup = stack.enter_context(contextlib.closing(Wakeup(self._url, DbRole.RELAY)))
        admin = stack.enter_context(contextlib.closing(open_admin(self._bootstrap)))
        checkpoint = self._starting_point(conn, admin, epoch)
        producer = open_producer(self._bootstrap)
        stack.callback(_abandon, producer)
        acks = stack.enter_context(ThreadPoolExecutor(1, "relay-flush"))
        self._metrics.leading.set(1)
        log.info("relay_leads", epoch=epoch, position=checkpoint.position)

        last = {place: mark.position for place, mark in checkpoint.marks.items()}
        window = self._window(conn, checkpoint.position, last)
        while not stop.is_set():
            lock.probe()
            self._check_broker(admin, checkpoint)
            if not window:
                self._caught_up()
                wakeup.wait()
                window = self._window(conn, checkpoint.position, last)
                continue
            sent = [(message, producer.send(*message.to_send)) for message in window]
            flushed = acks.submit(self._flush, producer, lock)
            # The next window is made ready while this one is on its way, but not sent before this one is sure:
            # one that is left behind would be a gap on the topic.
            position = window[-1].position
            following = self._window(conn, position, last) if len(window) == WINDOW else []
            flushed.result()
            try:
                marks = _acknowledged(sent, checkpoint.marks)
            except BrokerForgot as forgot:
                _save(conn, _rewound(checkpoint, str(forgot)), epoch)
                self._metrics.rewinds.inc()
                raise
            checkpoint = replace(checkpoint, position=position, marks=marks)
            _save(conn, checkpoint, epoch)
            self._report(conn, position, len(sent), following)
            window = following or self._window(conn, position, last)

    def _starting_point(
        self, conn: psycopg.Connection[tuple[Any, ...]], admin: KafkaAdminClient, epoch: int
    ) -> Checkpoint:
        checkpoint = relay_checkpoint.load(conn)
        here = incarnation(admin)
        reason = _what_is_missing(admin, checkpoint, here)
        if reason is not None:
            checkpoint = _rewound(checkpoint, reason)
            self._metrics.rewinds.inc()
        checkpoint = replace(checkpoint, incarnation=here)
        _save(conn, checkpoint, epoch)
        return checkpoint

    def _check_broker(self, admin: KafkaAdminClient, checkpoint: Checkpoint) -> None:
        """Every few seconds, see that this is still the broker of the checkpoint, with all that was published."""
        now = time.monotonic()
        if now < self._next_broker_check:
            return
        self._next_broker_check = now + _BROKER_CHECK_SECONDS
        reason = _what_is_missing(admin, checkpoint, incarnation(admin))
        if reason is not None:
            raise RelayDoubt(reason)

    def _window(
        self, conn: psycopg.Connection[tuple[Any, ...]], position: int, last: dict[Place, int]
    ) -> list[Outgoing]:
        """The next events after `position`, ready to be sent. `last` (position per place) moves on with them."""
        with conn.cursor(binary=True) as cursor:
            rows = cursor.execute(_NEXT, (position, WINDOW)).fetchall()
        now = int(time.time() * 1000)
        source, window = self._source, []
        for at, stream, version, event_type, state in rows:
            key = stream.encode()
            topic, partition = place = (topic_of(event_type), partition_of_key(key))
            headers = headers_of(source, key, version, event_type, state, at, last.get(place, -1))
            last[place] = at
            window.append(Outgoing(at, place, (topic, state, key, headers, partition, now)))
        return window

    def _flush(self, producer: KafkaProducer, lock: SessionLock) -> None:
        """Wait until the broker has answered for everything. The lock's session is kept from falling silent."""
        deadline = time.monotonic() + DELIVERY_SECONDS
        while True:
            try:
                producer.flush(_FLUSH_SLICE_SECONDS)
                return
            except KafkaTimeoutError:
                lock.probe()
                if time.monotonic() > deadline:
                    raise

    def _caught_up(self) -> None:
        self._metrics.lag_events.set(0)
        self._metrics.lag_seconds.set(0)

    def _report(
        self,
        conn: psycopg.Connection[tuple[Any, ...]],
        position: int,
        count: int,
        following: Sequence[Outgoing],
    ) -> None:
        self._metrics.events.inc(count)
        if following:
            last = conn.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
            self._metrics.lag_events.set(max(0, (last[0] if last else 0) - position))
            self._metrics.lag_seconds.set(age_of(following[0].to_send[1]))
        if self._progress is not None:
            self._progress(position)


class BrokerForgot(RelayDoubt):
    """The broker gave an offset that it had already given: it lost messages."""


def _acknowledged(sent: Sequence[tuple[Outgoing, Any]], marks: dict[Place, Mark]) -> dict[Place, Mark]:
    """The marks after this window. Raises RelayDoubt unless every single event was acknowledged in its order."""
    marks = dict(marks)
    for (position, place, _), future in sent:
        if not future.is_done or future.exception is not None:
            raise RelayDoubt(f"event {position} was not acknowledged on {place[0]}:{place[1]}: {future.exception!r}")
        offset = future.value.offset
        before = marks.get(place)
        if offset < 0:
            raise RelayDoubt(f"event {position} was acknowledged on {place[0]}:{place[1]} without an offset")
        if before is not None and offset <= before.offset:
            raise BrokerForgot(
                f"event {position} got offset {offset} on {place[0]}:{place[1]}, where {before.offset} was already used"
            )
        marks[place] = Mark(position, offset)
    return marks


def _save(conn: psycopg.Connection[tuple[Any, ...]], checkpoint: Checkpoint, epoch: int) -> None:
    if not relay_checkpoint.save(conn, checkpoint, epoch):
        raise RelayDoubt(f"epoch {epoch} has passed; another relay leads")


def _what_is_missing(admin: KafkaAdminClient, checkpoint: Checkpoint, here: dict[str, str]) -> str | None:
    """Why the topics do not hold what the checkpoint says, None when they do."""
    if not checkpoint.marks:
        return None
    for name, identity in checkpoint.incarnation.items():
        if here.get(name) != identity:
            return f"{name} is {here.get(name)}, the checkpoint was made with {identity}"
    ends = admin.list_partition_offsets({TopicPartition(*place): OffsetSpec.LATEST for place in checkpoint.marks})
    for place, mark in checkpoint.marks.items():
        end = ends[TopicPartition(*place)].offset
        if end <= mark.offset:
            return f"{place[0]}:{place[1]} ends at offset {end}, but {mark.offset} was acknowledged"
    return None


def _rewound(checkpoint: Checkpoint, reason: str) -> Checkpoint:
    log.error("relay_rewinds", reason=reason, position=checkpoint.position)
    return replace(checkpoint, position=0, marks={})


def _abandon(producer: KafkaProducer) -> None:
    """Close without waiting: what is not acknowledged by now is sent again from the checkpoint."""
    try:
        producer.close(0)
    except KafkaTimeoutError:
        # close() flushes first, and at a timeout leaves its thread sending; only this makes it drop what it has.
        producer._sender.force_close()  # noqa: SLF001
        with contextlib.suppress(KafkaError):
            producer.close(5)
