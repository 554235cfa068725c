"""Replaying a stream: each event with the state before and after it, and what it changed. Replay never acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tongban.domain.recorded import Recorded
from tongban.domain.registry import AGGREGATES


@dataclass(frozen=True, slots=True)
class Step:
    """One event in a replay. `changed` maps each field of the state to its value before and after."""

    recorded: Recorded
    before: Any
    after: Any
    changed: Mapping[str, tuple[Any, Any]]


def known_events(
    events: Iterable[Recorded], *, at: datetime | None = None, known_at: datetime | None = None
) -> list[Recorded]:
    """Of these events, those that had taken effect by `at` and were written by `known_at`, in store order."""
    return [
        recorded
        for recorded in events
        if (at is None or recorded.envelope.effective_at <= at)
        and (known_at is None or recorded.envelope.recorded_at <= known_at)
    ]


def replay(events: Iterable[Recorded]) -> Iterator[Step]:
    """The steps of one or more streams, in the order given; each stream's events must come in version order."""
    states: dict[UUID, Any] = {}
    for recorded in events:
        envelope = recorded.envelope
        aggregate = AGGREGATES[envelope.type.partition(".")[0]]
        before = states.get(envelope.stream, aggregate.initial)
        after = aggregate.evolve(before, recorded.event, envelope.effective_at)
        states[envelope.stream] = after
        changed = {name: (old, new) for name, old, new in zip(after._fields, before, after, strict=True) if old != new}
        yield Step(recorded, before, after, changed)
