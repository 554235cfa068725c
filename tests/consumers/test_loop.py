"""The loop over both feeds: every event once in its stream's order, whatever dies, doubles or fails meanwhile."""

from __future__ import annotations

import random
from uuid import uuid4

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from tests.consumers.conftest import Source, store_source
from tests.consumers.recording import Recording, loop
from tests.events_in_store import some_events
from tests.running import eventually, running
from tests.servers import Database
from tongban.consumers.failures import TransientFailure
from tongban.consumers.loop import ConsumerDoubt
from tongban.consumers.metrics import ConsumerMetrics
from tongban.infra.settings import PARTITIONS
from tongban.infra.topics import TOPICS


@pytest.fixture
def store(database: Database) -> Source:
    """The store feed alone, for what does not depend on the feed."""
    return store_source(database)


def kill_sessions(database: Database, holding: str) -> None:
    """End the sessions of the consumer `holding`."""
    with psycopg.connect(database.admin_url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND classid::bigint = hashtext(%s)::bigint & 4294967295",
            (holding,),
        )


def test_every_event_is_handled_once_and_in_its_streams_order(source: Source) -> None:
    recording = Recording(source.database)
    streams = [uuid4() for _ in range(10)]
    stored = source.append(*some_events(streams, range(1, 11)))
    with running(loop(recording, source.feed(), source.database).run):
        eventually(lambda: len(recording.rows()) == 100)
        stored += source.append(*some_events(streams, range(11, 16)))
        eventually(lambda: len(recording.rows()) == 150)
    assert sorted(recording.positions()) == stored
    assert recording.in_order_per_stream()


def test_a_restarted_consumer_goes_on_where_it_stood(source: Source) -> None:
    recording = Recording(source.database)
    streams = [uuid4() for _ in range(5)]
    stored: list[int] = []
    for begin in (1, 4, 7):
        stored += source.append(*some_events(streams, range(begin, begin + 3)))
        with running(loop(recording, source.feed(), source.database).run):
            eventually(recording.holds(len(stored)))
    assert sorted(recording.positions()) == stored
    assert recording.in_order_per_stream()


def test_a_killed_session_ends_the_consumer_and_the_next_one_repeats_nothing(source: Source) -> None:
    recording = Recording(source.database)
    streams = [uuid4() for _ in range(5)]
    stored: list[int] = []
    for round_ in range(4):
        stored += source.append(*some_events(streams, range(1 + 20 * round_, 21 + 20 * round_)))
        with running(loop(recording, source.feed(), source.database).run) as it:
            eventually(recording.holds(len(stored) - 99, unless=it))
            kill_sessions(source.database, "test")
            eventually(lambda: not it.alive)
            assert isinstance(it.error, ConsumerDoubt)
            it.error = None
    with running(loop(recording, source.feed(), source.database).run):
        eventually(lambda: len(recording.rows()) >= len(stored))
    assert sorted(recording.positions()) == stored
    assert recording.in_order_per_stream()


def test_two_workers_share_partitions_and_one_takes_over_when_the_other_ends(source: Source) -> None:
    recording = Recording(source.database)
    streams = [uuid4() for _ in range(24)]
    registries = [CollectorRegistry(), CollectorRegistry()]
    loops = [loop(recording, source.feed(), source.database, metrics=ConsumerMetrics(r)) for r in registries]

    def owned(number: int) -> float:
        value = registries[number].get_sample_value("tongban_consumer_partitions", {"consumer": "test"})
        return value or 0.0

    total = len(TOPICS) * PARTITIONS if source.bootstrap is not None else 1
    share = total / 2 if total > 1 else 1
    with running(loops[0].run) as first:
        eventually(lambda: owned(0) == total)
        with running(loops[1].run):
            eventually(lambda: owned(0) == share and owned(1) == total - share)
            stored = source.append(*some_events(streams, range(1, 11)))
            eventually(lambda: len(recording.rows()) == 240)
            first.end()
            eventually(lambda: owned(1) == total)
            stored += source.append(*some_events(streams, range(11, 13)))
            eventually(lambda: len(recording.rows()) == 288)
    assert sorted(recording.positions()) == stored
    assert recording.in_order_per_stream()


def test_progress_that_another_moved_rolls_the_batch_back(store: Source) -> None:
    recording = Recording(store.database)
    stream = uuid4()
    stored = store.append(*some_events([stream], range(1, 6)))
    moved: list[bool] = []

    def move_once() -> None:
        # After the loop's own compare-and-set this waits for its row; so move before the next batch's transaction.
        if not moved:
            moved.append(True)
            raise TransientFailure

    recording.before_write = move_once
    with running(loop(recording, store.feed(), store.database).run):
        eventually(lambda: bool(moved))
        with psycopg.connect(store.database.admin_url) as conn:
            conn.execute(
                "UPDATE consumers.progress SET next_offset = %s, last_position = %s",
                (stored[2] + 1, stored[2]),
            )
        eventually(lambda: len(recording.rows()) == 2)
    assert recording.positions() == stored[3:]


def test_what_passes_by_itself_is_tried_again_without_a_second_effect(store: Source) -> None:
    recording = Recording(store.database)
    stored = store.append(*some_events([uuid4()], range(1, 6)))
    failures = iter([psycopg.errors.SerializationFailure(), psycopg.errors.DeadlockDetected(), TransientFailure()])

    def fail_three_times() -> None:
        for failure in failures:
            raise failure

    recording.before_write = fail_three_times
    with running(loop(recording, store.feed(), store.database).run):
        eventually(lambda: recording.positions() == stored)


def test_a_fault_of_the_program_ends_the_consumer(store: Source) -> None:
    recording = Recording(store.database)
    store.append(*some_events([uuid4()], range(1, 3)))

    def fail() -> None:
        raise LookupError("no such table")

    recording.before_write = fail
    with running(loop(recording, store.feed(), store.database).run) as it:
        eventually(lambda: not it.alive)
        assert isinstance(it.error, LookupError)
        it.error = None
    assert recording.rows() == []


def test_rows_and_progress_stand_or_fall_together_when_sessions_are_killed_at_random(store: Source) -> None:
    recording = Recording(store.database)
    chance = random.Random(7)
    streams = [uuid4() for _ in range(8)]
    stored: list[int] = []
    for round_ in range(10):
        stored += store.append(*some_events(streams, range(1 + 10 * round_, 11 + 10 * round_)))

        def perhaps_kill() -> None:
            if chance.random() < 0.5:
                kill_sessions(store.database, "test")

        recording.before_write = perhaps_kill
        with running(loop(recording, store.feed(), store.database).run) as it:
            eventually(recording.holds(len(stored), unless=it))
            it.end()
            it.error = None
    recording.before_write = lambda: None
    with running(loop(recording, store.feed(), store.database).run):
        eventually(lambda: len(recording.rows()) >= len(stored))
    assert recording.positions() == stored
