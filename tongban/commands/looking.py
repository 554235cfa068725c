"""Looking at streams outside the writer: what has to be found out about a command before it is given to the bus.

In: stream ids and a command's key. Out: states as of now. What is decided on it later is checked again by the decision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tongban.commands.ports import Codec, EventLog
from tongban.commands.streams import EMPTY, Stream, folded
from tongban.domain.aggregate import Aggregate

_REMEMBERED = 5_000


class Look(NamedTuple):
    """Streams as they stood at `now` (the log's clock). `answered`: the command was done already."""

    now: datetime
    streams: Mapping[UUID, Stream]
    answered: bool

    def state(self, stream: UUID, kind: Aggregate[Any]) -> Any:
        """The state of a stream that was looked at; its initial state where there is no such stream of this kind."""
        return self.streams[stream].state_as(kind)


class Looking:
    """Reads streams, remembering those it has read. For any thread: what is remembered is replaced, never changed."""

    def __init__(self, log: EventLog, codec: Codec) -> None:
        """See `commands.ports`."""
        self._log = log
        self._codec = codec
        self._known: dict[UUID, Stream] = {}

    def look(self, streams: Collection[UUID], command: tuple[str, UUID] | None = None) -> Look:
        """The streams now, and whether a command (principal, idempotency key) was done. Raises LogUnavailable."""
        before = {stream: self._known.get(stream, EMPTY) for stream in streams}
        reading = self._log.read(
            after={stream: known.version for stream, known in before.items()},
            commands=[command] if command else [],
            identifiers=(),
        )
        current = folded(self._codec, before, reading.tails)
        for identity, stream in current.items():
            if stream.version > self._known.get(identity, EMPTY).version:
                self._known[identity] = stream
        if len(self._known) > _REMEMBERED:
            self._known = current
        return Look(reading.now, current, bool(reading.answers))
