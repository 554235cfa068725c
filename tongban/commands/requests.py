"""What comes to the write side and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tongban.domain.actor import Actor
from tongban.domain.case.guards import SourceFailure
from tongban.domain.errors import Conflict, DomainError, RuleBroken
from tongban.domain.recorded import Evidence


def principal_of(actor: Actor) -> str:
    """Whose an idempotency key is."""
    return f"{actor.role.value}:{actor.id}"


@dataclass(frozen=True, slots=True)
class Request:
    """One command with who asks. `fingerprint` is the SHA-256 of what was asked; `trace` a W3C traceparent.

    `evidence` is what was found out about the materials that the command claims, before it came here; `failures` are
    sources that were asked and did not give what they owe.
    `batch` is the id of the batch it came in; its idempotency key is `batch_command(batch, its place)` then.
    """

    name: str
    body: Any
    actor: Actor
    idempotency_key: UUID
    fingerprint: bytes
    expected_version: int | None = None
    effective_at: datetime | None = None
    trace: str | None = None
    causation: UUID | None = None
    evidence: tuple[Evidence, ...] = ()
    failures: tuple[SourceFailure, ...] = ()
    batch: UUID | None = None
    principal: str = field(init=False)
    """Whose idempotency key it is. Asked for several times per command, so it is made once."""

    def __post_init__(self) -> None:
        """Name the principal."""
        object.__setattr__(self, "principal", principal_of(self.actor))


@dataclass(frozen=True, slots=True)
class Answer:
    """A command that was done, or was so already (`events` empty). `position` is that of the stream's last event.

    `repeated`: it was done before, under the same idempotency key; this is what was answered then.
    """

    id: UUID
    number: str | None
    version: int
    position: int
    events: tuple[str, ...]
    created: bool
    repeated: bool = field(default=False, compare=False)


class KeyReused(RuleBroken):
    """This Idempotency-Key was used for another request: make a new key for a new request."""

    zh = "幂等键已用于其他请求, 请更换。"


class KeyInFlight(Conflict):
    """A request with this Idempotency-Key is still being worked on: ask again later."""

    zh = "相同幂等键的请求正在处理, 请稍后重试。"


class Unavailable(DomainError):
    """The write side cannot take this now: ask again later with the same Idempotency-Key."""

    zh = "系统繁忙, 请稍后以相同幂等键重试。"

    def __init__(self, *, retry_after: int = 1, **fields: object) -> None:
        """`retry_after` is in seconds."""
        self.retry_after = retry_after
        super().__init__(**fields)


Outcome = Answer | Exception
