"""What has happened to a case, step by step? One row per event of the case and of what hangs on it (`timeline`).

Codes, not prose. Clear fields of the event stand in `data`; personal ones in `sealed`, as they were stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.case.events import CaseEvent
from tongban.domain.commitment.events import CommitmentEvent
from tongban.domain.licence.events import LicenceEvent
from tongban.domain.personal import personal_fields
from tongban.domain.rating.events import CaseRated
from tongban.domain.recorded import Recorded
from tongban.domain.revocation.events import DecisionRevoked
from tongban.domain.waiting import Held
from tongban.projections.keyset import Keyset, Page, check_first, read_position
from tongban.projections.projection import LogTable
from tongban.projections.selecting import fetch, selecting


class TimelineRow(NamedTuple):
    """One event of a case. `confidential`: it would tell officers who an anonymous rater is."""

    case_id: UUID
    position: int
    id: UUID
    stream: UUID
    version: int
    type: str
    effective_at: datetime
    recorded_at: datetime
    actor_id: str
    actor_role: str
    actor_department: str | None
    on_behalf_of: UUID | None
    mandate: UUID | None
    holders: Mapping[str, str]
    data: Mapping[str, Any]
    sealed: Sequence[Mapping[str, Any]]
    confidential: bool


@cache
def _clear_fields(event_type: type) -> tuple[str, ...]:
    personal = personal_fields(event_type)
    return tuple(field.name for field in fields(event_type) if field.name not in personal)


# Streams of their own that tell of the case they name.
_BESIDE = (*get_args(LicenceEvent), CaseRated, *get_args(CommitmentEvent), DecisionRevoked)


def _case_of(recorded: Recorded) -> UUID:
    event = recorded.event
    return event.case_id if isinstance(event, _BESIDE) else recorded.envelope.stream


def entry(recorded: Recorded) -> TimelineRow:
    """The line of one event."""
    envelope, event = recorded.envelope, recorded.event
    return TimelineRow(
        # Licence and rating name their case; what they are part of may be a bundle.
        case_id=getattr(event, "case_id", envelope.stream),
        position=recorded.position,
        id=envelope.id,
        stream=envelope.stream,
        version=envelope.version,
        type=envelope.type,
        effective_at=envelope.effective_at,
        recorded_at=envelope.recorded_at,
        actor_id=envelope.actor.id,
        actor_role=envelope.actor.role,
        actor_department=envelope.actor.department,
        on_behalf_of=envelope.actor.on_behalf_of,
        mandate=envelope.actor.mandate,
        holders=envelope.holders,
        data={name: getattr(event, name) for name in _clear_fields(event.__class__)},
        sealed=recorded.sealed,
        confidential=isinstance(event, CaseRated) and event.anonymous,
    )


TIMELINE = LogTable(
    name="timeline",
    row=TimelineRow,
    events=(*get_args(CaseEvent), *_BESIDE),
    entry=entry,
)

_SELECT = selecting("timeline", TimelineRow)
IN_ORDER: Keyset[TimelineRow] = Keyset("timeline", lambda row: (row.position,), (read_position,))


def timeline_of(cursor: Cursor[Any], case_id: UUID, *, first: int, after: str | None = None) -> Page[TimelineRow]:
    """The events of a case, in the order they were stored. Raises BadCursor, BadPageSize."""
    query = _SELECT + sql.SQL(" WHERE case_id = %s")
    parameters: list[Any] = [case_id]
    if after is not None:
        query += sql.SQL(" AND position > %s")
        parameters += IN_ORDER.decode(after)
    query += sql.SQL(" ORDER BY position LIMIT %s")
    return IN_ORDER.page(fetch(cursor, TimelineRow, query, [*parameters, check_first(first) + 1]), first)


def applications_of(cursor: Cursor[Any], case_ids: Sequence[UUID]) -> dict[UUID, TimelineRow]:
    """Case → the event that began it: its data names the materials, its sealed box holds the form and the answers."""
    query = _SELECT + sql.SQL(" WHERE case_id = ANY(%s) AND stream = case_id AND version = 1")
    return {row.case_id: row for row in fetch(cursor, TimelineRow, query, (list(case_ids),))}


def holdings_of(cursor: Cursor[Any], case_ids: Sequence[UUID]) -> dict[UUID, list[Held]]:
    """Case → who held it after each of its own events, in the order they were stored."""
    cursor.execute(
        "SELECT case_id, effective_at, holders FROM timeline WHERE case_id = ANY(%s) AND stream = case_id"
        " ORDER BY case_id, position",
        (list(case_ids),),
    )
    held: dict[UUID, list[Held]] = {}
    for case_id, at, holders in cursor.fetchall():
        held.setdefault(case_id, []).append(Held(at, holders))
    return held
