"""Which days are working days, and counting them.

Days are counted by arithmetic, not one by one: up to any day there are as many working days as Mondays to Fridays, less
the weekdays off, plus the weekend days worked. These exceptions are few (some thirty a year) and kept sorted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from tongban.domain.aggregate import Aggregate
from tongban.domain.calendar.events import CalendarImported
from tongban.domain.recorded import Rules

SATURDAY = 5  # as date.weekday() counts
_WEEK, _WEEKDAYS = 7, 5


class Year(NamedTuple):
    """A year as its notice arranged it. `off` may name weekend days, too; `worked` names only such."""

    off: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()


class Calendar(NamedTuple):
    """The calendar in one version (0: nothing imported). Years that are not imported count Monday to Friday.

    `exceptions` are the ordinals of weekdays off and of weekend days worked, rising; `shifts` how many more working
    days than weekdays there are up to each of them, `counts` how many working days (of all time, each included).
    """

    version: int = 0
    years: Mapping[int, Year] = MappingProxyType({})
    exceptions: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    @property
    def label(self) -> str | None:
        """The version as the envelope of an event names it."""
        return str(self.version) if self.version else None

    def published(self, year: int) -> bool:
        """Whether the days of a year are known; before, they are Monday to Friday provisionally."""
        return year in self.years

    def is_working(self, day: date) -> bool:
        """Whether offices work on a day."""
        ordinal = day.toordinal()
        return self._count(ordinal) != self._count(ordinal - 1)

    def add_working_days(self, start: date, days: int) -> date:
        """The `days`-th working day after `start`, which itself is not counted; below 0: before it; 0: `start`."""
        if days == 0:
            return start
        ordinal = start.toordinal()
        if days > 0:
            return date.fromordinal(self._find(self._count(ordinal) + days))
        return date.fromordinal(self._find(self._count(ordinal - 1) + days + 1))

    def next_working_day(self, day: date) -> date:
        """`day` itself if it is a working day, else the first one after it."""
        return date.fromordinal(self._find(self._count(day.toordinal() - 1) + 1))

    def working_days_between(self, after: date, until: date) -> int:
        """How many working days there are after `after` up to and with `until`; negative if `until` is earlier."""
        return self._count(until.toordinal()) - self._count(after.toordinal())

    def all_published(self, first: date, last: date) -> bool:
        """Whether every year that a stretch of days touches is known."""
        years = self.years
        if first.year == last.year:
            return first.year in years
        return all(year in years for year in range(first.year, last.year + 1))

    def _count(self, ordinal: int) -> int:
        """How many working days there are up to and with a day."""
        weeks, rest = divmod(ordinal, _WEEK)  # ordinal 1 is a Monday
        index = bisect_right(self.exceptions, ordinal)
        shift = self.shifts[index - 1] if index else 0
        return weeks * _WEEKDAYS + min(rest, _WEEKDAYS) + shift

    def _find(self, count: int) -> int:
        """The working day up to and with which there are `count`."""
        # Of the exceptions, the first up to which there are as many: it is the day, or the day lies before it.
        index = bisect_left(self.counts, count)
        weeks, rest = divmod(count - (self.shifts[index - 1] if index else 0) - 1, _WEEKDAYS)
        ordinal = weeks * _WEEK + rest + 1
        return min(ordinal, self.exceptions[index]) if index < len(self.exceptions) else ordinal


def calendar_of(version: int, years: Mapping[int, Year]) -> Calendar:
    """A calendar of these years."""
    changed = [(day.toordinal(), -1) for year in years.values() for day in year.off if day.weekday() < SATURDAY]
    changed += [(day.toordinal(), 1) for year in years.values() for day in year.worked if day.weekday() >= SATURDAY]
    changed.sort()
    shifts: list[int] = []
    counts: list[int] = []
    shift = 0
    for ordinal, change in changed:
        shift += change
        weeks, rest = divmod(ordinal, _WEEK)
        shifts.append(shift)
        counts.append(weeks * _WEEKDAYS + min(rest, _WEEKDAYS) + shift)
    exceptions = tuple(ordinal for ordinal, _ in changed)
    return Calendar(version, MappingProxyType(dict(years)), exceptions, tuple(shifts), tuple(counts))


def evolve(calendar: Calendar, event: CalendarImported, at: datetime) -> Calendar:
    """The calendar after an event."""
    year = Year(frozenset(event.off), frozenset(event.worked))
    return calendar_of(event.calendar_version, {**calendar.years, event.year: year})


def rules(calendar: Calendar) -> Rules:
    """An import is made under the version it makes."""
    return Rules(calendar=calendar.label)


CALENDAR = Aggregate(category="calendar", events=(CalendarImported,), initial=Calendar(), evolve=evolve, rules=rules)
