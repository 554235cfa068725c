"""Which days are working days? `calendar_view`: the version in force (one row); `calendar_version_view`: every version.

What each version imported stands in its row; from these rows any version of the calendar is made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.calendar.events import CalendarImported
from tongban.domain.calendar.state import Calendar, Year, calendar_of
from tongban.domain.recorded import Recorded
from tongban.projections.projection import LogTable, StreamTable
from tongban.projections.selecting import fetch, selecting


class CalendarRow(NamedTuple):
    """The version in force, and the years that are imported in it."""

    id: UUID
    calendar_version: int
    years: list[int]
    version: int
    position: int


class CalendarVersionRow(NamedTuple):
    """One version: the year it imported, its days off and weekend days worked (YYYY-MM-DD), and from which notice."""

    calendar_version: int
    year: int
    off: Sequence[str]
    worked: Sequence[str]
    source: str
    imported_at: datetime
    version: int
    position: int


def fold(row: CalendarRow | None, recorded: Recorded) -> CalendarRow:
    """The calendar after one more import."""
    event: CalendarImported = recorded.event
    return CalendarRow(
        id=recorded.envelope.stream,
        calendar_version=event.calendar_version,
        years=sorted({*(row.years if row else ()), event.year}),
        version=recorded.envelope.version,
        position=recorded.position,
    )


def entry(recorded: Recorded) -> CalendarVersionRow:
    """The version that one import makes."""
    event: CalendarImported = recorded.event
    return CalendarVersionRow(
        calendar_version=event.calendar_version,
        year=event.year,
        off=[day.isoformat() for day in event.off],
        worked=[day.isoformat() for day in event.worked],
        source=event.source,
        imported_at=recorded.envelope.effective_at,
        version=recorded.envelope.version,
        position=recorded.position,
    )


CALENDARS = StreamTable(name="calendar_view", row=CalendarRow, events=(CalendarImported,), fold=fold)
CALENDAR_VERSIONS = LogTable(
    name="calendar_version_view", row=CalendarVersionRow, events=(CalendarImported,), entry=entry
)

_SELECT = selecting("calendar_version_view", CalendarVersionRow)


def calendar_versions(cursor: Cursor[Any], version: int | None = None) -> list[CalendarVersionRow]:
    """What was imported, in order; up to a version if one is named."""
    query = _SELECT + sql.SQL(" WHERE %s::int IS NULL OR calendar_version <= %s ORDER BY calendar_version")
    return fetch(cursor, CalendarVersionRow, query, (version, version))


def calendar_at(cursor: Cursor[Any], version: int | None = None) -> Calendar:
    """The calendar as of a version, by default the newest; the empty one where nothing is imported."""
    rows = calendar_versions(cursor, version)
    years = {row.year: Year(_days(row.off), _days(row.worked)) for row in rows}
    return calendar_of(rows[-1].calendar_version, years) if rows else Calendar()


def _days(days: Sequence[str]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, days))


def calendars_at(cursor: Cursor[Any], versions: Sequence[int | None]) -> dict[int | None, Calendar]:
    """Version → the calendar as of it, all in one look; None is the newest, 0 the empty one.

    A version that is not there yet (its event may come later than those that rest on it) is left out.
    """
    found: dict[int | None, Calendar] = {0: Calendar()}
    years: dict[int, Year] = {}
    latest = 0
    for row in calendar_versions(cursor):
        years[row.year] = Year(_days(row.off), _days(row.worked))
        latest = row.calendar_version
        if latest in versions:
            found[latest] = calendar_of(latest, years)
    if None in versions:
        found[None] = calendar_of(latest, years) if latest else Calendar()
    return found
