"""How near a deadline is, and by which days a whole queue is told the same."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.calendars import CALENDAR
from tongban.domain.clock import (
    Clock,
    Extension,
    Light,
    Limit,
    Unit,
    extend_clock,
    pause_clock,
    resume_clock,
    start_clock,
    stop_clock,
)
from tongban.domain.lights import (
    MOST_WARNED,
    Thresholds,
    first_green_days,
    standing,
    warned_at,
    working_days_given,
    working_days_used,
)

START = date(2026, 4, 20)
NORMAL = Thresholds()


def _clock(value: int = 10, unit: Unit = Unit.WORKING_DAY) -> Clock:
    return start_clock("PROMISED", "", START, Limit(value, unit), CALENDAR)


def test_light_turns_yellow_with_a_fifth_left_and_red_the_day_after() -> None:
    clock = _clock()
    assert clock.due == date(2026, 5, 7)
    lights = {day: standing(clock, date(2026, 5, day), CALENDAR, NORMAL) for day in (3, 4, 6, 7, 8, 9)}
    assert lights[4] == lights[3] == (2, Light.YELLOW)
    assert lights[7] == (0, Light.YELLOW)
    assert lights[8] == (-1, Light.RED)
    assert standing(clock, date(2026, 4, 30), CALENDAR, NORMAL) == (2, Light.YELLOW)
    assert standing(clock, date(2026, 4, 29), CALENDAR, NORMAL) == (3, Light.GREEN)


def test_deadline_is_over_on_the_rest_day_after_it() -> None:
    clock = start_clock("X", "", date(2026, 3, 2), Limit(4, Unit.WORKING_DAY), CALENDAR)
    assert clock.due.weekday() == 4
    assert standing(clock, clock.due + timedelta(1), CALENDAR, NORMAL) == (0, Light.RED)


def test_short_limit_is_yellow_for_its_last_days_whatever_the_share() -> None:
    assert warned_at(3, NORMAL) == 1
    assert warned_at(3, Thresholds(share=0, days=0)) == 0
    assert warned_at(20, NORMAL) == 4
    assert warned_at(2000, Thresholds(share=100)) == MOST_WARNED


def test_stopped_clock_shows_how_it_ended() -> None:
    clock = _clock()
    in_time, late = stop_clock(clock, date(2026, 5, 7)), stop_clock(clock, date(2026, 5, 8))
    someday = date(2026, 9, 1)
    assert standing(in_time, someday, CALENDAR, NORMAL) == (0, Light.GREEN)
    assert standing(late, someday, CALENDAR, NORMAL) == (-1, Light.RED)


def test_extensions_and_other_units_give_working_days() -> None:
    longer = extend_clock(_clock(), Extension(Limit(5, Unit.WORKING_DAY), ""), CALENDAR)
    assert working_days_given(longer) == 15
    assert working_days_given(_clock(30, Unit.CALENDAR_DAY)) == 21
    assert working_days_given(_clock(2, Unit.MONTH)) == 42


def test_used_days_leave_out_what_was_paused() -> None:
    clock = pause_clock(_clock(), "HEARING", date(2026, 4, 24), 5, CALENDAR)
    assert working_days_used(clock, CALENDAR) is None
    clock = resume_clock(clock, date(2026, 5, 12), CALENDAR)
    assert clock.due == date(2026, 5, 20)
    # All ten days are used on the last day, three of them before the hearing.
    assert working_days_used(stop_clock(clock, date(2026, 5, 20)), CALENDAR) == 10
    assert working_days_used(stop_clock(clock, date(2026, 5, 12)), CALENDAR) == 4
    assert working_days_used(stop_clock(_clock(), START), CALENDAR) == 0


@given(
    st.integers(0, 30),
    st.integers(-40, 60),
    st.builds(Thresholds, st.integers(0, 100), st.integers(0, 5)),
)
def test_queue_is_told_the_same_light_as_one_clock(limit: int, days_on: int, thresholds: Thresholds) -> None:
    clock = _clock(limit)
    today = START + timedelta(days_on)
    green = first_green_days(today, CALENDAR)
    if clock.due < today:
        told = Light.RED
    else:
        told = Light.YELLOW if clock.due < green[warned_at(limit, thresholds)] else Light.GREEN
    assert told is standing(clock, today, CALENDAR, thresholds).light
