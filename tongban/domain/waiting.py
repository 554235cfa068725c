"""The waiting ledger: whose time a case's time was. Every minute belongs to who held the case, as the events say.

Branches wait side by side, so their minutes add up to more than the case took. Of those that lie side by side, the one
that is held longest is critical: shortening another would not have ended the case earlier. The critical minutes add up
to the whole duration of the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tongban.domain.calendar.state import Calendar
from tongban.domain.office_time import OFFICE_TIME

NOBODY = "none"
_MINUTE = 60
_HOUR = 60
_DAY = timedelta(days=1)


class OfficeHours(NamedTuple):
    """From which to which hour offices are open on a working day."""

    opens: int = 9
    closes: int = 17


class Held(NamedTuple):
    """After an event that took effect `at`: branch → holder."""

    at: datetime
    holders: Mapping[str, str]


class Waited(NamedTuple):
    """So many minutes, of which so many in office hours, `holder` held `branch`; `critical`: the case waited for it."""

    branch: str
    holder: str
    critical: bool
    minutes: int
    working_minutes: int


class WaitingLedger(NamedTuple):
    """All that was waited, and the minutes from the first event to the end of the case, or to now."""

    total_minutes: int
    entries: tuple[Waited, ...]


class _Stretch(NamedTuple):
    start: datetime
    end: datetime
    holders: Mapping[str, str]


def waiting_ledger(held: Sequence[Held], now: datetime, calendar: Calendar, hours: OfficeHours) -> WaitingLedger:
    """Who held a case how long. `held` are its events in the order they were stored; an open case is held until `now`.

    What took effect before an event that was stored earlier (a late entry) counts from that one on.
    """
    stretches = _stretches(held, now)
    until = _held_until(stretches)
    sums: dict[tuple[str, str, bool], tuple[int, int]] = {}
    for index, stretch in enumerate(stretches):
        minutes = _minutes(stretch.start, stretch.end)
        working = _working_minutes(stretch.start, stretch.end, calendar, hours)
        critical = max(stretch.holders, key=lambda branch: (until[index][branch], branch))
        for branch, holder in stretch.holders.items():
            key = (branch, holder, branch == critical)
            before = sums.get(key, (0, 0))
            sums[key] = (before[0] + minutes, before[1] + working)
    entries = tuple(Waited(*key, *total) for key, total in sorted(sums.items()) if total[0])
    total = _minutes(stretches[0].start, stretches[-1].end) if stretches else 0
    return WaitingLedger(total, entries)


def _stretches(held: Sequence[Held], now: datetime) -> list[_Stretch]:
    """Times in which the same held the same, one after the other without holes, to the end of the case or to now."""
    stretches: list[_Stretch] = []
    start: datetime | None = None
    holders: Mapping[str, str] = {}
    for at, after in held:
        if start is not None:
            at = max(at, start)  # noqa: PLW2901 - never back in time
            stretches.append(_Stretch(start, at, holders))
        start, holders = at, after
        if all(holder == NOBODY for holder in holders.values()):
            return stretches
    if start is not None:
        stretches.append(_Stretch(start, max(now, start), holders))
    return stretches


def _held_until(stretches: Sequence[_Stretch]) -> list[dict[str, int]]:
    """For each stretch and branch: the last stretch up to which the branch is held without a break."""
    until: list[dict[str, int]] = []
    following: dict[str, int] = {}
    for index in range(len(stretches) - 1, -1, -1):
        following = {branch: following.get(branch, index) for branch in stretches[index].holders}
        until.append(following)
    return until[::-1]


def _minutes(start: datetime, end: datetime) -> int:
    """Whole minutes by the clock, so that stretches add up to what they make together."""
    return int(end.timestamp() // _MINUTE) - int(start.timestamp() // _MINUTE)


def _working_minutes(start: datetime, end: datetime, calendar: Calendar, hours: OfficeHours) -> int:
    first, last = start.astimezone(OFFICE_TIME), end.astimezone(OFFICE_TIME)
    # Up to the morning of the last day, less what had passed on the first, plus what has passed on the last.
    whole = calendar.working_days_between(first.date() - _DAY, last.date() - _DAY)
    a_day = (hours.closes - hours.opens) * _HOUR
    return whole * a_day - _passed(first, calendar, hours) + _passed(last, calendar, hours)


def _passed(at: datetime, calendar: Calendar, hours: OfficeHours) -> int:
    """Office minutes that have passed on the day of a moment (in office time)."""
    if not calendar.is_working(at.date()):
        return 0
    minute = at.hour * _HOUR + at.minute
    return min(max(minute, hours.opens * _HOUR), hours.closes * _HOUR) - hours.opens * _HOUR
