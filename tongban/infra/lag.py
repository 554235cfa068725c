"""How far relay and consumers are behind the event store, in events and in seconds.

In: what stands in PostgreSQL now. The age of what a consumer of topics has not applied is known from what earlier looks
saw, since a topic's partition does not say where in the store its next event is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from psycopg import Connection

Place = tuple[str, int]
"""Topic and partition; ("store", 0) for a consumer that follows the event store."""

STORE: Place = ("store", 0)


@dataclass(frozen=True, slots=True)
class Behind:
    """What is not done yet: how many events, and for how many seconds the oldest has been waiting."""

    events: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Lag:
    """Who is how far behind. `relay` is None without a broker; `parked` counts streams by consumer."""

    relay: Behind | None
    consumers: Mapping[str, Behind]
    parked: Mapping[str, int]


@dataclass(slots=True)
class _Waiting:
    """A partition that is behind: the position it had to reach when that was seen, and since when, at the latest."""

    goal: int
    since: float


@dataclass(slots=True)
class LagReader:
    """Reads the lag again and again over two connections: one that may see events, one that may see progress.

    `consumers` are those that are expected, also when they have not begun.
    """

    events: Connection[tuple[Any, ...]]
    progress: Connection[tuple[Any, ...]]
    has_broker: bool
    consumers: tuple[str, ...] = ("projector", "reactor")
    _waiting: dict[tuple[str, Place], _Waiting] = field(default_factory=dict)
    _looked: float | None = None

    def read(self, now: float) -> Lag:
        """The lag; `now` on a clock that only rises. Raises psycopg.Error."""
        # Progress first: what is applied after this look makes the lag look larger, never smaller.
        applied = self._applied()
        row = self.progress.execute("SELECT position, partitions FROM relay.checkpoint WHERE name = 'main'").fetchone()
        sent, marks = (0, {}) if row is None else (row[0], _marks(row[1]))
        head = self._head()
        relay = self._since(sent, head) if self.has_broker else None
        behind = {
            name: self._of_topics(name, applied.get(name, {}), marks, now)
            if self.has_broker
            else self._since(applied.get(name, {}).get(STORE, (0, -1))[1], head)
            for name in self.consumers
        }
        parked = self.progress.execute("SELECT consumer, count(DISTINCT stream) FROM consumers.parked GROUP BY 1")
        self._looked = now
        return Lag(relay, behind, dict.fromkeys(self.consumers, 0) | dict(parked.fetchall()))

    def _head(self) -> int:
        row = self.events.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
        return row[0] or 0 if row else 0

    def _applied(self) -> dict[str, dict[Place, tuple[int, int]]]:
        rows = self.progress.execute(
            "SELECT consumer, topic, partition, next_offset, last_position FROM consumers.progress"
        )
        found: dict[str, dict[Place, tuple[int, int]]] = {}
        for consumer, topic, partition, offset, position in rows:
            found.setdefault(consumer, {})[topic, partition] = (offset, position)
        return found

    def _since(self, position: int, head: int) -> Behind:
        """Behind the store itself: exactly known from the first event that is not done."""
        if position >= head:
            return Behind()
        return Behind(events=head - max(position, 0), seconds=self._age_after(position))

    def _of_topics(
        self,
        consumer: str,
        applied: Mapping[Place, tuple[int, int]],
        marks: Mapping[Place, tuple[int, int]],
        now: float,
    ) -> Behind:
        events, oldest = 0, now
        for place, (position, offset) in marks.items():
            next_offset, last = applied.get(place, (0, -1))
            key = (consumer, place)
            if last >= position:
                self._waiting.pop(key, None)
                continue
            events += max(1, offset + 1 - next_offset)
            waiting = self._waiting.get(key)
            if waiting is None:
                # At the first look nothing is known of earlier; the age of the next stored event is an upper bound.
                since = now - self._age_after(last) if self._looked is None else self._looked
                waiting = self._waiting[key] = _Waiting(position, since)
            elif last >= waiting.goal:
                # It has done what it was behind with; what it is behind with now came since the last look.
                waiting.goal, waiting.since = position, self._looked or now
            oldest = min(oldest, waiting.since)
        return Behind(events, now - oldest) if events else Behind()

    def _age_after(self, position: int) -> float:
        """Seconds since the first event after `position` was recorded; 0.0 for one whose time cannot be read."""
        row = self.events.execute(
            "SELECT state, clock_timestamp() FROM events.stored_events WHERE notification_id > %s"
            " ORDER BY notification_id LIMIT 1",
            (position,),
        ).fetchone()
        if row is None:
            return 0.0
        try:
            recorded = datetime.fromisoformat(orjson.loads(row[0])["recorded_at"])
            return max(0.0, float((row[1] - recorded).total_seconds()))
        except (ValueError, KeyError, TypeError):
            return 0.0


def _marks(partitions: Mapping[str, Mapping[str, int]]) -> dict[Place, tuple[int, int]]:
    """Topic and partition → last position and offset that the relay has put there."""
    found: dict[Place, tuple[int, int]] = {}
    for key, value in partitions.items():
        topic, _, partition = key.rpartition(":")
        found[topic, int(partition)] = (value["prev"], value["offset"])
    return found
