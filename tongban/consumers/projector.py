"""Events → read tables. What cannot be applied parks its stream; everything else flows on.

In: messages of any partitions. Out: rows of schema `read`, by the projections, in the loop's transaction. The same
events give the same rows whatever the batches were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from psycopg import Cursor

from tongban.consumers.failures import describe, is_poisonous
from tongban.consumers.feed import Message
from tongban.consumers.parked import Parking, StillPoisonous, park, parked_streams
from tongban.domain.recorded import Recorded
from tongban.infra.event_codec import UnreadableEvent, decode
from tongban.infra.session_lock import READ_TABLES
from tongban.projections.projection import PoisonEvent

log = structlog.get_logger(__name__)

PROJECTOR = "projector"
_FOLLOWS = "an earlier event of this stream is parked"

ApplyBatch = Callable[[Cursor[tuple[Any, ...]], Sequence[Recorded]], None]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message and the event in it, or why it cannot be read."""

    message: Message
    recorded: Recorded | None
    problem: str


class Projector:
    """The handler of the consumer `projector`."""

    def __init__(self, apply_batch: ApplyBatch) -> None:
        """`apply_batch` applies all projections to events in the caller's transaction (search path `read`)."""
        self._apply_batch = apply_batch

    def prepare(self, messages: Sequence[Message]) -> list[Decoded]:
        """Decode; personal fields stay sealed."""
        return [read_message(message) for message in messages]

    def lock(self, cursor: Cursor[tuple[Any, ...]]) -> None:
        """Share the read tables with other appliers; a rebuild's swap waits for all of them."""
        cursor.execute("SET LOCAL search_path TO read")
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (READ_TABLES,))

    def write(self, cursor: Cursor[tuple[Any, ...]], work: Sequence[Decoded]) -> int:
        """Apply what can be applied, park the rest. Returns how many events were parked."""
        if not work:
            return 0
        streams = {decoded.message.stream for decoded in work}
        parked = dict.fromkeys(parked_streams(cursor, PROJECTOR, list(streams)), _FOLLOWS)
        sifting = Sifting(cursor, self._apply_batch, parked)
        sifting.sift(work)
        for parking in sifting.parkings:
            if parking.problem != _FOLLOWS:
                log.error(
                    "stream_parked",
                    consumer=PROJECTOR,
                    stream=str(parking.message.stream),
                    position=parking.message.position,
                    problem=parking.problem,
                )
        return park(cursor, PROJECTOR, sifting.parkings)

    def again(self, cursor: Cursor[tuple[Any, ...]], messages: Sequence[Message]) -> None:
        """Apply parked events of one stream. Raises StillPoisonous."""
        decoded = self.prepare(messages)
        for item in decoded:
            if item.recorded is None:
                raise StillPoisonous(item.problem)
        try:
            self._apply_batch(cursor, [item.recorded for item in decoded if item.recorded is not None])
        except PoisonEvent as poison:
            raise StillPoisonous(f"position {poison.position}: {poison.problem}") from None


class Sifting:
    """One batch on its way into the read tables: takes out whatever parks, applies the rest."""

    def __init__(self, cursor: Cursor[tuple[Any, ...]], apply_batch: ApplyBatch, parked: dict[UUID, str]) -> None:
        self._cursor = cursor
        self._apply_batch = apply_batch
        self._parked = parked
        self.parkings: list[Parking] = []

    def sift(self, work: Sequence[Decoded]) -> None:
        """Apply what can be applied, in order; what cannot stands in `parkings` then."""
        good = self._without_parked(work)
        while good:
            try:
                self._apply([item.recorded for item in good if item.recorded is not None])
            except PoisonEvent as poison:
                good = self._without_poison(good, poison)
            except Exception as error:
                if not is_poisonous(error):
                    raise
                self._one_by_one(good)
                return
            else:
                return

    def _apply(self, events: Sequence[Recorded]) -> None:
        with self._cursor.connection.transaction():
            self._apply_batch(self._cursor, events)

    def _without_parked(self, work: Sequence[Decoded]) -> list[Decoded]:
        good = []
        for item in work:
            stream = item.message.stream
            if stream in self._parked:
                self.parkings.append(Parking(item.message, _FOLLOWS))
            elif item.recorded is None:
                self._park(item, item.problem)
            else:
                good.append(item)
        return good

    def _without_poison(self, good: Sequence[Decoded], poison: PoisonEvent) -> list[Decoded]:
        """The events that remain when the poison and all later ones of its stream are parked."""
        rest = []
        found = False
        for item in good:
            message = item.message
            if message.stream == poison.stream and message.position >= poison.position:
                problem = poison.problem if message.position == poison.position else _FOLLOWS
                self._park(item, problem)
                found = True
            else:
                rest.append(item)
        if not found:
            raise RuntimeError(f"a projection refused position {poison.position}, which is not in its batch")
        return rest

    def _one_by_one(self, good: Sequence[Decoded]) -> None:
        """The database refused something and does not say whose it was: try each event alone."""
        for item in good:
            if item.message.stream in self._parked:
                self.parkings.append(Parking(item.message, _FOLLOWS))
                continue
            try:
                self._apply([item.recorded] if item.recorded is not None else [])
            except PoisonEvent as poison:
                self._park(item, poison.problem)
            except Exception as error:
                if not is_poisonous(error):
                    raise
                self._park(item, describe(error))

    def _park(self, item: Decoded, problem: str) -> None:
        self._parked.setdefault(item.message.stream, problem)
        self.parkings.append(Parking(item.message, problem))


def read_message(message: Message) -> Decoded:
    """The event in a message, or why it cannot be read; personal fields stay sealed."""
    try:
        recorded = decode(message.state, message.position)
    except UnreadableEvent as unreadable:
        return Decoded(message, None, str(unreadable))
    if recorded.envelope.stream != message.stream or recorded.envelope.version != message.version:
        return Decoded(message, None, f"position {message.position}: the envelope names another stream or version")
    return Decoded(message, recorded, "")
