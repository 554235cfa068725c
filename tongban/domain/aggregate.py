"""What one kind of stream is: how its state starts, how an event changes it, and what the envelope says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from tongban.domain.actor import OFFICER_ROLES, Actor, Role
from tongban.domain.errors import EffectiveTimeInFuture, LateEntryNotAllowed
from tongban.domain.recorded import NO_RULES, Rules

State = TypeVar("State")


class Circumstances(NamedTuple):
    """Who asks, and when. `now` is the database's clock at the decision; `effective_at` is when it takes effect in law.

    `new_id` is a fresh random id that a decision may give to what it creates. `by_law`: the law, not who asked, says
    when it takes effect, as what was to be decided has been brought about by the law already.
    """

    actor: Actor
    now: datetime
    effective_at: datetime
    new_id: UUID
    by_law: bool = False

    @property
    def is_late(self) -> bool:
        """Whether what takes effect at a past moment is entered now (补录)."""
        return self.effective_at != self.now


def effective_time(asked: datetime | None, now: datetime, actor: Actor) -> datetime:
    """When a command takes effect: now, or the past moment an officer enters late (补录).

    Raises LateEntryNotAllowed for anyone but an officer or the system, EffectiveTimeInFuture for a moment after `now`.
    """
    if asked is None:
        return now
    if actor.role not in OFFICER_ROLES and actor.role is not Role.SYSTEM:
        raise LateEntryNotAllowed(role=actor.role)
    if asked > now:
        raise EffectiveTimeInFuture(effective_at=asked, now=now)
    return asked


def _no_holders(_: Any) -> Mapping[str, str]:
    return {}


def _no_rules(_: Any) -> Rules:
    return NO_RULES


def _of_itself(_: Any) -> UUID | None:
    return None


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[State]):
    """One category of streams. `evolve(state, event, effective_at)` only assigns and never refuses a fact.

    `correlation(state)` is what the stream is part of, as a case is of its bundle; None where the command tells.
    `binding`: a decision that looked at such a stream is appended only while the stream is unchanged, so that what was
    taken away (a mandate, a cover) covers nothing that is written later.
    """

    category: str
    events: tuple[type, ...]
    initial: State
    evolve: Callable[[State, Any, datetime], State]
    holders: Callable[[State], Mapping[str, str]] = _no_holders
    rules: Callable[[State], Rules] = _no_rules
    correlation: Callable[[State], UUID | None] = _of_itself
    binding: bool = False
