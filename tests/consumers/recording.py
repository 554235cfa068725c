"""A handler that writes one row per event, and fails when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry
from psycopg import Cursor

from tests.running import Running
from tests.servers import Database
from tongban.consumers.feed import Feed, Message
from tongban.consumers.loop import ConsumerLoop
from tongban.consumers.metrics import ConsumerMetrics


class Recording:
    """Rows (position, stream, version) in `read.recorded`, in the order they were written."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.before_write: Callable[[], None] = lambda: None
        with psycopg.connect(database.admin_url) as conn:
            conn.execute(
                "CREATE TABLE IF NOT EXISTS read.recorded (seq bigserial, position bigint, stream uuid, version bigint)"
            )
            conn.execute("GRANT ALL ON read.recorded, read.recorded_seq_seq TO tongban_projector")

    def prepare(self, messages: Sequence[Message]) -> Sequence[Message]:
        return messages

    def lock(self, cursor: Cursor[tuple[Any, ...]]) -> None:
        pass

    def write(self, cursor: Cursor[tuple[Any, ...]], work: Sequence[Message]) -> int:
        self.before_write()
        cursor.executemany(
            "INSERT INTO read.recorded (position, stream, version) VALUES (%s, %s, %s)",
            [(message.position, message.stream, message.version) for message in work],
        )
        return 0

    def positions(self) -> list[int]:
        return [row[0] for row in self.rows()]

    def rows(self) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.admin_url) as conn:
            return conn.execute("SELECT position, stream, version FROM read.recorded ORDER BY seq").fetchall()

    def holds(self, count: int, *, unless: Running | None = None) -> Callable[[], bool]:
        """Whether `count` rows are written, or `unless` has ended."""
        return lambda: len(self.rows()) >= count or (unless is not None and not unless.alive)

    def in_order_per_stream(self) -> bool:
        versions: dict[Any, list[int]] = {}
        for _, stream, version in self.rows():
            versions.setdefault(stream, []).append(version)
        return all(found == list(range(1, len(found) + 1)) for found in versions.values())


def loop(handler: Any, feed: Feed, database: Database, *, name: str = "test", **more: Any) -> ConsumerLoop[Any]:
    """A loop with its own metrics."""
    return ConsumerLoop(
        name=name,
        feed=feed,
        database_url=database.url,
        handler=handler,
        metrics=more.pop("metrics", None) or ConsumerMetrics(CollectorRegistry()),
        **more,
    )
