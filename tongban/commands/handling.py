"""What it takes to handle one kind of command, and what a handler is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tongban.commands.ports import Identifiers, LicenceTypes, Numbers
from tongban.domain.actor import Actor, Role
from tongban.domain.aggregate import Aggregate, Circumstances
from tongban.domain.case.filing import END_OF_DAY
from tongban.domain.case.guards import SourceFailure
from tongban.domain.recorded import Evidence


class Longest(NamedTuple):
    """How long what somebody may do for another can last; settings."""

    mandate_years: int = 5
    absence_days: int = 366


LONGEST = Longest()


@dataclass(frozen=True, slots=True)
class Desk:
    """What handlers draw on besides streams. Filings from the hour `cut_off` on count for the next working day."""

    identifiers: Identifiers
    numbers: Numbers
    licence_types: LicenceTypes
    longest: Longest = LONGEST
    cut_off: int = END_OF_DAY


class Asked(NamedTuple):
    """One command with everything its decision may look at.

    `other(stream, kind)` is the state of a stream the handler reads; `holder` who has the identifier that was named;
    `evidence` what was found out about the materials that the command claims, `failures` which sources gave nothing.
    """

    command: Any
    stream: UUID
    circumstances: Circumstances
    state: Any
    other: Callable[[UUID, Aggregate[Any]], Any]
    holder: UUID | None
    desk: Desk
    evidence: tuple[Evidence, ...] = ()
    failures: tuple[SourceFailure, ...] = ()


Look = Callable[[UUID, Aggregate[Any]], Any]
"""(stream, kind) → the state of a stream that was read."""


def _nothing(_: Any) -> tuple[UUID, ...]:
    return ()


def _itself(asked: Asked) -> UUID:
    return asked.stream


@dataclass(frozen=True, slots=True)
class Handler:
    """How one command is handled.

    `stream(command, new id)` is the stream it decides on, `reads` the other streams its facts come from, `more(command,
    state, actor)` those that only the loaded state names (read only where it names any), `follows(command, look)` those
    that only another stream in `reads` names, `correlation` the case or
    bundle the events belong to where the state after them does not say. `acting` says who acts, with on whose behalf;
    without it nobody acts for another. `effective` is when the command takes effect where the law says it, whatever was
    asked; None from it leaves it as asked. `public` commands can be given over HTTP.
    """

    body: type
    roles: frozenset[Role]
    aggregate: Aggregate[Any]
    stream: Callable[[Any, UUID], UUID]
    decide: Callable[[Asked], list[Any]]
    reads: Callable[[Any], tuple[UUID, ...]] = _nothing
    more: Callable[[Any, Any, Actor], tuple[UUID, ...]] | None = None
    follows: Callable[[Any, Look], tuple[UUID, ...]] | None = None
    acting: Callable[[Asked], Actor] | None = None
    correlation: Callable[[Asked], UUID] = _itself
    creates: bool = False
    public: bool = True
    effective: Callable[[Asked], datetime | None] | None = None
