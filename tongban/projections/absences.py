"""Who is away, and who covers? One row per officer who was ever absent (`absence_view`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, assert_never, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.absence.events import AbsenceEnded, AbsenceEvent, AbsenceRegistered
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Recorded
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, selecting

MOST = 100
"""Officers of one department that are shown."""


class AbsenceRow(NamedTuple):
    """`standing`: [{cover, department, first, last}], days as YYYY-MM-DD, inclusive; ended ones are gone."""

    id: UUID
    officer: str
    departments: Sequence[str]
    standing: Sequence[Mapping[str, Any]]
    version: int
    position: int


def fold(row: AbsenceRow | None, recorded: Recorded) -> AbsenceRow:
    """The officer's absences after one more event; what is over is let go with the next one that is registered."""
    event: AbsenceEvent = recorded.event
    envelope = recorded.envelope
    standing = list(row.standing) if row else []
    match event:
        case AbsenceRegistered():
            today = office_day(envelope.effective_at).isoformat()
            standing = [absence for absence in standing if absence["last"] >= today]
            standing.append(
                {
                    "cover": event.cover,
                    "department": event.department,
                    "first": event.first.isoformat(),
                    "last": event.last.isoformat(),
                }
            )
        case AbsenceEnded():
            ended = (event.department, event.first.isoformat())
            standing = [absence for absence in standing if (absence["department"], absence["first"]) != ended]
        case _:
            assert_never(event)
    return AbsenceRow(
        id=envelope.stream,
        officer=event.officer,
        departments=sorted({absence["department"] for absence in standing}),
        standing=standing,
        version=envelope.version,
        position=recorded.position,
    )


ABSENCES = StreamTable(name="absence_view", row=AbsenceRow, events=get_args(AbsenceEvent), fold=fold)

_SELECT = selecting("absence_view", AbsenceRow)


def absences_of(cursor: Cursor[Any], department: str) -> Sequence[AbsenceRow]:
    """The officers of a department with absences that stand, by id, MOST of them at most."""
    query = _SELECT + sql.SQL(" WHERE departments @> %s ORDER BY officer LIMIT %s")
    return fetch(cursor, AbsenceRow, query, ([department], MOST))
