"""What a data source is: one question about one party, one answer or a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class Question(NamedTuple):
    """What a source is asked. `kind` is the means (E_LICENCE, DATA_SHARING, ONLINE_AUTHORISATION)."""

    request_id: UUID
    kind: str
    source: str
    subject: UUID
    material: str
    licence_type: str | None
    item: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says. Not `found`: it has no such thing, or not in force; `status` says which.

    `version` and `as_of` are those of the source's data; `evidence_id` names the answer for whoever checks later. All
    are told with what is found.
    """

    found: bool
    status: str
    version: str
    as_of: datetime | None
    evidence_id: str


class SourceFailed(Exception):
    """The source gave no answer that can be used. `passing`: asking again may help. Never holds what was answered."""

    def __init__(self, reason: str, *, passing: bool = True) -> None:
        """`reason` for the log."""
        super().__init__(reason)
        self.passing = passing


class Source(Protocol):
    """One data source. Time-outs and retries are the caller's."""

    async def ask(self, question: Question) -> Answer:
        """Raises SourceFailed."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
