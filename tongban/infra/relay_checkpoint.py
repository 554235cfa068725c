"""How far the relay has published, and what it last put on each topic-partition. Kept in `relay.checkpoint`.

Every change names the epoch it was made in: a relay whose leadership has passed on changes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

_NAME = "main"

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The last event that was acknowledged on one topic-partition: its position in the store, its offset there."""

    position: int
    offset: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything up to `position` is on the topics; `incarnation` says on which cluster and topics."""

    position: int = 0
    marks: dict[Place, Mark] = field(default_factory=dict)
    incarnation: dict[str, str] = field(default_factory=dict)


def take_epoch(conn: Connection[tuple[Any, ...]]) -> int:
    """Begin a new epoch; every older relay is fenced off from the checkpoint from now on."""
    row = conn.execute(
        "UPDATE relay.checkpoint SET epoch = epoch + 1 WHERE name = %s RETURNING epoch", (_NAME,)
    ).fetchone()
    if row is None:
        raise LookupError(f"relay.checkpoint has no row {_NAME!r}; run `tongban migrate`")
    return int(row[0])


def load(conn: Connection[tuple[Any, ...]]) -> Checkpoint:
    """The checkpoint as it stands."""
    row = conn.execute(
        "SELECT position, partitions, incarnation FROM relay.checkpoint WHERE name = %s", (_NAME,)
    ).fetchone()
    if row is None:
        raise LookupError(f"relay.checkpoint has no row {_NAME!r}; run `tongban migrate`")
    marks = {_place(key): Mark(value["prev"], value["offset"]) for key, value in row[1].items()}
    return Checkpoint(position=row[0], marks=marks, incarnation=row[2])


def save(conn: Connection[tuple[Any, ...]], checkpoint: Checkpoint, epoch: int) -> bool:
    """Store the checkpoint. False: the epoch has passed on, and nothing was changed."""
    partitions = {
        f"{topic}:{partition}": {"prev": mark.position, "offset": mark.offset}
        for (topic, partition), mark in checkpoint.marks.items()
    }
    changed = conn.execute(
        "UPDATE relay.checkpoint SET position = %s, partitions = %s, incarnation = %s,"
        " updated_at = clock_timestamp() WHERE name = %s AND epoch = %s",
        (checkpoint.position, Jsonb(partitions), Jsonb(checkpoint.incarnation), _NAME, epoch),
    )
    return changed.rowcount == 1


def _place(key: str) -> Place:
    topic, _, partition = key.rpartition(":")
    return topic, int(partition)
