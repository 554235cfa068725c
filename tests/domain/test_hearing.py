"""听证: asked for within 5 working days, announced 7 ahead, chaired by nobody who reviews; the decision waits."""

from dataclasses import replace
from datetime import date

import pytest

from tests.examples import (
    ACCEPTED,
    APPLICANT,
    CLERK,
    DECIDER,
    FILED,
    GRANTED,
    REVIEWED,
    asking_clock,
    case_claimed,
    deny_approval,
    grant_approval,
    hearing_clock,
    hearing_offered,
    hearing_requested,
    offer_hearing,
    opinion_recorded,
    record_opinion,
    request_hearing,
    reviewer,
    special_procedure_ended,
    special_procedure_started,
    start_special_procedure,
)
from tests.given import START, given, office
from tongban.domain.case.events import Procedure
from tongban.domain.case.refusals import (
    AlreadyDecided,
    HearingNotice,
    HearingOutstanding,
    NoHearingOffered,
    NotAccepted,
    ReviewerChairs,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

EARLIEST = date(2026, 3, 11)  # seven working days after 2 March
hold = replace(start_special_procedure, kind=Procedure.HEARING, chair="officer-chair", held_on=EARLIEST)
HELD = replace(special_procedure_started, branch=None, kind=Procedure.HEARING, chair="officer-chair", held_on=EARLIEST)
OVER = replace(special_procedure_ended, branch=None, kind=Procedure.HEARING, on=date(2026, 3, 12))
OFFERED = (*REVIEWED, hearing_offered)
REQUESTED = (*OFFERED, hearing_requested)


def test_the_applicant_is_told_of_the_right_once() -> None:
    given(*ACCEPTED).when(offer_hearing, by=DECIDER).then(hearing_offered)
    given(*OFFERED).when(offer_hearing, by=DECIDER).then_nothing()
    given(*REQUESTED).when(offer_hearing, by=DECIDER).then_nothing()
    assert asking_clock.due == date(2026, 3, 9)


def test_a_hearing_is_offered_in_review_only() -> None:
    given(*FILED).when(offer_hearing, by=DECIDER).then_refuses(NotAccepted)
    given(*GRANTED).when(offer_hearing, by=DECIDER).then_refuses(AlreadyDecided)
    given(*ACCEPTED).when(offer_hearing, by=DECIDER, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_the_applicant_asks_for_it_in_time() -> None:
    given(*OFFERED).when(request_hearing, by=APPLICANT).then(hearing_requested)
    given(*REQUESTED).when(request_hearing, by=APPLICANT).then_nothing()
    assert given(*OFFERED).when(request_hearing, by=APPLICANT, now=office("2026-03-09", 23)).decided()
    given(*OFFERED).when(request_hearing, by=APPLICANT, now=office("2026-03-10", 0)).then_refuses(NoHearingOffered)
    assert hearing_clock.due == date(2026, 3, 30)


def test_nobody_asks_for_what_was_not_offered_or_before_the_acceptance() -> None:
    given(*REVIEWED).when(request_hearing, by=APPLICANT).then_refuses(NoHearingOffered)
    given(*OFFERED).when(request_hearing, by=CLERK, at=START).then_refuses(EffectiveTimeBeforeCause)
    given(*FILED).when(request_hearing, by=APPLICANT).then_refuses(NotAccepted)


@pytest.mark.parametrize("command", [grant_approval, deny_approval])
def test_the_decision_waits_for_the_time_to_ask(command: object) -> None:
    given(*OFFERED).when(command, by=DECIDER).then_refuses(HearingOutstanding, due=date(2026, 3, 9))
    assert given(*OFFERED).when(command, by=DECIDER, now=office("2026-03-10")).decided()


@pytest.mark.parametrize("command", [grant_approval, deny_approval])
def test_the_decision_waits_for_the_hearing(command: object) -> None:
    later = office("2026-03-16")
    given(*REQUESTED).when(command, by=DECIDER, now=later).then_refuses(HearingOutstanding, due=None)
    held = (*REQUESTED, HELD, office("2026-03-12"), OVER)
    assert given(*held).when(command, by=DECIDER, now=later).decided()


@pytest.mark.parametrize("command", [grant_approval, deny_approval])
def test_a_hearing_that_was_announced_and_given_up_before_its_day_was_not_held(command: object) -> None:
    given_up = (*REQUESTED, HELD, replace(OVER, on=date(2026, 3, 2)))
    given(*given_up).when(command, by=DECIDER, now=office("2026-03-16")).then_refuses(HearingOutstanding, due=None)
    assert given(*given_up).when(replace(hold, branch=None), by=DECIDER).decided()


def test_the_hearing_is_announced_seven_working_days_ahead_and_has_a_chair() -> None:
    accepted = given(*ACCEPTED)
    assert accepted.when(hold, by=DECIDER).decided()
    for wrong in (
        replace(hold, held_on=date(2026, 3, 10)),
        replace(hold, held_on=None),
        replace(hold, chair=None),
        replace(hold, chair=""),
        replace(hold, chair=" \u200b"),
    ):
        accepted.when(wrong, by=DECIDER).then_refuses(HearingNotice, earliest=EARLIEST)


def test_who_reviews_the_case_does_not_chair_its_hearing() -> None:
    by_reviewer = replace(hold, branch=None, chair=reviewer("tax").id)
    given(*ACCEPTED, opinion_recorded("tax")).when(by_reviewer, by=DECIDER).then_refuses(ReviewerChairs)
    given(*ACCEPTED, case_claimed).when(by_reviewer, by=DECIDER).then_refuses(ReviewerChairs)


def test_who_chaired_the_hearing_does_not_review_the_case() -> None:
    heard = (*ACCEPTED, replace(HELD, chair=reviewer("tax").id), OVER)
    given(*heard).when(record_opinion, by=reviewer("tax")).then_refuses(ReviewerChairs, officer="officer-tax")


def test_the_clock_for_holding_it_is_met_on_the_day_it_is_held() -> None:
    whole = replace(hold, branch=None)
    [begun] = given(*REQUESTED).when(whole, by=DECIDER).decided()
    assert {clock.name: clock.stopped for clock in begun.clocks}["HEARING"] == EARLIEST
