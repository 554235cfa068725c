"""One command on its way through a batch, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tongban.commands.handling import Handler
from tongban.commands.ports import LoggedAnswer, NewEvent
from tongban.commands.requests import Answer, KeyReused, Outcome, Request
from tongban.domain.actor import Actor
from tongban.domain.recorded import Rules


class Draft(NamedTuple):
    """An event that is decided; its place in the hash chain is found when the batch is encoded, in order."""

    version: int
    type: str
    event: Any
    holders: Mapping[str, str]
    rules: Rules
    correlation: UUID


@dataclass(slots=True)
class Work:
    """One command on its way through a batch. `version` and `number` are the stream's after it.

    `types` are the stable names of what it makes happen; `actor` who does it, once decided with on whose behalf.
    """

    request: Request
    handler: Handler
    new_id: UUID
    stream: UUID
    actor: Actor
    digest: bytes | None = None
    effective_at: datetime | None = None
    version: int = 0
    number: str | None = None
    types: tuple[str, ...] = ()
    drafts: list[Draft] = field(default_factory=list)
    outcome: Outcome | None = None

    def for_log(self) -> LoggedAnswer:
        """The answer as the command log keeps it."""
        request = self.request
        return LoggedAnswer(
            principal=request.principal,
            idempotency_key=request.idempotency_key,
            fingerprint=request.fingerprint,
            stream=self.stream,
            version=self.version,
            number=self.number,
            events=self.types,
            batch=request.batch,
        )

    def answer(self, position: int) -> Answer:
        """The answer, once it is durable; `position` is that of the stream's last event."""
        return Answer(
            id=self.stream,
            number=self.number,
            version=self.version,
            position=position,
            events=self.types,
            created=bool(self.drafts) and self.drafts[0].version == 1,
        )


def answer_again(logged: LoggedAnswer, request: Request) -> Outcome:
    """What is answered to a command that was done before: the same, unless the key was used for something else."""
    if logged.fingerprint != request.fingerprint:
        return KeyReused(idempotency_key=request.idempotency_key)
    return logged_answer(logged)


def logged_answer(logged: LoggedAnswer) -> Answer:
    """What was answered, from the command log."""
    created = bool(logged.events) and logged.version == len(logged.events)
    return Answer(logged.stream, logged.number, logged.version, logged.position, logged.events, created, repeated=True)


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch that is decided and encoded, but not yet durable: nothing of it may be answered before it is.

    `unchanged` are the streams that somebody's right to act rests on, with the versions that were looked at.
    """

    works: Sequence[Work]
    rows: Sequence[NewEvent]
    answers: Sequence[LoggedAnswer]
    identifiers: Sequence[tuple[bytes, UUID]]
    unchanged: Mapping[UUID, int]

    @property
    def requests(self) -> list[Request]:
        """What was asked, in order."""
        return [work.request for work in self.works]
