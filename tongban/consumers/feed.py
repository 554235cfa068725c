"""What a consumer reads from, whatever it is: ordered messages per partition, from an offset it asks for.

Two feeds keep this contract: `KafkaFeed` (the topics) and `StoreFeed` (the event store itself).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID


class Partition(NamedTuple):
    """A topic and the number of one of its partitions."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it was published.

    `position` is its place in the store, `prev_position` the one before it on the same partition (-1 for the first,
    None where a feed cannot have gaps). `state` is the stored bytes, readable or not.
    """

    topic: str
    partition: int
    offset: int
    position: int
    prev_position: int | None
    stream: UUID
    version: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll found on one partition: messages in offset order, and the offset to go on from."""

    partition: Partition
    messages: Sequence[Message]
    next_offset: int


class Feed(Protocol):
    """A source of messages. Not safe for threads."""

    @property
    def partitions(self) -> Sequence[Partition]:
        """Every partition there is, whoever reads it."""
        ...

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions and no others, from these offsets."""
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Go on from `offset` on an assigned partition."""
        ...

    def rewind(self, partition: Partition) -> None:
        """Go on from the first message of an assigned partition."""
        ...

    def poll(self, seconds: float) -> list[Batch]:
        """What there is now, at most one batch per partition; waits up to `seconds` for something to come."""
        ...

    def end_offset(self, partition: Partition) -> int | None:
        """The offset after the last message of an assigned partition, as last heard; None when not known yet."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...
