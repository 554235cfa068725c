"""Deadlines: a limit with all that stretched it, and the day it ends. Pure; the calendar is given.

In: a start, a limit in working days, calendar days or months, extensions, pauses, a calendar. Out: `Clock`, which keeps
them all and the day they come to. `explanation` says stretch by stretch how.

How days count (民法典 art. 201 to 203, 行政许可法 art. 82):
- The start day is not counted; the deadline is the end of the last day that is.
- A day on which the clock is paused is not counted; the day of resumption is.
- A month ends on the day of the same number, or on the month's last. Where a pause stretches it, it counts its days.
- A last day on which offices rest, or on which the clock is paused, gives way to the next working day.
- An extension is counted on from the limit's last day; in another unit, from the deadline which that day gave way to.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from tongban.domain.calendar.state import Calendar

_DAY = timedelta(days=1)
_MONTHS = 12


class Unit(StrEnum):
    """What a limit counts. “日” means working days in 行政许可法 only (art. 82)."""

    WORKING_DAY = "WORKING_DAY"
    CALENDAR_DAY = "CALENDAR_DAY"
    MONTH = "MONTH"


class Light(StrEnum):
    """How near a deadline is."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many working days, calendar days or months; 0 is on the spot."""

    value: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Pause:
    """A time that is not counted. `start` is the first day left out, `end` the day of resumption, which counts again.

    While it lasts (`end` None), it is taken to end after `declared` working days, the time that was announced.
    """

    kind: str
    start: date
    end: date | None
    declared: int


@dataclass(frozen=True, slots=True)
class Extension:
    """Time that was added to the limit, and on what ground."""

    limit: Limit
    basis: str


@dataclass(frozen=True, slots=True)
class Clock:
    """A running or stopped clock with its whole ledger.

    `due` is the last day in time. It is `provisional` where it rests on a calendar that is not published, or on the
    announced end of a pause that still lasts. Pauses do not overlap. `stopped` is the day it was met,
    `calendar` the version of the calendar the deadline was counted by (None: none was imported).
    """

    name: str
    basis: str
    start: date
    limit: Limit
    extensions: tuple[Extension, ...]
    pauses: tuple[Pause, ...]
    due: date
    provisional: bool
    stopped: date | None
    calendar: str | None = None


def start_clock(name: str, basis: str, start: date, limit: Limit, calendar: Calendar) -> Clock:
    """A clock that begins to run the day after `start`."""
    due, provisional = _end(start, limit, (), (), calendar)
    return Clock(name, basis, start, limit, (), (), due, provisional, None, calendar.label)


def pause_clock(clock: Clock, kind: str, on: date, declared: int, calendar: Calendar) -> Clock:
    """Suspended from `on` (not counted) for what was announced as `declared` working days; a stopped clock stays.

    Raises ValueError for a clock that is paused already.
    """
    if clock.stopped is not None:
        return clock
    if paused(clock):
        raise ValueError(f"clock {clock.name} is paused already")
    return _counted(clock, clock.extensions, (*clock.pauses, Pause(kind, on, None, declared)), calendar)


def resume_clock(clock: Clock, on: date, calendar: Calendar) -> Clock:
    """Running again from `on`, which counts; before the pause's first day nothing is left out. A stopped clock stays.

    Raises ValueError for a clock that is not paused.
    """
    if clock.stopped is not None:
        return clock
    if not paused(clock):
        raise ValueError(f"clock {clock.name} is not paused")
    pauses = tuple(p if p.end is not None else replace(p, end=max(on, p.start)) for p in clock.pauses)
    return _counted(clock, clock.extensions, pauses, calendar)


def extend_clock(clock: Clock, extension: Extension, calendar: Calendar) -> Clock:
    """With more time; a stopped clock stays."""
    if clock.stopped is not None:
        return clock
    return _counted(clock, (*clock.extensions, extension), clock.pauses, calendar)


def stop_clock(clock: Clock, on: date) -> Clock:
    """Met (or given up) on a day. Its deadline stays as it was; stopping it again changes nothing."""
    if clock.stopped is not None:
        return clock
    name, basis, start, limit, due = clock.name, clock.basis, clock.start, clock.limit, clock.due
    extensions, pauses, calendar = clock.extensions, clock.pauses, clock.calendar
    return Clock(name, basis, start, limit, extensions, pauses, due, clock.provisional, on, calendar)


def recompute(clock: Clock, calendar: Calendar) -> Clock:
    """The same ledger under another calendar; a stopped clock stays."""
    return clock if clock.stopped is not None else _counted(clock, clock.extensions, clock.pauses, calendar)


def paused(clock: Clock) -> bool:
    """Whether a pause still lasts."""
    return any(pause.end is None for pause in clock.pauses)


def remaining_working_days(due: date, today: date, calendar: Calendar) -> int:
    """剩余: working days after today up to the deadline; 0 on its day, negative when it is over."""
    return calendar.working_days_between(today, due)


def light(remaining: int, *, yellow: int, red: int = -1) -> Light:
    """The light for so many remaining working days: red at `red` or fewer, yellow at `yellow` or fewer."""
    if remaining <= red:
        return Light.RED
    return Light.YELLOW if remaining <= yellow else Light.GREEN


def _counted(clock: Clock, extensions: tuple[Extension, ...], pauses: tuple[Pause, ...], calendar: Calendar) -> Clock:
    """A running clock with this ledger."""
    name, basis, start, limit = clock.name, clock.basis, clock.start, clock.limit
    due, provisional = _end(start, limit, extensions, pauses, calendar)
    return Clock(name, basis, start, limit, extensions, pauses, due, provisional, None, calendar.label)


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Gap(NamedTuple):
    """Days left out: the first, the day of resumption, why, and whether that day is only expected."""

    start: date
    end: date
    kind: str
    expected: bool


def _end(
    start: date, limit: Limit, extensions: Sequence[Extension], pauses: Sequence[Pause], calendar: Calendar
) -> tuple[date, bool]:
    """The deadline, and whether it is provisional."""
    gaps = gaps_of(pauses, calendar) if pauses else ()
    day = last = last_counted(start, limit, gaps, calendar)
    if gaps or limit.unit is not Unit.WORKING_DAY or not limit.value:
        day = last_day(last, gaps, calendar)
    unit = limit.unit
    for extension in extensions:
        if extension.limit.unit is not unit:
            last, unit = day, extension.limit.unit
        last = last_counted(last, extension.limit, gaps, calendar)
        day = last_day(last, gaps, calendar)
    provisional = not _published(start, day, calendar) or any(pause.end is None for pause in pauses)
    return day, provisional


def _published(start: date, due: date, calendar: Calendar) -> bool:
    """Whether every year that was looked at is known: those from the day after the start to the deadline."""
    return calendar.all_published(min(start + _DAY, due), due)


def gaps_of(pauses: Iterable[Pause], calendar: Calendar) -> Sequence[Gap]:
    """What is left out, in order; of what is left out twice, the earlier says why."""
    gaps: list[Gap] = []
    for pause in sorted(pauses, key=lambda pause: (pause.start, pause.end is None)):
        # Not before what was left out already.
        start = max(pause.start, gaps[-1].end) if gaps else pause.start
        end = expected_end(pause, calendar)
        if start < end:
            gaps.append(Gap(start, end, pause.kind, pause.end is None))
    return gaps


def expected_end(pause: Pause, calendar: Calendar) -> date:
    """The day of resumption, or while it lasts the first working day after the announced ones."""
    if pause.end is not None:
        return pause.end
    return calendar.add_working_days(pause.start - _DAY, pause.declared + 1)


def last_counted(after: date, limit: Limit, gaps: Iterable[Gap], calendar: Calendar) -> date:
    """The last day of a limit that is counted on from a day, before it gives way to a working day."""
    working = limit.unit is Unit.WORKING_DAY
    left = limit.value if working else calendar_days(after, limit)
    for gap in gaps:
        if gap.end <= after:
            continue
        eve = max(gap.start - _DAY, after)
        running = calendar.working_days_between(after, eve) if working else (eve - after).days
        if running >= left:
            break
        left -= running
        after = gap.end - _DAY
    return calendar.add_working_days(after, left) if working else after + timedelta(days=left)


def calendar_days(after: date, limit: Limit) -> int:
    """How many days a limit in calendar days or months has when it is counted from a day."""
    if limit.unit is not Unit.MONTH:
        return limit.value
    months = after.month - 1 + limit.value
    year, month = after.year + months // _MONTHS, months % _MONTHS + 1
    return (date(year, month, min(after.day, monthrange(year, month)[1])) - after).days


def last_day(day: date, gaps: Iterable[Gap], calendar: Calendar) -> date:
    """The day itself if offices work and the clock runs on it, else the next such day."""
    day = calendar.next_working_day(day)
    for gap in gaps:
        if gap.start <= day < gap.end:
            day = calendar.next_working_day(gap.end)
    return day
