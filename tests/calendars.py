"""The calendar of 2025 and 2026, known deadlines in it, random calendars, and counting by walking day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from types import SimpleNamespace

from hypothesis import strategies as st

from tongban.domain.calendar.state import Calendar, Year, calendar_of
from tongban.domain.clock import Pause
from tongban.infra.reference import sample_calendars

CALENDAR = calendar_of(
    2, {calendar.year: Year(frozenset(calendar.off), frozenset(calendar.worked)) for calendar in sample_calendars()}
)

VECTORS = [
    (date.fromisoformat(start), days, date.fromisoformat(due))
    for start, days, due in (
        ("2025-01-24", 5, "2025-02-07"),
        ("2025-01-27", 1, "2025-02-05"),
        ("2025-04-25", 5, "2025-05-06"),
        ("2025-09-26", 5, "2025-10-10"),
        ("2025-09-30", 1, "2025-10-09"),
        ("2025-12-31", 5, "2026-01-08"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-02-13", 20, "2026-03-19"),
        ("2026-04-30", 10, "2026-05-18"),
        ("2026-09-18", 10, "2026-10-09"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-05-08", 1, "2026-05-09"),
    )
]

_DAY = timedelta(days=1)


def _is_working(calendar: Calendar, day: date) -> bool:
    year = calendar.years.get(day.year, Year())
    return day in year.worked or (day.weekday() < 5 and day not in year.off)


def _add_working_days(calendar: Calendar, start: date, days: int) -> date:
    step = _DAY if days > 0 else -_DAY
    for _ in range(abs(days)):
        start += step
        while not _is_working(calendar, start):
            start += step
    return start


def _due(calendar: Calendar, start: date, days: int, pauses: Sequence[Pause], *, working: bool) -> date:
    """The deadline of so many working or calendar days; every pause has an end."""

    def runs(day: date) -> bool:
        return not any(pause.start <= day < pause.end for pause in pauses if pause.end is not None)

    day = start
    while days:
        day += _DAY
        days -= runs(day) and (not working or _is_working(calendar, day))
    while not (runs(day) and _is_working(calendar, day)):
        day += _DAY
    return day


brute_force = SimpleNamespace(is_working=_is_working, add_working_days=_add_working_days, due=_due)


@st.composite
def calendars(draw: st.DrawFn, *, first: int = 2020, last: int = 2029) -> Calendar:
    """A calendar of some of the years, each with any days off and any weekend days worked."""
    years: dict[int, Year] = {}
    for year in draw(st.sets(st.integers(first, last), max_size=4)):
        days = st.integers(0, 364).map(lambda number, year=year: date(year, 1, 1) + number * _DAY)  # type: ignore[misc]
        off = draw(st.sets(days, min_size=1, max_size=30))
        worked = draw(st.sets(days.filter(lambda day: day.weekday() >= 5), max_size=8))
        years[year] = Year(frozenset(off), frozenset(worked - off))
    return calendar_of(len(years), years)
