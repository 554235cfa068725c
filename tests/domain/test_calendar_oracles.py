"""Twenty years of working days, day by day, against two public calendars that know nothing of each other.

`chinesecalendar` lists the days of the notices; what it lists is imported here as a notice would be. `holidays` derives
them from rules and lists of substitutions. In the years 2007 to 2026 the two disagree on four days at most: the notice
for May 2019 was replaced in March 2019, by one that makes 1 to 4 May days off and 28 April and 5 May working days;
releases of `holidays` that are old enough to get along with the newest python-dateutil still have the first one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest
from chinese_calendar import constants

from tests.given import START
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.decide import import_calendar
from tongban.domain.calendar.state import CALENDAR, Calendar, Year
from tongban.infra.reference import sample_calendars

YEARS = range(2007, 2027)
LONGEST = 60
SECOND_NOTICE = {date(2019, 4, 28), date(2019, 5, 2), date(2019, 5, 3), date(2019, 5, 5)}


def days_of(first: int, last: int) -> list[date]:
    """Every day of some years."""
    begin, end = date(first, 1, 1), date(last, 12, 31)
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


def listed(days: Sequence[date], year: int) -> tuple[date, ...]:
    return tuple(sorted(day for day in days if day.year == year))


@pytest.fixture(scope="module")
def imported() -> Calendar:
    """The calendar after each year was imported as `chinesecalendar` lists it."""
    calendar = CALENDAR.initial
    for year in YEARS:
        command = ImportCalendar(
            year, listed(list(constants.holidays), year), listed(list(constants.workdays), year), "chinesecalendar"
        )
        for event in import_calendar(command, calendar):
            calendar = CALENDAR.evolve(calendar, event, START)
    return calendar


@pytest.mark.parametrize("year", YEARS)
def test_every_day_of_a_year_is_worked_as_both_public_calendars_say(imported: Calendar, year: int) -> None:
    derived = holidays.country_holidays("CN", years=(year - 1, year, year + 1))
    for day in days_of(year, year):
        assert imported.is_working(day) is chinese_calendar.is_workday(day), day
        assert imported.is_working(day) is derived.is_working_day(day) or day in SECOND_NOTICE, day


def test_counting_on_from_every_day_comes_to_the_day_one_walks_to(imported: Calendar) -> None:
    days = days_of(YEARS[0], YEARS[-1])
    worked = [day for day in days if chinese_calendar.is_workday(day)]
    for number, start in enumerate(days):
        first = bisect_right(worked, start)
        for count in (1, 2, 5, 7, 10, 20, 30, LONGEST, number % LONGEST + 1):
            if first + count <= len(worked):
                assert imported.add_working_days(start, count) == worked[first + count - 1], (start, count)
        if number:
            assert imported.working_days_between(days[0], start) == first - (days[0] in worked)


def test_the_calendars_that_come_along_are_those_of_the_public_calendars(imported: Calendar) -> None:
    for calendar in sample_calendars():
        assert Year(frozenset(calendar.off), frozenset(calendar.worked)) == imported.years[calendar.year]
        derived = holidays.country_holidays("CN", years=(calendar.year - 1, calendar.year, calendar.year + 1))
        assert {day for day in calendar.off if derived.is_working_day(day)} == set()
        assert {day for day in calendar.worked if not derived.is_working_day(day)} == set()
