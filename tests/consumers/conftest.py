"""Both feeds over one store, so that one suite can ask the same of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest

from tests.events_in_store import append
from tests.running import eventually, running
from tests.servers import Database
from tests.topics_on_broker import delete_topics
from tongban.consumers.feed import Feed
from tongban.consumers.kafka_feed import KafkaFeed
from tongban.consumers.store_feed import StoreFeed
from tongban.infra.relay import Relay


@dataclass
class Source:
    """An event store and a feed that shows it."""

    database: Database
    bootstrap: str | None
    feed: Callable[[], Feed]

    def append(self, *events: tuple[UUID, int, str, bytes]) -> list[int]:
        """Append, and return the positions once the feed can show them."""
        positions = append(self.database.admin_url, events)
        if self.bootstrap is not None:
            eventually(lambda: self.published() >= positions[-1])
        return positions

    def published(self) -> int:
        with psycopg.connect(self.database.admin_url) as conn:
            row = conn.execute("SELECT position FROM relay.checkpoint").fetchone()
            assert row is not None
            return int(row[0])


def store_source(database: Database) -> Source:
    return Source(database, None, lambda: StoreFeed(database.url))


def kafka_source(database: Database, bootstrap: str) -> Source:
    return Source(database, bootstrap, lambda: KafkaFeed(bootstrap, client_id="test"))


@pytest.fixture(params=["store", "kafka"])
def source(request: pytest.FixtureRequest, database: Database) -> Iterator[Source]:
    """The store feed, then the Kafka feed with a relay that runs beside the test."""
    if request.param == "store":
        yield store_source(database)
        return
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    delete_topics(bootstrap)
    with ExitStack() as stack:
        stack.callback(delete_topics, bootstrap)
        relay = Relay(database_url=database.url, bootstrap=bootstrap, jurisdiction="310000")
        stack.enter_context(running(relay.run))
        yield kafka_source(database, bootstrap)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test over the Kafka feed asks for the broker at run time only, so it is marked here.

    kafka-python leaves the socket of a connection attempt that was given up (broker gone, client closed meanwhile) to
    the collector; that is not ours to mend, and sessions and brokers are killed in these tests.
    """
    for item in items:
        if "consumers" not in item.path.parts:
            continue
        if "kafka]" in item.name or "[kafka" in item.name:
            item.add_marker(pytest.mark.kafka)
        item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(autouse=True)
def sockets_are_collected_here() -> Iterator[None]:
    """Collect what a test's clients left, while the filter above still holds."""
    yield
    gc.collect()
