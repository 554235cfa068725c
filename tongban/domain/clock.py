"""Deadlines: a limit with all that stretched it, and the day it ends. Pure; the calendar is given.

In: a start, a limit in working days, calendar days or months, extensions, pauses, a calendar. Out: `Clock`, which keeps
them all and the day they come to, and `explain`, which says stretch by stretch how, so that anyone can count it again.

How days count (民法典 art. 201 to 203, 行政许可法 art. 82):
- The start day is not counted; the deadline is the end of the last day that is.
- A day on which the clock is paused is not counted; the day of resumption is.
- A month ends on the day of the same number, or on the month's last. Where a pause stretches it, it counts its days.
- A last day on which offices rest, or on which the clock is paused, gives way to the next working day.
- An extension is counted on from the limit's last day; in another unit, from the deadline which that day gave way to.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from tongban.domain.calendar.state import SATURDAY, Calendar

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
    announced end of a pause that still lasts. Pauses do not overlap. `stopped` is the day it was met.
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


class StepKind(StrEnum):
    """What one line of an explanation says."""

    START = "START"
    LIMIT = "LIMIT"
    EXTENSION = "EXTENSION"
    COUNTED = "COUNTED"
    PAUSED = "PAUSED"
    MOVED = "MOVED"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation. `first` and `last` are inclusive days, `days` how many of `unit` it gives or counts.

    START: the day that is not counted. LIMIT, EXTENSION: what there is to count from then on (`days` of `unit`; months
    are told as their calendar days). COUNTED: a stretch on which days counted. PAUSED: a stretch left out. MOVED: the
    last day was a rest day and gave way. `off` and `worked` are the weekdays off and the weekend days worked in it.
    """

    kind: StepKind
    basis: str
    first: date
    last: date
    days: int
    unit: Unit
    off: tuple[date, ...] = ()
    worked: tuple[date, ...] = ()
    provisional: bool = False


class StepsDoNotAddUp(Exception):
    """An explanation contradicts itself."""


def start_clock(name: str, basis: str, start: date, limit: Limit, calendar: Calendar) -> Clock:
    """A clock that begins to run the day after `start`."""
    due, provisional = _end(start, limit, (), (), calendar)
    return Clock(name, basis, start, limit, (), (), due, provisional, None)


def pause_clock(clock: Clock, kind: str, on: date, declared: int, calendar: Calendar) -> Clock:
    """Suspended from `on` (not counted) for what was announced as `declared` working days; a stopped clock stays.

    Raises ValueError for a clock that is paused already.
    """
    if clock.stopped is not None:
        return clock
    if paused(clock):
        raise ValueError(f"clock {clock.name} is paused already")
    return _counted(replace(clock, pauses=(*clock.pauses, Pause(kind, on, None, declared))), calendar)


def resume_clock(clock: Clock, on: date, calendar: Calendar) -> Clock:
    """Running again from `on`, which counts; before the pause's first day nothing is left out. A stopped clock stays.

    Raises ValueError for a clock that is not paused.
    """
    if clock.stopped is not None:
        return clock
    if not paused(clock):
        raise ValueError(f"clock {clock.name} is not paused")
    pauses = tuple(p if p.end is not None else replace(p, end=max(on, p.start)) for p in clock.pauses)
    return _counted(replace(clock, pauses=pauses), calendar)


def extend_clock(clock: Clock, extension: Extension, calendar: Calendar) -> Clock:
    """With more time; a stopped clock stays."""
    if clock.stopped is not None:
        return clock
    return _counted(replace(clock, extensions=(*clock.extensions, extension)), calendar)


def stop_clock(clock: Clock, on: date) -> Clock:
    """Met (or given up) on a day. Its deadline stays as it was; stopping it again changes nothing."""
    return clock if clock.stopped is not None else replace(clock, stopped=on)


def recompute(clock: Clock, calendar: Calendar) -> Clock:
    """The same ledger under another calendar; a stopped clock stays."""
    return clock if clock.stopped is not None else _counted(clock, calendar)


def touched(clock: Clock, before: Calendar, after: Calendar) -> bool:
    """Whether a new calendar changes the deadline, or whether it is provisional, of a clock counted under `before`."""
    if clock.stopped is not None:
        return False
    span = range(clock.start.year, clock.due.year + 1)
    if all(before.years.get(year) == after.years.get(year) for year in span):
        return False
    renewed = _counted(clock, after)
    return (renewed.due, renewed.provisional) != (clock.due, clock.provisional)


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


def _counted(clock: Clock, calendar: Calendar) -> Clock:
    due, provisional = _end(clock.start, clock.limit, clock.extensions, clock.pauses, calendar)
    return replace(clock, due=due, provisional=provisional)


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────


class _Gap(NamedTuple):
    """Days left out: the first, the day of resumption, why, and whether that day is only expected."""

    start: date
    end: date
    kind: str
    expected: bool


def _end(
    start: date, limit: Limit, extensions: Sequence[Extension], pauses: Sequence[Pause], calendar: Calendar
) -> tuple[date, bool]:
    """The deadline, and whether it is provisional."""
    gaps = _gaps(pauses, calendar) if pauses else ()
    day = last = _run(start, limit, gaps, calendar)
    if gaps or limit.unit is not Unit.WORKING_DAY or not limit.value:
        day = _last_day(last, gaps, calendar)
    unit = limit.unit
    for extension in extensions:
        if extension.limit.unit is not unit:
            last, unit = day, extension.limit.unit
        last = _run(last, extension.limit, gaps, calendar)
        day = _last_day(last, gaps, calendar)
    provisional = not _published(start, day, calendar) or any(pause.end is None for pause in pauses)
    return day, provisional


def _published(start: date, due: date, calendar: Calendar) -> bool:
    """Whether every year that was looked at is known: those from the day after the start to the deadline."""
    return calendar.all_published(min(start + _DAY, due), due)


def _gaps(pauses: Iterable[Pause], calendar: Calendar) -> Sequence[_Gap]:
    """What is left out, in order; of what is left out twice, the earlier says why."""
    gaps: list[_Gap] = []
    for pause in sorted(pauses, key=lambda pause: (pause.start, pause.end is None)):
        # Not before what was left out already.
        start = max(pause.start, gaps[-1].end) if gaps else pause.start
        end = expected_end(pause, calendar)
        if start < end:
            gaps.append(_Gap(start, end, pause.kind, pause.end is None))
    return gaps


def expected_end(pause: Pause, calendar: Calendar) -> date:
    """The day of resumption, or while it lasts the first working day after the announced ones."""
    if pause.end is not None:
        return pause.end
    return calendar.add_working_days(pause.start - _DAY, pause.declared + 1)


def _run(after: date, limit: Limit, gaps: Iterable[_Gap], calendar: Calendar) -> date:
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


def _last_day(day: date, gaps: Iterable[_Gap], calendar: Calendar) -> date:
    """The day itself if offices work and the clock runs on it, else the next such day."""
    day = calendar.next_working_day(day)
    for gap in gaps:
        if gap.start <= day < gap.end:
            day = calendar.next_working_day(gap.end)
    return day


# ── explaining ───────────────────────────────────────────────────────────────────────────────────────────────────


def explain(clock: Clock, calendar: Calendar) -> tuple[Step, ...]:
    """How the deadline comes about under a calendar, in order of days. `due_of` counts it again from these steps."""
    gaps = _gaps(clock.pauses, calendar)
    day = last = clock.start
    unit = clock.limit.unit
    steps = [Step(StepKind.START, clock.basis, day, day, 0, unit)]
    parts = [(StepKind.LIMIT, clock.basis, clock.limit)]
    parts += [(StepKind.EXTENSION, extension.basis, extension.limit) for extension in clock.extensions]
    for kind, basis, limit in parts:
        if limit.unit is not unit:
            steps += _moved(last, day, gaps, calendar, unit)
            last, unit = day, limit.unit
        after, last = last, _run(last, limit, gaps, calendar)
        day = _last_day(last, gaps, calendar)
        given = limit.value if unit is Unit.WORKING_DAY else calendar_days(after, limit)
        on_the_spot = not given and not calendar.published(last.year)
        steps.append(Step(kind, basis, after, last, given, unit, provisional=on_the_spot))
        steps += _stretches(after, last, gaps, calendar, unit)
    return (*steps, *_moved(last, day, gaps, calendar, unit))


def _stretches(after: date, last: date, gaps: Iterable[_Gap], calendar: Calendar, unit: Unit) -> Iterator[Step]:
    """What was counted and what was left out after a day, up to the last that counts."""
    for gap in gaps:
        if gap.end <= after:
            continue
        if gap.start > last:
            break
        yield from _counting(after, gap.start - _DAY, calendar, unit)
        yield _left_out(max(gap.start, after + _DAY), gap, calendar, unit)
        after = gap.end - _DAY
    yield from _counting(after, last, calendar, unit)


def _counting(after: date, last: date, calendar: Calendar, unit: Unit) -> Iterator[Step]:
    if after >= last:
        return
    first = after + _DAY
    off, worked = exceptions_in(first, last, calendar) if unit is Unit.WORKING_DAY else ((), ())
    days = calendar.working_days_between(after, last) if unit is Unit.WORKING_DAY else (last - after).days
    unknown = not calendar.all_published(first, last)
    yield Step(StepKind.COUNTED, "", first, last, days, unit, off, worked, unknown)


def _left_out(first: date, gap: _Gap, calendar: Calendar, unit: Unit) -> Step:
    eve, last = first - _DAY, gap.end - _DAY
    days = calendar.working_days_between(eve, last) if unit is Unit.WORKING_DAY else (last - eve).days
    unknown = gap.expected or not calendar.all_published(first, last)
    return Step(StepKind.PAUSED, gap.kind, first, last, days, unit, provisional=unknown)


def _moved(last: date, day: date, gaps: Iterable[_Gap], calendar: Calendar, unit: Unit) -> Iterator[Step]:
    """That the last day gave way, and what it had to step over."""
    if day == last:
        return
    for gap in gaps:
        if gap.start < day and last < gap.end:
            yield _left_out(max(gap.start, last), gap, calendar, unit)
    off, worked = exceptions_in(last, day, calendar)
    unknown = not calendar.all_published(last, day)
    yield Step(StepKind.MOVED, "", last, day, (day - last).days, Unit.CALENDAR_DAY, off, worked, unknown)


def exceptions_in(first: date, last: date, calendar: Calendar) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """The weekdays off and the weekend days worked from one day to another."""
    low = bisect_left(calendar.exceptions, first.toordinal())
    high = bisect_left(calendar.exceptions, last.toordinal() + 1)
    days = [date.fromordinal(ordinal) for ordinal in calendar.exceptions[low:high]]
    off = tuple(day for day in days if day.weekday() < SATURDAY)
    return off, tuple(day for day in days if day.weekday() >= SATURDAY)


def due_of(steps: Iterable[Step]) -> date:
    """The deadline, counted day by day from an explanation alone. Raises StepsDoNotAddUp."""
    day: date | None = None
    left = 0
    paused_days: set[date] = set()
    for step in steps:
        match step.kind:
            case StepKind.START:
                day = step.last
            case StepKind.LIMIT | StepKind.EXTENSION:
                _agree(left == 0, step)
                left = step.days
            case StepKind.PAUSED:
                _agree(day is not None and step.first >= day, step)
                paused_days.update(_days(step.first, step.last))
            case StepKind.COUNTED:
                for each in _days(step.first, step.last):
                    _agree(day is not None and each > day and each not in paused_days, step)
                    if step.unit is not Unit.WORKING_DAY or _works(each, step):
                        day, left = each, left - 1
            case StepKind.MOVED:
                _agree(left == 0, step)
                day = next(
                    each for each in _days(step.first, date.max) if _works(each, step) and each not in paused_days
                )
                _agree(day == step.last, step)
    if day is None or left:
        raise StepsDoNotAddUp(f"{left} days are not counted")
    return day


def _agree(agrees: bool, step: Step) -> None:  # noqa: FBT001 - what is asserted
    if not agrees:
        raise StepsDoNotAddUp(f"{step.kind} from {step.first} to {step.last}")


def _works(day: date, step: Step) -> bool:
    return (day.weekday() < SATURDAY and day not in step.off) or day in step.worked


def _days(first: date, last: date) -> Iterator[date]:
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
