"""Which partitions this worker may handle: those whose advisory lock its session holds.

There is no coordinator. Each worker looks every few seconds: it takes free partitions up to its fair share and gives up
what it has above it, so that a new worker gets its part, and a dead one's part is taken over when its session ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from tongban.consumers.feed import Partition

REFRESH_SECONDS = 2.0

# Every worker shares this lock, so that they can be counted; -1 is no partition.
_PRESENT = "SELECT pg_advisory_lock_shared(hashtext(%s), hashtext('worker'))"
_WORKERS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid::bigint = hashtext(%s)::bigint & 4294967295"
    " AND objid::bigint = hashtext('worker')::bigint & 4294967295"
)
_TRY = "SELECT pg_try_advisory_lock(hashtext(%s), hashtext(%s))"
_GIVE_UP = "SELECT pg_advisory_unlock(hashtext(%s), hashtext(%s))"


class Ownership:
    """The partitions of one worker, tied to the session of `conn`."""

    def __init__(self, conn: Connection[tuple[Any, ...]], consumer: str, partitions: Sequence[Partition]) -> None:
        self._conn = conn
        self._consumer = consumer
        self._all = tuple(partitions)
        self.owned: set[Partition] = set()
        conn.execute(_PRESENT, (consumer,))

    def refresh(self) -> bool:
        """Take or give up partitions. Whether anything changed."""
        row = self._conn.execute(_WORKERS, (self._consumer,)).fetchone()
        workers = max(1, row[0] if row else 1)
        share = math.ceil(len(self._all) / workers)
        before = set(self.owned)
        for partition in self._all:
            if len(self.owned) >= share:
                break
            if partition not in self.owned and self._locked(_TRY, partition):
                self.owned.add(partition)
        for partition in sorted(self.owned, reverse=True):
            if len(self.owned) <= share:
                break
            self._locked(_GIVE_UP, partition)
            self.owned.discard(partition)
        return self.owned != before

    def _locked(self, statement: str, partition: Partition) -> bool:
        name = f"{partition.topic}#{partition.partition}"
        row = self._conn.execute(statement, (self._consumer, name)).fetchone()
        return bool(row and row[0])
