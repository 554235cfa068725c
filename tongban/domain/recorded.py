"""An event with its envelope: everything event format v1 says about one fact besides the fact itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tongban.domain.actor import Actor


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """A service item (catalogue id) in one published version (1-based)."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The versions of the rules a decision used; None where it used none of that kind."""

    item: ItemVersion | None = None
    bundle: ItemVersion | None = None
    calendar: str | None = None


NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class Evidence:
    """How one material was met: by which means, from whom, and which version of that source was relied on."""

    material: str
    how: str
    source: str | None
    source_version: str | None
    ref: str | None


class Envelope(NamedTuple):
    """The envelope of format v1. Times are UTC; `holders` maps each branch to who holds it after this event."""

    id: UUID
    type: str
    schema: int
    stream: UUID
    version: int
    effective_at: datetime
    recorded_at: datetime
    actor: Actor
    command: UUID
    causation: UUID | None
    correlation: UUID
    rules: Rules
    holders: Mapping[str, str]
    evidence: tuple[Evidence, ...]
    trace: str | None
    prev: str | None


class Recorded(NamedTuple):
    """One stored event: position in the store, envelope, the event, and its sealed boxes as they were stored.

    `sealed` holds boxes that can be copied into a read row and unsealed later by who may: each carries the event id and
    the digest of the clear envelope it is bound to. In `event`, personal fields are `WITHHELD` unless it was read with
    an unsealer.
    """

    position: int
    envelope: Envelope
    event: Any
    sealed: tuple[Mapping[str, Any], ...]


class Fact(NamedTuple):
    """What folding needs of a stored event: its stable type name, when it took effect, and the event itself."""

    type: str
    effective_at: datetime
    event: Any
