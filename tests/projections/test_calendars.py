"""The calendar's versions, and any of them made again from its rows."""

from __future__ import annotations

from datetime import date

from tests.calendars import CALENDAR
from tests.projections.conftest import ReadTables
from tests.story import MORNING, Story
from tongban.domain.actor import Actor, Role
from tongban.domain.calendar.events import CalendarImported
from tongban.domain.calendar.state import Calendar
from tongban.domain.ids import calendar_stream
from tongban.projections.calendars import calendar_at, calendar_versions


def test_any_version_of_the_calendar_can_be_made_again(tables: ReadTables) -> None:
    with tables.selecting() as cursor:
        assert calendar_at(cursor) == Calendar()
    story = Story()
    story.publish_all()
    corrected = CalendarImported(3, 2025, (date(2025, 1, 1),), (), "a correction")
    story.append(calendar_stream(), corrected, actor=Actor("admin", Role.ADMIN), at=MORNING)
    tables.apply(story.events)
    with tables.selecting() as cursor:
        assert [(row.calendar_version, row.year) for row in calendar_versions(cursor)] == [
            (1, 2025),
            (2, 2026),
            (3, 2025),
        ]
        assert calendar_at(cursor, 2) == CALENDAR
        assert calendar_at(cursor, 0) == Calendar()
        newest = calendar_at(cursor)
        assert (newest.version, newest.is_working(date(2025, 10, 1)), newest.published(2026)) == (3, True, True)
        assert calendar_versions(cursor)[2].source == "a correction"
        assert calendar_versions(cursor)[2].worked == []
    assert [row[1:4] for row in tables.rows("calendar_view")] == [(3, [2025, 2026], 3)]
