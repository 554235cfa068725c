from datetime import date

import pytest

from tests.examples import NOTICE_2026, OFF_2026, WORKED_2026, calendar_imported, import_calendar
from tests.given import given
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.decide import InvalidCalendar
from tongban.domain.calendar.events import CalendarImported
from tongban.domain.calendar.state import CALENDAR

NEXT = ImportCalendar(2027, (date(2027, 1, 1),), (), "2027")


def test_the_first_import_is_version_1() -> None:
    given().when(import_calendar).then(calendar_imported)


def test_another_year_is_the_next_version() -> None:
    given(calendar_imported).when(NEXT).then(CalendarImported(2, 2027, NEXT.off, (), "2027"))


def test_a_corrected_year_is_the_next_version() -> None:
    corrected = ImportCalendar(2026, OFF_2026, (), NOTICE_2026)
    given(calendar_imported).when(corrected).then(CalendarImported(2, 2026, OFF_2026, (), NOTICE_2026))


def test_the_same_days_in_any_order_and_by_any_name_are_not_imported_again() -> None:
    again = ImportCalendar(2026, OFF_2026[::-1], WORKED_2026, "the notice once more")
    given(calendar_imported).when(again).then_nothing()


def test_days_are_stored_in_order() -> None:
    given().when(ImportCalendar(2026, OFF_2026[::-1], WORKED_2026, f" {NOTICE_2026} ")).then(calendar_imported)


@pytest.mark.parametrize(
    ("command", "at"),
    [
        (ImportCalendar(1949, (date(1949, 10, 1),), (), "x"), "/year"),
        (ImportCalendar(3000, (date(3000, 10, 1),), (), "x"), "/year"),
        (ImportCalendar(2026, (), (), "x"), "/off"),
        (ImportCalendar(2026, (date(2026, 1, 1), date(2025, 12, 31)), (), "x"), "/off/1"),
        (ImportCalendar(2026, (date(2026, 1, 1), date(2026, 1, 1)), (), "x"), "/off/1"),
        (ImportCalendar(2026, OFF_2026, (date(2027, 1, 2),), "x"), "/worked/0"),
        (ImportCalendar(2026, OFF_2026, (date(2026, 1, 4), date(2026, 1, 4)), "x"), "/worked/1"),
        (ImportCalendar(2026, OFF_2026, (date(2026, 1, 5),), "x"), "/worked/0"),
        (ImportCalendar(2026, OFF_2026, (date(2026, 1, 3),), "x"), "/worked/0"),
        (ImportCalendar(2026, OFF_2026, WORKED_2026, "  "), "/source"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused_with_the_place(command: ImportCalendar, at: str) -> None:
    given().when(command).then_refuses(InvalidCalendar, at=at)


def test_an_import_is_recorded_under_the_version_it_makes() -> None:
    states = given(calendar_imported).states()
    assert CALENDAR.rules(CALENDAR.initial).calendar is None
    assert CALENDAR.rules(states["calendar"]).calendar == "1"
