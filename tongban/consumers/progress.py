"""Where each consumer stands, in `consumers.progress`, moved by compare-and-set in the transaction of what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, Cursor

from tongban.consumers.feed import Partition


class ProgressMoved(Exception):
    """Someone else moved the progress of a partition; what was about to be written belongs to the past."""


@dataclass(frozen=True, slots=True)
class PartitionState:
    """The offset to read next and the last position that was handled (-1: none)."""

    partition: Partition
    next_offset: int
    last_position: int


@dataclass(frozen=True, slots=True)
class Move:
    """A step of one partition, valid only while its `next_offset` is still `old_offset`."""

    partition: Partition
    old_offset: int
    new_offset: int
    last_position: int


def load_progress(
    conn: Connection[tuple[Any, ...]], consumer: str, partitions: Sequence[Partition]
) -> list[PartitionState]:
    """Where `consumer` stands on `partitions`; a partition it never read begins at 0."""
    topics = [topic for topic, _ in partitions]
    numbers = [number for _, number in partitions]
    conn.execute(
        "INSERT INTO consumers.progress (consumer, topic, partition)"
        " SELECT %s, topic, partition FROM unnest(%s::text[], %s::int[]) AS p (topic, partition)"
        " ON CONFLICT DO NOTHING",
        (consumer, topics, numbers),
    )
    rows = conn.execute(
        "SELECT topic, partition, next_offset, last_position FROM consumers.progress"
        " JOIN unnest(%s::text[], %s::int[]) AS p (topic, partition) USING (topic, partition)"
        " WHERE consumer = %s",
        (topics, numbers, consumer),
    ).fetchall()
    return [PartitionState(Partition(topic, number), offset, last) for topic, number, offset, last in rows]


def move_progress(cursor: Cursor[tuple[Any, ...]], consumer: str, moves: Sequence[Move]) -> None:
    """Take the steps, all or none. Raises ProgressMoved; the caller's transaction must then roll back."""
    cursor.execute(
        "UPDATE consumers.progress AS p"
        " SET next_offset = m.new, last_position = m.last, updated_at = clock_timestamp()"
        " FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[])"
        "      AS m (topic, partition, old, new, last)"
        " WHERE p.consumer = %s AND p.topic = m.topic AND p.partition = m.partition AND p.next_offset = m.old",
        (
            [move.partition.topic for move in moves],
            [move.partition.partition for move in moves],
            [move.old_offset for move in moves],
            [move.new_offset for move in moves],
            [move.last_position for move in moves],
            consumer,
        ),
    )
    if cursor.rowcount != len(moves):
        raise ProgressMoved(f"{len(moves) - cursor.rowcount} of {len(moves)} partitions were moved by another")
