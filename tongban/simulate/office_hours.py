"""The office days before a moment as one line of working seconds, so that delays skip nights and weekends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tongban.domain.office_time import OFFICE_TIME

OPENS = time(9, 0)
DAY = 8 * 3600 + 1800
"""Working seconds of one day: 9:00 to 17:30."""

_FRIDAY = 4


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Whole office days, in order. Monday to Friday; holidays and swapped days are not looked at."""

    days: tuple[date, ...]

    @classmethod
    def before(cls, moment: datetime, days: int) -> OfficeHours:
        """The last `days` office days that were over at `moment`."""
        found: list[date] = []
        day = moment.astimezone(OFFICE_TIME).date()
        while len(found) < days:
            if day.weekday() <= _FRIDAY and _opening(day) + timedelta(seconds=DAY) <= moment:
                found.append(day)
            day -= timedelta(days=1)
        return cls(tuple(reversed(found)))

    def at(self, second: int) -> datetime:
        """The moment of a working second, 0 being the first opening and `days` x DAY the last closing."""
        day, rest = divmod(second, DAY)
        if day == len(self.days) and rest == 0:
            day, rest = day - 1, DAY
        return _opening(self.days[day]) + timedelta(seconds=rest)


def _opening(day: date) -> datetime:
    return datetime.combine(day, OPENS, OFFICE_TIME)
