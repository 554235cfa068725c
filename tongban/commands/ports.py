"""What the write side needs from outside, as protocols; `infra` implements them and `bootstrap` hands them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from tongban.domain.party.events import IdentifierKind
from tongban.domain.recorded import Envelope, Fact, Recorded

NOTHING_RELIED_ON: Mapping[UUID, int] = MappingProxyType({})
PersonKeys = Mapping[UUID, tuple[UUID, bytes]]


class StaleStream(Exception):
    """Someone else appended to one of the streams, or logged one of the commands: load again and decide again."""


class LogUnavailable(Exception):
    """The event log did not answer in time. Whether the append happened is told by the command log, later."""


class NewEvent(NamedTuple):
    """An encoded event that is to become version `version` of `stream`."""

    stream: UUID
    version: int
    type: str
    state: bytes


class StoredEvent(NamedTuple):
    """An event as it stands in the log."""

    stream: UUID
    version: int
    position: int
    state: bytes


class LoggedAnswer(NamedTuple):
    """The answer to a command, as the command log keeps it."""

    principal: str
    idempotency_key: UUID
    fingerprint: bytes
    stream: UUID
    version: int
    number: str | None
    events: tuple[str, ...]
    position: int = 0
    batch: UUID | None = None


class Reading(NamedTuple):
    """What one look at the log gave. `now` is the database's clock."""

    now: datetime
    tails: Sequence[StoredEvent]
    answers: Mapping[tuple[str, UUID], LoggedAnswer]
    parties: Mapping[bytes, UUID]


class PendingAppend(Protocol):
    """An append on its way to the disk."""

    def wait(self) -> Sequence[int]:
        """Wait until it is durable; the events' positions, in order. Raises StaleStream, LogUnavailable. Once only."""
        ...


class EventLog(Protocol):
    """The event store with its command log and identifier index."""

    def read(
        self, *, after: Mapping[UUID, int], commands: Sequence[tuple[str, UUID]], identifiers: Sequence[bytes]
    ) -> Reading:
        """Events of the streams after the given versions, logged answers, and who has the identifiers.

        Raises LogUnavailable.
        """
        ...

    def start_append(
        self,
        events: Sequence[NewEvent],
        answers: Sequence[LoggedAnswer],
        identifiers: Sequence[tuple[bytes, UUID]],
        unchanged: Mapping[UUID, int] = NOTHING_RELIED_ON,
    ) -> PendingAppend:
        """Begin to append all or nothing. Nothing is durable before `wait` returns. Raises LogUnavailable.

        `unchanged` are streams with the version that each must still have before these events; else StaleStream.
        """
        ...


class Codec(Protocol):
    """Events to bytes and back."""

    def encode(self, envelope: Envelope, event: Any, keys: PersonKeys) -> bytes:
        """The bytes of one event."""
        ...

    def decode(self, state: bytes, position: int) -> Recorded:
        """The event in stored bytes, personal fields withheld."""
        ...

    def decode_fact(self, state: bytes, position: int) -> Fact:
        """What folding needs of stored bytes, personal fields withheld."""
        ...

    def subjects_of(self, event: Any) -> set[UUID]:
        """Whose keys are needed to encode an event."""
        ...


class KeyRing(Protocol):
    """The keys of persons."""

    def keys(self, people: Iterable[UUID], *, create: bool = False) -> PersonKeys:
        """Keys of those who have one; with `create`, of all but those whose key was destroyed."""
        ...


class Identifiers(Protocol):
    """Checks identifiers of parties."""

    def problem_with(self, kind: IdentifierKind, identifier: str) -> str | None:
        """What is wrong with it, or None."""
        ...

    def digest(self, kind: IdentifierKind, identifier: str) -> bytes:
        """What it is looked up by."""
        ...


class Numbers(Protocol):
    """Gives out serial numbers, each once; gaps are allowed."""

    def next(self) -> int:
        """The next number."""
        ...


class LicenceTypes(Protocol):
    """Reference data of licence types."""

    def validity_years(self, licence_type: str) -> int | None:
        """Whole years a licence of this type is valid; None: without end."""
        ...

    def licence_number(self, licence_type: str, year: int, serial: int) -> str:
        """The e-licence identifier (GB/T 36904) of a new licence of this type."""
        ...
