"""The streams a process has at hand: state, version and chain tip of each, brought up to date before every batch.

Nothing is decided on a remembered state alone: each batch first reads what was appended after the remembered version.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from tongban.commands.ports import Codec, StoredEvent
from tongban.domain.aggregate import Aggregate
from tongban.domain.registry import AGGREGATES


class Stream(NamedTuple):
    """A stream as of `version`, of one category. `tip` is the SHA-256 of its last event's bytes (hex).

    Category, tip and state are None before the first event.
    """

    version: int = 0
    position: int = 0
    tip: str | None = None
    category: str | None = None
    state: Any = None

    def state_as(self, aggregate: Aggregate[Any]) -> Any:
        """The state for who looks for this kind of stream.

        Ids come from callers: where a party's id is given as a case's, there is no such case.
        """
        return self.state if self.category == aggregate.category else aggregate.initial


EMPTY = Stream()


def folded(codec: Codec, streams: Mapping[UUID, Stream], tails: Iterable[StoredEvent]) -> dict[UUID, Stream]:
    """The streams with the events in `tails` (rising versions per stream) folded in."""
    current = dict(streams)
    # Only a stream's last event has its bytes hashed.
    last: dict[UUID, tuple[StoredEvent, Aggregate[Any], Any]] = {}
    for stored in tails:
        fact = codec.decode_fact(stored.state, stored.position)
        aggregate = AGGREGATES[fact.type.partition(".")[0]]
        before = last.get(stored.stream)
        if before is not None and before[1] is aggregate:
            state = before[2]
        else:
            state = current[stored.stream].state_as(aggregate)
        last[stored.stream] = (stored, aggregate, aggregate.evolve(state, fact.event, fact.effective_at))
    for stream, (stored, aggregate, state) in last.items():
        tip = sha256(stored.state).hexdigest()
        current[stream] = Stream(stored.version, stored.position, tip, aggregate.category, state)
    return current


class Streams:
    """Remembers the streams that were used last. Used by one thread."""

    def __init__(self, codec: Codec, *, size: int = 20_000) -> None:
        """`size` is how many streams are remembered."""
        self._codec = codec
        self._size = size
        self._known: OrderedDict[UUID, Stream] = OrderedDict()

    def versions(self, wanted: Iterable[UUID]) -> dict[UUID, int]:
        """The version up to which each wanted stream is known (0: not at all)."""
        return {stream: known.version if (known := self._known.get(stream)) else 0 for stream in wanted}

    def take(self, wanted: Iterable[UUID], tails: Iterable[StoredEvent]) -> dict[UUID, Stream]:
        """The wanted streams, with the events in `tails` (rising versions per stream) folded in."""
        return folded(self._codec, {stream: self._known.get(stream, EMPTY) for stream in wanted}, tails)

    def keep(self, streams: Mapping[UUID, Stream], tips: Mapping[UUID, str | None]) -> None:
        """Remember streams as they will stand in the log, with the tips of their chains."""
        known = self._known
        for identity, (version, position, _, category, state) in streams.items():
            if version:
                known[identity] = Stream(version, position, tips[identity], category, state)
                known.move_to_end(identity)
        while len(known) > self._size:
            known.popitem(last=False)

    def settle(self, stream: UUID, position: int) -> None:
        """Note the position that an event of a remembered stream was given."""
        if (known := self._known.get(stream)) is not None:
            self._known[stream] = Stream(known.version, position, known.tip, known.category, known.state)

    def position(self, stream: UUID) -> int:
        """The position of a remembered stream's last event; 0 for one that is not remembered."""
        known = self._known.get(stream)
        return known.position if known else 0

    def clear(self) -> None:
        """Forget every stream: what they were thought to be may not have come to be."""
        self._known.clear()
