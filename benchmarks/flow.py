"""Relay and projector at full speed: a filled store is published, then projected into every read table."""

from __future__ import annotations

import threading
import time
from itertools import islice

import psycopg
from prometheus_client import CollectorRegistry
from rich.progress import track

from benchmarks.cases import answer_of, filings, prepare, steps
from benchmarks.figures import Figure, at_least, say
from benchmarks.servers import Servers
from tongban.commands.batch import Batch
from tongban.commands.requests import Answer, Request
from tongban.consumers.kafka_feed import KafkaFeed
from tongban.consumers.loop import ConsumerLoop
from tongban.consumers.metrics import ConsumerMetrics
from tongban.consumers.projector import PROJECTOR, Projector
from tongban.infra.relay import Relay
from tongban.infra.write_side import open_write_side
from tongban.projections.registry import apply_batch

CASES = 10_000
RELAY_GOAL = 15_000.0
PROJECTOR_GOAL = 8_000.0


def run(servers: Servers) -> list[Figure]:
    """Fill the store, then measure both, one after the other."""
    events = fill(servers)
    say(f"  {events:,} events in the store")
    relayed = relay(servers, events)
    say(f"  relay: {relayed:,.0f} events/s")
    projected = project(servers, events)
    say(f"  projector: {projected:,.0f} events/s")
    return [
        at_least("relay", relayed, "events/s", "the limit of the design", RELAY_GOAL),
        at_least(
            "projector, all read tables, by Kafka", projected, "events/s", "the limit of the design", PROJECTOR_GOAL
        ),
    ]


def fill(servers: Servers) -> int:
    """Straight-path cases in the store, interleaved as a day would; how many events."""
    write_side = open_write_side(servers.settings)
    try:
        people = prepare(write_side.batch)
        for _ in track(range(CASES // 500), "filling the store", transient=True):
            answers = _do(write_side.batch, filings(people, 500))
            for requests in steps([answer.id for answer in answers]):
                _do(write_side.batch, requests)
    finally:
        write_side.close()
    with psycopg.connect(servers.admin_url) as conn:
        row = conn.execute("SELECT count(*) FROM events.stored_events").fetchone()
    assert row is not None
    return int(row[0])


def _do(batch: Batch, requests: list[Request]) -> list[Answer]:
    answers: list[Answer] = []
    waiting = iter(requests)
    while some := list(islice(waiting, 256)):
        answers += [answer_of(outcome) for outcome in batch.do(some)]
    return answers


def relay(servers: Servers, events: int) -> float:
    """Events a second, between the first checkpoint and the last."""
    marks: list[tuple[float, int]] = []
    stop = threading.Event()
    with psycopg.connect(servers.admin_url) as conn:
        row = conn.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
    assert row is not None
    newest = row[0]

    def progress(position: int) -> None:
        marks.append((time.perf_counter(), position))
        if position >= newest:
            stop.set()

    Relay(
        database_url=servers.settings.database_url,
        bootstrap=servers.settings.kafka_bootstrap,
        jurisdiction=servers.settings.jurisdiction,
        progress=progress,
    ).run(stop)
    seconds = marks[-1][0] - marks[0][0]
    return (events - 500) / seconds


def project(servers: Servers, events: int) -> float:
    """Events a second, between the first commit and the last."""
    marks: list[tuple[float, int]] = []
    stop = threading.Event()
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        marks.append((time.perf_counter(), done))
        if done >= events:
            stop.set()

    ConsumerLoop(
        name=PROJECTOR,
        feed=KafkaFeed(servers.settings.kafka_bootstrap, client_id="bench"),
        database_url=servers.settings.database_url,
        handler=Projector(apply_batch),
        metrics=ConsumerMetrics(CollectorRegistry()),
        progress=progress,
    ).run(stop)
    return (marks[-1][1] - marks[0][1]) / (marks[-1][0] - marks[0][0])
