"""A newer calendar: deadlines that move, or become certain, are told by an event; all others stay as they are."""

from datetime import date

from tests.calendars import CALENDAR
from tests.examples import (
    ACCEPTED,
    FILED,
    GRANTED,
    ISSUED,
    SYSTEM,
    application_submitted,
    application_withdrawn,
    calendar_imported,
    received,
    recompute_deadlines,
)
from tests.given import given, office
from tongban.domain.calendar.state import CALENDAR as CALENDAR_STREAM
from tongban.domain.calendar.state import Year, calendar_of
from tongban.domain.case.events import CaseClosed, DeadlinesRecomputed, Result
from tongban.domain.clock import recompute
from tongban.domain.explanation import due_of, explain
from tongban.infra.reference import sample_calendars

FIRST = CALENDAR_STREAM.evolve(CALENDAR_STREAM.initial, calendar_imported, office("2026-01-01"))
Y2025 = sample_calendars()[0]
ONLY_2025 = calendar_of(1, {2025: Year(frozenset(Y2025.off), frozenset(Y2025.worked))})
LAST_DAY = date(2025, 12, 31)


def test_deadlines_become_certain_when_their_year_is_published() -> None:
    world = given(*ACCEPTED, calendar_imported)
    before = world.states()["case"].clocks
    assert before["LEGAL"].provisional
    [recomputed] = world.when(recompute_deadlines, by=SYSTEM).decided()
    assert isinstance(recomputed, DeadlinesRecomputed)
    assert recomputed.clocks == (recompute(before["LEGAL"], FIRST), recompute(before["PROMISED"], FIRST))
    after = given(*world.events, recomputed)
    assert not after.states()["case"].clocks["LEGAL"].provisional
    assert after.states()["case"].calendar == "1"
    after.when(recompute_deadlines, by=SYSTEM).then_nothing()


def test_a_deadline_across_the_year_end_moves_when_the_new_year_is_published() -> None:
    receipt = received(LAST_DAY, ONLY_2025)
    [before] = receipt.clocks
    assert (before.due, before.provisional, before.calendar) == (date(2026, 1, 7), True, "1")
    world = given(office("2025-12-31"), application_submitted, receipt)
    moment = office("2026-01-04")
    [recomputed] = world.when(recompute_deadlines, by=SYSTEM, now=moment, calendar=CALENDAR).decided()
    [after] = recomputed.clocks
    assert (after.due, after.provisional, after.calendar) == (date(2026, 1, 8), False, "2")
    assert due_of(explain(before, ONLY_2025)) == before.due
    assert due_of(explain(after, CALENDAR)) == after.due


def test_a_calendar_that_changes_nothing_of_it_is_not_told() -> None:
    world = given(office("2025-06-03"), application_submitted, received(date(2025, 6, 3), ONLY_2025))
    world.when(recompute_deadlines, by=SYSTEM, now=office("2025-06-04"), calendar=CALENDAR).then_nothing()


def test_stopped_clocks_and_closed_cases_keep_their_deadlines() -> None:
    given(*ISSUED, calendar_imported).when(recompute_deadlines, by=SYSTEM).then_nothing()
    withdrawn = (*FILED, application_withdrawn, CaseClosed(Result.WITHDRAWN))
    given(*withdrawn, calendar_imported).when(recompute_deadlines, by=SYSTEM).then_nothing()
    [recomputed] = given(*GRANTED, calendar_imported).when(recompute_deadlines, by=SYSTEM).decided()
    assert [clock.name for clock in recomputed.clocks] == ["DELIVERY"]
