"""Relay and consumer together through the faults of a broker and of a stopped process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from kafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from tests.consumers.recording import Recording, loop
from tests.events_in_store import append, some_events
from tests.running import eventually, running
from tests.servers import Database
from tests.topics_on_broker import delete_topics, read_all
from tongban.consumers.kafka_feed import KafkaFeed
from tongban.consumers.loop import ConsumerDoubt
from tongban.consumers.metrics import ConsumerMetrics
from tongban.infra.embedded.kafka import Kafka
from tongban.infra.relay import Relay, RelayDoubt


def supervised_relay(database: Database, bootstrap: str) -> contextlib.AbstractContextManager[object]:
    """A relay that is started again whenever it gives up."""

    def run(stop: threading.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(RelayDoubt):
                Relay(database_url=database.url, bootstrap=bootstrap, jurisdiction="310000").run(stop)

    return running(run)


def supervised_consumer(
    recording: Recording, database: Database, bootstrap: str, registry: CollectorRegistry
) -> contextlib.AbstractContextManager[object]:
    """A consumer that is started again whenever it gives up."""
    metrics = ConsumerMetrics(registry)

    def run(stop: threading.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(ConsumerDoubt, KafkaError):
                feed = KafkaFeed(bootstrap, client_id="test")
                loop(recording, feed, database, metrics=metrics).run(stop)

    return running(run)


def test_a_broker_that_is_killed_and_comes_back_loses_nothing(database: Database, kafka_broker: Kafka) -> None:
    recording, registry = Recording(database), CollectorRegistry()
    streams = [uuid4() for _ in range(10)]
    bootstrap = kafka_broker.bootstrap
    with (
        supervised_relay(database, bootstrap),
        supervised_consumer(recording, database, bootstrap, registry),
    ):
        stored = append(database.admin_url, list(some_events(streams, range(1, 11))))
        eventually(lambda: len(recording.rows()) == len(stored))
        for begin in (11, 21):
            assert kafka_broker.pid is not None
            stored += append(database.admin_url, list(some_events(streams, range(begin, begin + 5))))
            os.kill(kafka_broker.pid, signal.SIGKILL)
            stored += append(database.admin_url, list(some_events(streams, range(begin + 5, begin + 10))))
            eventually(lambda: kafka_broker.pid is None)
            kafka_broker.start()
            kafka_broker.wait_ready()
            eventually(recording.holds(len(stored)), seconds=90)
    assert sorted(recording.positions()) == stored
    assert recording.in_order_per_stream()


def test_a_broker_that_is_replaced_by_an_empty_one_gets_everything_again(
    database: Database, kafka_broker: Kafka
) -> None:
    recording, registry = Recording(database), CollectorRegistry()
    streams = [uuid4() for _ in range(10)]
    bootstrap = kafka_broker.bootstrap
    with (
        supervised_relay(database, bootstrap),
        supervised_consumer(recording, database, bootstrap, registry),
    ):
        stored = append(database.admin_url, list(some_events(streams, range(1, 31))))
        eventually(lambda: len(recording.rows()) == len(stored))
        kafka_broker.stop()
        stored += append(database.admin_url, list(some_events(streams, range(31, 41))))
        kafka_broker.wipe()
        kafka_broker.start()
        kafka_broker.wait_ready()
        eventually(lambda: len(recording.rows()) >= len(stored), seconds=90)
        # Nothing new is appended here: the idle relay notices by itself, and readers drop the repeats.
        kafka_broker.stop()
        kafka_broker.wipe()
        kafka_broker.start()
        kafka_broker.wait_ready()
        eventually(lambda: published(bootstrap) == stored, seconds=90)
        stored += append(database.admin_url, list(some_events(streams, range(41, 43))))
        eventually(lambda: len(recording.rows()) >= len(stored), seconds=90)
    assert sorted(recording.positions()) == stored
    assert recording.in_order_per_stream()


def published(bootstrap: str) -> list[int]:
    """The positions on the topics, without repeats; empty while they cannot be read."""
    try:
        return sorted({int(dict(record.headers)["ce_position"]) for record in read_all(bootstrap)})
    except (KafkaError, AssertionError):
        return []


RELAY_PROCESS = """
    import os, sys, threading
    from tongban.infra.relay import Relay, RelayDoubt
    try:
        Relay(database_url=sys.argv[1], bootstrap=sys.argv[2], jurisdiction="310000").run(threading.Event())
    except RelayDoubt as doubt:
        print("doubt:", doubt, flush=True)
        os._exit(1)
"""


@contextmanager
def relay_process(database: Database, bootstrap: str) -> Iterator[subprocess.Popen[str]]:
    """A relay in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RELAY_PROCESS), database.url, bootstrap],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def epoch(database: Database) -> int:
    with psycopg.connect(database.admin_url) as conn:
        row = conn.execute("SELECT epoch FROM relay.checkpoint").fetchone()
        assert row is not None
        return int(row[0])


def test_a_relay_that_was_stopped_and_goes_on_makes_repeats_at_worst_and_gives_up(
    database: Database, kafka_bootstrap: str
) -> None:
    delete_topics(kafka_bootstrap)
    recording, registry = Recording(database), CollectorRegistry()
    streams = [uuid4() for _ in range(20)]
    with (
        supervised_consumer(recording, database, kafka_bootstrap, registry),
        relay_process(database, kafka_bootstrap) as zombie,
    ):
        eventually(lambda: epoch(database) == 1)
        stored = append(database.admin_url, list(some_events(streams, range(1, 51))))
        # Stopped in the middle of its work, wherever that is.
        eventually(lambda: len(recording.rows()) > 0)
        zombie.send_signal(signal.SIGSTOP)
        with relay_process(database, kafka_bootstrap) as successor:
            # PostgreSQL ends the silent session, and the lock passes on.
            eventually(lambda: epoch(database) == 2, seconds=60)
            stored += append(database.admin_url, list(some_events(streams, range(51, 61))))
            eventually(lambda: len(recording.rows()) >= len(stored))
            zombie.send_signal(signal.SIGCONT)
            assert zombie.wait(60) == 1
            stored += append(database.admin_url, list(some_events(streams, range(61, 71))))
            eventually(lambda: len(recording.rows()) >= len(stored))
            assert successor.poll() is None
    assert sorted(recording.positions()) == stored
    assert recording.in_order_per_stream()
    assert registry.get_sample_value("tongban_consumer_gaps_total", {"consumer": "test"}) == 0
    delete_topics(kafka_bootstrap)


def test_a_relay_that_is_killed_again_and_again_leaves_no_gap(database: Database, kafka_bootstrap: str) -> None:
    delete_topics(kafka_bootstrap)
    streams = [uuid4() for _ in range(20)]
    stored: list[int] = []
    for round_ in range(5):
        with relay_process(database, kafka_bootstrap) as process:
            eventually(lambda: epoch(database) == round_ + 1)  # noqa: B023 - used at once
            stored += append(database.admin_url, list(some_events(streams, range(1 + 40 * round_, 41 + 40 * round_))))
            time.sleep(0.05 * round_)
            process.kill()
            process.wait()
    with supervised_relay(database, kafka_bootstrap):
        eventually(lambda: published(kafka_bootstrap) == stored)
    last: dict[tuple[str, int], int] = {}
    for record in read_all(kafka_bootstrap):
        place = (record.topic, record.partition)
        headers = dict(record.headers)
        position, prev = int(headers["ce_position"]), int(headers["ce_prevposition"])
        assert prev <= last.get(place, -1), "something is missing before this message"
        last[place] = max(last.get(place, -1), position)
    delete_topics(kafka_bootstrap)
