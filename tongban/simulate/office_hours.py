"""The office days before a moment as one line of working seconds, so that delays skip nights, weekends and holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

from tongban.domain.calendar.state import Calendar, Year, calendar_of
from tongban.domain.office_time import OFFICE_TIME
from tongban.infra.reference import sample_calendars

OPENS = time(9, 0)
DAY = 8 * 3600 + 1800
"""Working seconds of one day: 9:00 to 17:30."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Whole office days, in order: those of the published calendars, Monday to Friday in other years."""

    days: tuple[date, ...]

    @classmethod
    def before(cls, moment: datetime, days: int) -> OfficeHours:
        """The last `days` office days that were over at `moment`."""
        found: list[date] = []
        day = moment.astimezone(OFFICE_TIME).date()
        while len(found) < days:
            if calendar().is_working(day) and _opening(day) + timedelta(seconds=DAY) <= moment:
                found.append(day)
            day -= timedelta(days=1)
        return cls(tuple(reversed(found)))

    def at(self, second: int) -> datetime:
        """The moment of a working second, 0 being the first opening and `days` x DAY the last closing."""
        day, rest = divmod(second, DAY)
        if day == len(self.days) and rest == 0:
            day, rest = day - 1, DAY
        return _opening(self.days[day]) + timedelta(seconds=rest)

    def day_after(self, second: int | None, working_days: int) -> date:
        """The office day so many after that of a working second (None: after the last day)."""
        day = self.days[-1] if second is None else self.at(second).date()
        return calendar().add_working_days(day, working_days) if working_days else day


@cache
def calendar() -> Calendar:
    """The published calendars, as the service has them."""
    years = {each.year: Year(frozenset(each.off), frozenset(each.worked)) for each in sample_calendars()}
    return calendar_of(len(years), years)


def _opening(day: date) -> datetime:
    return datetime.combine(day, OPENS, OFFICE_TIME)
