"""The event store itself as a feed: what a laptop without a broker follows.

One partition, `store`/0, whose offsets are the positions. Positions are complete up to the last one seen (appends
commit in their order), so there are no gaps to look for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from tongban.consumers.feed import Batch, Message, Partition
from tongban.infra.database import DbRole, connect
from tongban.infra.wakeup import POLL_SECONDS, Wakeup

STORE = Partition("store", 0)
_END_SECONDS = 1.0
_NEXT = (
    "SELECT notification_id, originator_id, originator_version, state FROM events.stored_events"
    " WHERE notification_id >= %s ORDER BY notification_id LIMIT %s"
)


class StoreFeed:
    """A feed over `events.stored_events`. Raises psycopg.OperationalError when its connections are lost."""

    def __init__(self, database_url: str, *, limit: int = 2000) -> None:
        """`limit`: messages in one poll."""
        self._conn: Connection[tuple[Any, ...]] = connect(database_url, DbRole.PROJECTOR)
        self._wakeup = Wakeup(database_url, DbRole.PROJECTOR)
        self._limit = limit
        self._offset: int | None = None
        self._end: int | None = None
        self._end_known_at = 0.0

    @property
    def partitions(self) -> Sequence[Partition]:
        """The one partition."""
        return (STORE,)

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Read from `offsets[STORE]`, or nothing when it is not among them."""
        self._offset = offsets.get(STORE)

    def seek(self, partition: Partition, offset: int) -> None:
        """Go on from position `offset`."""
        if partition != STORE or self._offset is None:
            raise LookupError(f"{partition} is not assigned")
        self._offset = offset

    def rewind(self, partition: Partition) -> None:
        """Go on from the first event."""
        self.seek(partition, 0)

    def poll(self, seconds: float) -> list[Batch]:
        """The next events; waits for an append, polling meanwhile."""
        deadline = time.monotonic() + seconds
        while self._offset is not None:
            if messages := self._next(self._offset):
                self._offset = messages[-1].offset + 1
                return [Batch(STORE, messages, self._offset)]
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._wakeup.wait(min(left, POLL_SECONDS))
        else:
            time.sleep(seconds)
        return []

    def end_offset(self, partition: Partition) -> int | None:
        """The position after the last event, not older than a second."""
        if partition != STORE:
            return None
        if time.monotonic() - self._end_known_at > _END_SECONDS:
            row = self._conn.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
            self._end = (row[0] if row and row[0] is not None else -1) + 1
            self._end_known_at = time.monotonic()
        return self._end

    def close(self) -> None:
        """End both connections."""
        self._wakeup.close()
        self._conn.close()

    def _next(self, offset: int) -> list[Message]:
        with self._conn.cursor(binary=True) as cursor:
            rows = cursor.execute(_NEXT, (offset, self._limit)).fetchall()
        topic, partition = STORE
        return [
            Message(topic, partition, position, position, None, stream, version, state)
            for position, stream, version, state in rows
        ]
