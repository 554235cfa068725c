"""Working days: known deadlines, and every count against one that walks day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.calendars import CALENDAR, VECTORS, brute_force, calendars
from tongban.domain.calendar.state import Calendar

DAYS = st.dates(date(2019, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(("start", "days", "due"), VECTORS)
def test_known_deadlines(start: date, days: int, due: date) -> None:
    assert CALENDAR.add_working_days(start, days) == due


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_published_year_has_as_many_working_days_as_its_notice_leaves(year: int) -> None:
    assert CALENDAR.working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) == 248
    assert CALENDAR.published(year)


def test_a_year_that_is_not_published_is_monday_to_friday() -> None:
    assert not CALENDAR.published(2027)
    assert CALENDAR.is_working(date(2027, 1, 1))
    assert not CALENDAR.is_working(date(2027, 1, 2))
    assert not CALENDAR.all_published(date(2026, 12, 31), date(2027, 1, 1))
    assert CALENDAR.all_published(date(2025, 12, 31), date(2026, 1, 1))


def test_version_0_has_no_label() -> None:
    assert Calendar().label is None
    assert CALENDAR.label == "2"


@given(calendars(), DAYS)
def test_a_day_is_worked_as_the_notice_says(calendar: Calendar, day: date) -> None:
    assert calendar.is_working(day) is brute_force.is_working(calendar, day)


@given(calendars(), DAYS, st.integers(-80, 80))
def test_adding_working_days_is_walking_them(calendar: Calendar, start: date, days: int) -> None:
    assert calendar.add_working_days(start, days) == brute_force.add_working_days(calendar, start, days)


@given(calendars(), DAYS, st.integers(-200, 200))
def test_counting_working_days_is_walking_them(calendar: Calendar, start: date, days: int) -> None:
    end = start + timedelta(days=days)
    first, last = sorted((start, end))
    walked = sum(
        brute_force.is_working(calendar, first + timedelta(days=each)) for each in range(1, (last - first).days + 1)
    )
    assert calendar.working_days_between(start, end) == (walked if days >= 0 else -walked)


@given(calendars(), DAYS)
def test_the_next_working_day_is_the_first_from_that_day_on(calendar: Calendar, day: date) -> None:
    found = calendar.next_working_day(day)
    assert calendar.is_working(found)
    assert not any(calendar.is_working(day + timedelta(days=each)) for each in range((found - day).days))
