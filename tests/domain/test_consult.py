"""征求意见: another department is asked; the clock runs."""

from dataclasses import replace

import pytest

from tests.examples import (
    ACCEPTED,
    DECIDER,
    FILED,
    GRANTED,
    REVIEWED,
    answer_consult,
    consult_answered,
    consult_requested,
    grant_approval,
    request_consult,
    reviewer,
)
from tests.given import START, given
from tongban.domain.case.refusals import AlreadyConsulted, AlreadyDecided, NotAccepted, NotConsulted
from tongban.domain.case.state import holders
from tongban.domain.errors import EffectiveTimeBeforeCause

ASKED = (*ACCEPTED, consult_requested)
FIRE = reviewer("fire")


def test_a_department_that_is_no_branch_is_asked_and_answers() -> None:
    given(*ACCEPTED).when(request_consult, by=DECIDER).then(consult_requested)
    given(*ASKED).when(answer_consult, by=FIRE).then(consult_answered)


def test_the_first_answer_stands() -> None:
    given(*ASKED, consult_answered).when(answer_consult, by=FIRE).then_nothing()


def test_a_branch_is_not_asked_and_nobody_is_asked_twice() -> None:
    given(*ACCEPTED).when(replace(request_consult, department="tax"), by=DECIDER).then_refuses(AlreadyConsulted)
    for events in (ASKED, (*ASKED, consult_answered)):
        given(*events).when(request_consult, by=DECIDER).then_refuses(AlreadyConsulted, department="fire")


def test_who_was_not_asked_does_not_answer() -> None:
    given(*ACCEPTED).when(answer_consult, by=FIRE).then_refuses(NotConsulted, department="fire")


@pytest.mark.parametrize(("events", "rule"), [(FILED, NotAccepted), (GRANTED, AlreadyDecided)])
def test_departments_are_asked_in_review_only(events: tuple[object, ...], rule: type) -> None:
    given(*events).when(request_consult, by=DECIDER).then_refuses(rule)


def test_an_answer_after_the_decision_comes_too_late() -> None:
    decided = (*REVIEWED, consult_requested, GRANTED[-1])
    given(*decided).when(answer_consult, by=FIRE).then_refuses(AlreadyDecided)


@pytest.mark.parametrize(("events", "command"), [(ACCEPTED, request_consult), (ASKED, answer_consult)])
def test_nobody_is_asked_before_the_acceptance(events: tuple[object, ...], command: object) -> None:
    given(*events).when(command, by=DECIDER, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_who_is_asked_holds_it_until_the_answer_and_no_clock_stops() -> None:
    asked = given(*REVIEWED, consult_requested).states()["case"]
    assert holders(asked) == {"consult:fire": "dept:fire"}
    answered = given(*REVIEWED, consult_requested, consult_answered).states()["case"]
    assert holders(answered) == {"main": "dept:nr"}
    assert answered.clocks == given(*REVIEWED).states()["case"].clocks
    assert given(*REVIEWED, consult_requested).when(grant_approval, by=DECIDER).decided()
