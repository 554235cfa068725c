"""Deadlines of 行政许可法 and 民法典: known examples, then every ledger against one that walks day by day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.calendars import CALENDAR, brute_force, calendars
from tongban.domain.calendar.state import Calendar, Year, calendar_of
from tongban.domain.clock import (
    Clock,
    Extension,
    Light,
    Limit,
    Pause,
    Unit,
    extend_clock,
    light,
    pause_clock,
    paused,
    recompute,
    remaining_working_days,
    resume_clock,
    start_clock,
    stop_clock,
)
from tongban.domain.explanation import StepKind, StepsDoNotAddUp, due_of, explain

LAW = "行政许可法 art. 42(1)"


def wd(value: int) -> Limit:
    return Limit(value, Unit.WORKING_DAY)


def days(value: int) -> Limit:
    return Limit(value, Unit.CALENDAR_DAY)


def months(value: int) -> Limit:
    return Limit(value, Unit.MONTH)


def started(start: date, limit: Limit, calendar: Calendar = CALENDAR) -> Clock:
    return start_clock("PROMISED", LAW, start, limit, calendar)


ACCEPTED = date(2026, 4, 20)
PROMISED = started(ACCEPTED, wd(10))
SUSPENDED = pause_clock(PROMISED, "HEARING", date(2026, 4, 24), 8, CALENDAR)
RESUMED = resume_clock(SUSPENDED, date(2026, 5, 12), CALENDAR)
WITH_2027 = calendar_of(3, {**CALENDAR.years, 2027: Year(frozenset({date(2027, 1, 1)}), frozenset())})


def test_ten_working_days_from_a_monday_step_over_the_may_holidays() -> None:
    assert (PROMISED.due, PROMISED.provisional, PROMISED.calendar) == (date(2026, 5, 7), False, "2")


def test_a_hearing_is_left_out_and_the_day_of_resumption_counts() -> None:
    assert (RESUMED.due, RESUMED.provisional) == (date(2026, 5, 20), False)


def test_while_a_pause_lasts_the_deadline_is_the_expected_one() -> None:
    # 24, 27, 28, 29, 30 April, 6, 7, 8 May are the eight announced days; 9 May is worked and counts as the fourth.
    assert (SUSPENDED.due, SUSPENDED.provisional) == (date(2026, 5, 18), True)
    assert paused(SUSPENDED)
    assert not paused(RESUMED)


def test_an_extension_is_counted_on() -> None:
    longer = extend_clock(RESUMED, Extension(wd(10), "行政许可法 art. 42(1)"), CALENDAR)
    assert longer.due == CALENDAR.add_working_days(RESUMED.due, 10)


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        (date(2026, 3, 2), days(15), date(2026, 3, 17)),
        (date(2026, 3, 6), days(15), date(2026, 3, 23)),  # ends on a Saturday
        (date(2026, 4, 20), days(15), date(2026, 5, 6)),  # ends on the last day of the holidays
        (date(2026, 4, 24), days(15), date(2026, 5, 9)),  # ends on a Saturday that is worked
        (date(2026, 2, 6), days(9), date(2026, 2, 24)),  # ends in the Spring Festival
        (date(2026, 1, 15), months(1), date(2026, 2, 24)),  # 15 February: Spring Festival
        (date(2026, 3, 31), months(1), date(2026, 4, 30)),  # there is no 31 April
        (date(2025, 12, 31), months(2), date(2026, 2, 28)),  # a Saturday that is worked
        (date(2026, 11, 30), months(1), date(2026, 12, 30)),
    ],
)
def test_days_and_months_that_end_on_a_rest_day_end_on_the_next_working_day(
    start: date, limit: Limit, due: date
) -> None:
    assert started(start, limit).due == due


def test_on_the_spot_is_the_same_day_or_the_next_working_day() -> None:
    assert started(date(2026, 4, 20), wd(0)).due == date(2026, 4, 20)
    assert started(date(2026, 5, 1), wd(0)).due == date(2026, 5, 6)


def test_a_pause_stretches_calendar_days_by_its_own() -> None:
    clock = started(date(2026, 3, 2), days(15))
    later = resume_clock(pause_clock(clock, "QUARANTINE", date(2026, 3, 5), 3, CALENDAR), date(2026, 3, 10), CALENDAR)
    assert later.due == date(2026, 3, 23)  # 22 March is a Sunday


def test_a_pause_on_the_day_to_which_the_end_gave_way_moves_it_on() -> None:
    clock = started(date(2026, 3, 6), days(15))
    later = resume_clock(pause_clock(clock, "APPRAISAL", date(2026, 3, 23), 3, CALENDAR), date(2026, 3, 28), CALENDAR)
    assert later.due == date(2026, 3, 30)
    assert due_of(explain(later, CALENDAR)) == later.due


def test_an_extension_in_another_unit_begins_at_the_deadline() -> None:
    clock = extend_clock(started(date(2026, 3, 6), days(15)), Extension(wd(10), "x"), CALENDAR)
    assert clock.due == CALENDAR.add_working_days(date(2026, 3, 23), 10)


def test_an_extension_in_the_same_unit_begins_at_the_last_day() -> None:
    clock = extend_clock(started(date(2026, 3, 6), days(15)), Extension(days(3), "x"), CALENDAR)
    assert clock.due == date(2026, 3, 24)


def test_across_a_year_that_is_not_published_a_deadline_is_provisional_until_it_is() -> None:
    clock = started(date(2026, 12, 28), wd(5))
    assert (clock.due, clock.provisional) == (date(2027, 1, 4), True)
    renewed = recompute(clock, WITH_2027)
    assert (renewed.due, renewed.provisional) == (date(2027, 1, 5), False)


def test_a_calendar_that_only_confirms_a_deadline_makes_it_certain() -> None:
    clock = started(date(2027, 3, 1), wd(5))
    assert recompute(clock, WITH_2027) == replace(clock, provisional=False, calendar="3")


def test_another_year_moves_no_deadline() -> None:
    assert recompute(PROMISED, WITH_2027) == replace(PROMISED, calendar=WITH_2027.label)


def test_a_stopped_clock_stays_as_it_is() -> None:
    clock = stop_clock(started(date(2026, 12, 28), wd(5)), date(2026, 12, 30))
    assert clock.stopped == date(2026, 12, 30)
    assert stop_clock(clock, date(2026, 12, 31)) == clock
    assert recompute(clock, WITH_2027) == clock
    assert pause_clock(clock, "HEARING", date(2026, 12, 30), 3, CALENDAR) == clock
    assert resume_clock(clock, date(2026, 12, 31), CALENDAR) == clock
    assert extend_clock(clock, Extension(wd(1), "x"), CALENDAR) == clock


def test_a_clock_is_not_paused_twice_nor_resumed_when_it_runs() -> None:
    with pytest.raises(ValueError, match="paused already"):
        pause_clock(SUSPENDED, "HEARING", date(2026, 4, 27), 1, CALENDAR)
    with pytest.raises(ValueError, match="not paused"):
        resume_clock(RESUMED, date(2026, 5, 13), CALENDAR)


def test_a_pause_that_ends_before_it_begins_leaves_nothing_out() -> None:
    clock = resume_clock(SUSPENDED, date(2026, 4, 20), CALENDAR)
    assert clock.due == PROMISED.due
    assert clock.pauses == (Pause("HEARING", date(2026, 4, 24), date(2026, 4, 24), 8),)


def test_remaining_days_and_lights() -> None:
    assert remaining_working_days(PROMISED.due, date(2026, 4, 30), CALENDAR) == 2
    assert remaining_working_days(PROMISED.due, PROMISED.due, CALENDAR) == 0
    assert remaining_working_days(PROMISED.due, date(2026, 5, 9), CALENDAR) == -2
    assert [light(remaining, yellow=2) for remaining in (3, 2, 0, -1)] == [
        Light.GREEN,
        Light.YELLOW,
        Light.YELLOW,
        Light.RED,
    ]
    assert light(0, yellow=2, red=0) is Light.RED


def test_an_explanation_names_the_law_the_pause_and_the_holidays() -> None:
    steps = explain(RESUMED, CALENDAR)
    assert [(step.kind, step.days) for step in steps] == [
        (StepKind.START, 0),
        (StepKind.LIMIT, 10),
        (StepKind.COUNTED, 3),
        (StepKind.PAUSED, 10),
        (StepKind.COUNTED, 7),
    ]
    assert (steps[1].basis, steps[3].basis) == (LAW, "HEARING")
    (_, _, counted) = explain(PROMISED, CALENDAR)
    assert counted.off == (date(2026, 5, 1), date(2026, 5, 4), date(2026, 5, 5))
    (*_, moved) = explain(started(date(2026, 4, 20), days(15)), CALENDAR)
    assert (moved.kind, moved.first, moved.last) == (StepKind.MOVED, date(2026, 5, 5), date(2026, 5, 6))


def test_an_explanation_that_was_changed_does_not_add_up() -> None:
    steps = explain(RESUMED, CALENDAR)
    for number, step in enumerate(steps[1:], 1):
        with pytest.raises(StepsDoNotAddUp):
            due_of((*steps[:number], *steps[number + 1 :]) if step.kind is not StepKind.PAUSED else ())
        changed = replace(step, days=step.days + 1, first=step.first - timedelta(days=30))
        with pytest.raises(StepsDoNotAddUp):
            due_of((*steps[:number], changed, *steps[number + 1 :]))


# ── any ledger ───────────────────────────────────────────────────────────────────────────────────────────────────

STARTS = st.dates(date(2020, 1, 1), date(2028, 12, 31))
UNITS = st.sampled_from(list(Unit))
LIMITS = st.builds(Limit, st.integers(0, 60), st.sampled_from([Unit.WORKING_DAY, Unit.CALENDAR_DAY])) | st.builds(
    Limit, st.integers(0, 6), st.just(Unit.MONTH)
)
EXTENSIONS = st.lists(st.builds(Extension, LIMITS, st.just("art. 42")), max_size=2).map(tuple)


@st.composite
def ledgers(draw: st.DrawFn, *, closed: bool = False) -> tuple[Clock, Calendar]:
    """A clock with its pauses and extensions, and its calendar; only the last pause may still last."""
    calendar = draw(calendars())
    start = draw(STARTS)
    pauses: list[Pause] = []
    day = start + timedelta(days=draw(st.integers(-5, 30)))
    for _ in range(draw(st.integers(0, 4))):
        end = day + timedelta(days=draw(st.integers(0, 25)))
        pauses.append(Pause("APPRAISAL", day, end, draw(st.integers(0, 15))))
        day = end + timedelta(days=draw(st.integers(0, 20)))
    if pauses and not closed and draw(st.booleans()):
        pauses[-1] = replace(pauses[-1], end=None)
    made = Clock("LEGAL", LAW, start, draw(LIMITS), draw(EXTENSIONS), tuple(pauses), start, True, None)
    return recompute(made, calendar), calendar


@given(ledgers())
def test_the_explanation_alone_gives_the_deadline(ledger: tuple[Clock, Calendar]) -> None:
    clock, calendar = ledger
    steps = explain(clock, calendar)
    assert due_of(steps) == clock.due
    assert clock.provisional == (any(step.provisional for step in steps) or paused(clock))


@given(ledgers(closed=True))
def test_a_deadline_is_the_day_one_comes_to_by_walking(ledger: tuple[Clock, Calendar]) -> None:
    clock, calendar = ledger
    assume(clock.limit.unit is not Unit.MONTH)
    clock = recompute(replace(clock, extensions=()), calendar)
    working = clock.limit.unit is Unit.WORKING_DAY
    assert clock.due == brute_force.due(calendar, clock.start, clock.limit.value, clock.pauses, working=working)


@given(ledgers())
def test_counting_again_under_the_same_calendar_changes_nothing(ledger: tuple[Clock, Calendar]) -> None:
    clock, calendar = ledger
    assert recompute(clock, calendar) == clock


@given(ledgers(), calendars())
def test_under_a_new_calendar_only_deadline_and_certainty_change(
    ledger: tuple[Clock, Calendar], after: Calendar
) -> None:
    clock, before = ledger
    renewed = recompute(clock, after)
    assert replace(renewed, due=clock.due, provisional=clock.provisional, calendar=clock.calendar) == clock
    assert renewed.calendar == after.label
    assert recompute(renewed, before) == clock


@given(ledgers())
def test_a_deadline_is_a_working_day_on_which_the_clock_runs_and_not_before_the_start(
    ledger: tuple[Clock, Calendar],
) -> None:
    clock, calendar = ledger
    assert clock.due >= clock.start
    assert calendar.is_working(clock.due)
    assert not any(pause.start <= clock.due < pause.end for pause in clock.pauses if pause.end is not None)


@given(ledgers(closed=True), st.integers(0, 40), st.integers(0, 30), st.integers(0, 20))
def test_neither_pause_nor_extension_brings_a_deadline_forward(
    ledger: tuple[Clock, Calendar], later: int, long: int, declared: int
) -> None:
    clock, calendar = ledger
    begins = max([clock.start, *(pause.end for pause in clock.pauses if pause.end)]) + timedelta(days=later)
    waiting = pause_clock(clock, "HEARING", begins, declared, calendar)
    assert waiting.due >= clock.due
    resumed = resume_clock(waiting, begins + timedelta(days=long), calendar)
    assert resumed.due >= clock.due
    assert extend_clock(resumed, Extension(wd(10), "x"), calendar).due >= resumed.due


@given(ledgers(closed=True), st.integers(0, 40), st.integers(0, 30), LIMITS)
def test_whether_the_extension_or_the_pause_was_recorded_first_does_not_matter(
    ledger: tuple[Clock, Calendar], later: int, long: int, limit: Limit
) -> None:
    clock, calendar = ledger
    begins = max([clock.start, *(pause.end for pause in clock.pauses if pause.end)]) + timedelta(days=later)
    ends = begins + timedelta(days=long)
    extension = Extension(limit, "art. 42")

    def stretched(clock: Clock) -> Clock:
        return resume_clock(pause_clock(clock, "HEARING", begins, 5, calendar), ends, calendar)

    assert extend_clock(stretched(clock), extension, calendar) == stretched(extend_clock(clock, extension, calendar))


@given(ledgers(closed=True))
def test_pauses_count_the_same_in_whatever_order_they_were_entered(ledger: tuple[Clock, Calendar]) -> None:
    clock, calendar = ledger
    backwards = recompute(replace(clock, pauses=clock.pauses[::-1]), calendar)
    assert (backwards.due, backwards.provisional) == (clock.due, clock.provisional)
