from dataclasses import replace
from datetime import timedelta

import pytest

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    DECIDER,
    DENIED,
    FILED,
    GRANTED,
    REVIEWED,
    approval_denied,
    case_denied,
    deny_approval,
    opinion_recorded,
)
from tests.given import START, given
from tongban.domain.case.events import Opinion
from tongban.domain.case.refusals import (
    AlreadyDecided,
    NotAccepted,
    OpinionsOutstanding,
    ReasonAndRemedyRequired,
    SameOfficer,
    UnknownCase,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

AGAINST = (*ACCEPTED, opinion_recorded("tax", Opinion.FAIL))


def test_a_denial_gives_reason_and_remedy_and_closes_the_case() -> None:
    given(*REVIEWED).when(deny_approval, by=DECIDER).then(approval_denied, case_denied)


def test_one_branch_against_it_is_enough_to_deny() -> None:
    given(*AGAINST).when(deny_approval, by=DECIDER).then(approval_denied, case_denied)


def test_there_is_no_denial_while_branches_are_silent_and_none_is_against() -> None:
    given(*ACCEPTED, opinion_recorded("tax")).when(deny_approval, by=DECIDER).then_refuses(
        OpinionsOutstanding, branches=("housing", "nr")
    )


@pytest.mark.parametrize(("reason", "remedy"), [("", "m"), (" \n", "m"), ("r", ""), ("r", "\t")])
def test_a_denial_without_reason_or_remedy_is_refused(reason: str, remedy: str) -> None:
    given(*REVIEWED).when(replace(deny_approval, reason=reason, remedy=remedy), by=DECIDER).then_refuses(
        ReasonAndRemedyRequired
    )


def test_there_is_no_denial_without_acceptance() -> None:
    given(*FILED).when(deny_approval, by=DECIDER).then_refuses(NotAccepted)


def test_a_decided_case_is_not_denied() -> None:
    given(*GRANTED).when(deny_approval, by=DECIDER).then_refuses(AlreadyDecided)
    given(*DENIED).when(deny_approval, by=DECIDER).then_refuses(AlreadyDecided)


def test_who_accepted_a_promised_item_does_not_deny_it() -> None:
    given(*REVIEWED).when(deny_approval, by=replace(DECIDER, id=ACCEPTOR.id)).then_refuses(SameOfficer)


def test_a_case_that_was_never_filed_is_not_denied() -> None:
    given().when(deny_approval, by=DECIDER).then_refuses(UnknownCase)


def test_a_denial_cannot_take_effect_before_the_opinion_it_rests_on() -> None:
    given(*AGAINST).when(deny_approval, by=DECIDER, at=START + timedelta(hours=1)).then_refuses(
        EffectiveTimeBeforeCause, not_before=START + timedelta(hours=2)
    )
