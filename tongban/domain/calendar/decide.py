"""What an import leads to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.events import CalendarImported
from tongban.domain.calendar.state import SATURDAY, Calendar, Year
from tongban.domain.errors import RuleBroken

FIRST_YEAR, LAST_YEAR = 1950, 2999


class InvalidCalendar(RuleBroken):
    """The calendar of the year is not complete or not consistent; `at` says where (JSON pointer)."""

    zh = "工作日历不完整或不一致。"


def import_calendar(command: ImportCalendar, calendar: Calendar) -> list[CalendarImported]:
    """Make the next version, or nothing if the year's days are the ones in force. Raises InvalidCalendar."""
    check_calendar(command)
    off, worked = tuple(sorted(command.off)), tuple(sorted(command.worked))
    if calendar.years.get(command.year) == Year(frozenset(off), frozenset(worked)):
        return []
    return [
        CalendarImported(
            calendar_version=calendar.version + 1,
            year=command.year,
            off=off,
            worked=worked,
            source=command.source.strip(),
        )
    ]


def check_calendar(command: ImportCalendar) -> None:
    """Refuse a year that contradicts itself. Raises InvalidCalendar at the first place that is wrong."""
    if not FIRST_YEAR <= command.year <= LAST_YEAR:
        raise InvalidCalendar(at="/year", problem=f"a year from {FIRST_YEAR} to {LAST_YEAR} is required")
    if not command.off:
        raise InvalidCalendar(at="/off", problem="no year is without a day off")
    _check_days(command.off, command.year, "/off")
    _check_days(command.worked, command.year, "/worked")
    off = frozenset(command.off)
    for number, day in enumerate(command.worked):
        if day.weekday() < SATURDAY:
            raise InvalidCalendar(at=f"/worked/{number}", problem=f"{day} is no weekend day")
        if day in off:
            raise InvalidCalendar(at=f"/worked/{number}", problem=f"{day} is a day off, too")
    if not command.source.strip():
        raise InvalidCalendar(at="/source", problem="the notice must be named")


def _check_days(days: Iterable[date], year: int, at: str) -> None:
    seen: set[date] = set()
    for number, day in enumerate(days):
        if day.year != year:
            raise InvalidCalendar(at=f"{at}/{number}", problem=f"{day} is not in {year}")
        if day in seen:
            raise InvalidCalendar(at=f"{at}/{number}", problem=f"{day} is repeated")
        seen.add(day)
