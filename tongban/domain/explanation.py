"""How a deadline comes about, stretch by stretch, so that anyone can count it again.

In: a clock and the calendar it was counted under. Out: `Step`s in the order of the days, complete in themselves:
`due_of` finds the deadline from them alone, without the calendar, and so checks them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tongban.domain.calendar.state import SATURDAY, Calendar
from tongban.domain.clock import Clock, Gap, Unit, calendar_days, gaps_of, last_counted, last_day

_DAY = timedelta(days=1)


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


def explain(clock: Clock, calendar: Calendar) -> tuple[Step, ...]:
    """How the deadline comes about under a calendar, in order of days. `due_of` counts it again from these steps."""
    gaps = gaps_of(clock.pauses, calendar)
    day = last = clock.start
    unit = clock.limit.unit
    steps = [Step(StepKind.START, clock.basis, day, day, 0, unit)]
    parts = [(StepKind.LIMIT, clock.basis, clock.limit)]
    parts += [(StepKind.EXTENSION, extension.basis, extension.limit) for extension in clock.extensions]
    for kind, basis, limit in parts:
        if limit.unit is not unit:
            steps += _moved(last, day, gaps, calendar, unit)
            last, unit = day, limit.unit
        after, last = last, last_counted(last, limit, gaps, calendar)
        day = last_day(last, gaps, calendar)
        given = limit.value if unit is Unit.WORKING_DAY else calendar_days(after, limit)
        on_the_spot = not given and not calendar.published(last.year)
        steps.append(Step(kind, basis, after, last, given, unit, provisional=on_the_spot))
        steps += _stretches(after, last, gaps, calendar, unit)
    return (*steps, *_moved(last, day, gaps, calendar, unit))


def _stretches(after: date, last: date, gaps: Iterable[Gap], calendar: Calendar, unit: Unit) -> Iterator[Step]:
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


def _left_out(first: date, gap: Gap, calendar: Calendar, unit: Unit) -> Step:
    eve, last = first - _DAY, gap.end - _DAY
    days = calendar.working_days_between(eve, last) if unit is Unit.WORKING_DAY else (last - eve).days
    unknown = gap.expected or not calendar.all_published(first, last)
    return Step(StepKind.PAUSED, gap.kind, first, last, days, unit, provisional=unknown)


def _moved(last: date, day: date, gaps: Iterable[Gap], calendar: Calendar, unit: Unit) -> Iterator[Step]:
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
