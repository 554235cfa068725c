"""Lights: how near a deadline is (监察 rules E1 to E3). The thresholds are settings; who looks says what day it is.

Yellow: so few working days are left as a share of the limit, or as a number of days. Red: the last day is over. The
same question is asked of one clock here and of a whole queue in SQL, there by `first_green_days`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from tongban.domain.calendar.state import Calendar
from tongban.domain.clock import Clock, Light, Limit, Unit, light, remaining_working_days

MOST_WARNED = 60
"""Working days before a deadline from which on it can be yellow at the earliest."""
_DAY = timedelta(days=1)
# Of a limit in other units it is enough to know roughly how many working days it has: only its light asks.
_PER_MONTH, _PER_WEEK, _WEEK = 21, 5, 7


class Thresholds(NamedTuple):
    """A deadline is yellow with `share` percent of its limit left or less, and with `days` working days or fewer."""

    share: int = 20
    days: int = 1


def working_days_given(clock: Clock) -> int:
    """How many working days a clock's limit and its extensions give, roughly where they are in other units."""
    return limit_in_working_days(clock.limit) + sum(map(limit_in_working_days, (e.limit for e in clock.extensions)))


def limit_in_working_days(limit: Limit) -> int:
    """How many working days a limit has, roughly where it is in other units."""
    match limit.unit:
        case Unit.WORKING_DAY:
            return limit.value
        case Unit.CALENDAR_DAY:
            return limit.value * _PER_WEEK // _WEEK
        case Unit.MONTH:
            return limit.value * _PER_MONTH


def warned_at(given: int, thresholds: Thresholds) -> int:
    """With how many working days left, or fewer, a limit of `given` working days is yellow."""
    return min(max(given * thresholds.share // 100, thresholds.days), MOST_WARNED)


class Standing(NamedTuple):
    """How a clock stands: working days left (below 0: late by so many), and its light."""

    remaining: int
    light: Light


def standing(clock: Clock, today: date, calendar: Calendar, thresholds: Thresholds) -> Standing:
    """How a clock stands today; one that was stopped, how it ended: in time or late, never near."""
    day = today if clock.stopped is None else clock.stopped
    remaining = remaining_working_days(clock.due, day, calendar)
    if day > clock.due:
        return Standing(remaining, Light.RED)
    if clock.stopped is not None:
        return Standing(remaining, Light.GREEN)
    return Standing(remaining, light(remaining, yellow=warned_at(working_days_given(clock), thresholds)))


def first_green_days(today: date, calendar: Calendar) -> list[date]:
    """For n from 0 to `MOST_WARNED`: the first day of which more than n working days are left today.

    What is due before the n-th of them, but not before today, is yellow where `warned_at` is n.
    """
    return [calendar.add_working_days(today, days + 1) for days in range(MOST_WARNED + 1)]


def working_days_used(clock: Clock, calendar: Calendar) -> int | None:
    """The net working days a stopped clock ran: what was paused left out (平均用时); None while it runs."""
    if clock.stopped is None:
        return None
    used = calendar.working_days_between(clock.start, clock.stopped)
    for pause in clock.pauses:
        first = max(pause.start, clock.start + _DAY)
        resumed = min(pause.end or date.max, clock.stopped + _DAY)
        if first < resumed:
            used -= calendar.working_days_between(first - _DAY, resumed - _DAY)
    return used
