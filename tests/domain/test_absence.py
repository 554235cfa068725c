from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.examples import (
    ACCEPTOR,
    CLERK,
    HEAD,
    absence_ended,
    absence_registered,
    end_absence,
    register_absence,
)
from tests.given import NOW, given
from tongban.domain.absence.refusals import AbsenceOverlaps, AbsenceTooLong, CoverIsAbsent, NotYourAbsence
from tongban.domain.absence.state import ABSENCE, Absences
from tongban.domain.actor import Actor, Role
from tongban.domain.mandate.refusals import PeriodOver, PeriodReversed

OTHER_HEAD = Actor("tax-head", Role.HEAD, "tax")
COVER = Actor("officer-cover", Role.ACCEPTOR, "nr")


@pytest.mark.parametrize("by", [HEAD, ACCEPTOR])
def test_the_officer_or_the_head_names_a_cover(by: Actor) -> None:
    given().when(register_absence, by=by).then(absence_registered)


def test_the_same_absence_again_changes_nothing() -> None:
    given(absence_registered).when(register_absence, by=HEAD).then_nothing()


@pytest.mark.parametrize("by", [CLERK, replace(HEAD, department=None)])
def test_nobody_else_names_a_cover(by: Actor) -> None:
    given().when(register_absence, by=by).then_refuses(NotYourAbsence)
    given(absence_registered).when(end_absence, by=by).then_refuses(NotYourAbsence)


def test_nobody_covers_for_himself() -> None:
    given().when(replace(register_absence, cover=ACCEPTOR.id), by=HEAD).then_refuses(CoverIsAbsent)


def test_the_days_make_sense() -> None:
    reversed_days = replace(register_absence, to=date(2026, 3, 29))
    given().when(replace(reversed_days, from_=date(2026, 3, 30)), by=HEAD).then_refuses(PeriodReversed)
    over = replace(register_absence, from_=date(2026, 2, 2), to=date(2026, 3, 1))
    given().when(over, by=HEAD).then_refuses(PeriodOver, valid_to=date(2026, 3, 1))
    given().when(replace(register_absence, to=date(2027, 3, 31)), by=HEAD).then_refuses(AbsenceTooLong)
    assert given().when(replace(register_absence, to=date(2027, 3, 30)), by=HEAD).decided()


@pytest.mark.parametrize("first", [date(2026, 3, 1), date(2026, 3, 30), date(2026, 4, 3)])
def test_absences_do_not_overlap(first: date) -> None:
    given(absence_registered).when(replace(register_absence, from_=first, to=date(2026, 4, 5)), by=HEAD).then_refuses(
        AbsenceOverlaps, cover="officer-cover"
    )


def test_another_absence_can_follow() -> None:
    later = replace(register_absence, from_=date(2026, 4, 4), to=date(2026, 4, 5))
    assert given(absence_registered).when(later, by=HEAD).decided()


def test_another_department_cannot_stand_in_the_way() -> None:
    assert given(absence_registered).when(register_absence, by=OTHER_HEAD).decided() == [
        replace(absence_registered, department="tax")
    ]


def test_an_absence_is_ended() -> None:
    given(absence_registered).when(end_absence, by=ACCEPTOR).then(absence_ended)
    given(absence_registered, absence_ended).when(end_absence, by=ACCEPTOR).then_nothing()
    given(absence_registered).when(end_absence, by=OTHER_HEAD).then_nothing()


def absences(*events: object) -> Absences:
    state = ABSENCE.initial
    for event in events:
        state = ABSENCE.evolve(state, event, NOW)
    return state


# The first day begins, and the last ends, at midnight in the offices: 16:00 UTC of the day before, and of that day.
@pytest.mark.parametrize(
    ("now", "may"),
    [
        (datetime(2026, 3, 29, 15, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 29, 16, 0, tzinfo=UTC), True),
        (datetime(2026, 4, 3, 15, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 4, 3, 16, 0, tzinfo=UTC), False),
    ],
)
def test_the_cover_works_from_the_first_day_to_the_last(now: datetime, *, may: bool) -> None:
    assert absences(absence_registered).covered_by(COVER, department="nr", now=now) is may


@pytest.mark.parametrize(
    ("actor", "department", "facts"),
    [
        (replace(COVER, id="someone"), "nr", (absence_registered,)),
        (COVER, "tax", (absence_registered,)),
        (replace(COVER, department="tax"), "nr", (absence_registered,)),
        (COVER, "nr", (replace(absence_registered, department="tax"),)),
        (COVER, "nr", (absence_registered, absence_ended)),
        (COVER, "nr", ()),
    ],
)
def test_a_cover_is_this_officer_in_this_department_while_it_stands(
    actor: Actor, department: str, facts: tuple[object, ...]
) -> None:
    assert not absences(*facts).covered_by(actor, department=department, now=NOW)


def test_what_is_over_is_let_go() -> None:
    later = replace(absence_registered, first=date(2026, 5, 1), last=date(2026, 5, 2))
    state = ABSENCE.evolve(absences(absence_registered), later, datetime(2026, 4, 20, tzinfo=UTC))
    assert [absence.first for absence in state.standing] == [date(2026, 5, 1)]
