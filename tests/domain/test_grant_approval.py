from dataclasses import replace
from datetime import timedelta

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    ALL_PASSED,
    DECIDER,
    DENIED,
    FILED,
    GRANTED,
    ISSUED,
    REVIEWED,
    WITHOUT_LICENCE,
    application_accepted,
    application_submitted,
    approval_granted,
    case_closed,
    grant_approval,
    granted_at_once,
    materials_received,
    opinion_recorded,
)
from tests.given import START, given
from tongban.domain.case.events import Opinion
from tongban.domain.case.refusals import (
    AlreadyDecided,
    NotAccepted,
    OpinionsAgainst,
    OpinionsOutstanding,
    SameOfficer,
    UnknownCase,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

NO_LICENCE = replace(application_submitted, licence_type=None)
ON_THE_SPOT = replace(application_submitted, promised=False)


def test_a_case_that_every_branch_passed_is_granted() -> None:
    given(*REVIEWED).when(grant_approval, by=DECIDER).then(approval_granted)


def test_a_grant_without_a_licence_to_make_closes_the_case() -> None:
    given(NO_LICENCE, materials_received, application_accepted, *ALL_PASSED).when(grant_approval, by=DECIDER).then(
        granted_at_once, case_closed
    )


def test_a_granted_case_is_not_granted_again() -> None:
    given(*GRANTED).when(grant_approval, by=DECIDER).then_nothing()
    given(*ISSUED).when(grant_approval, by=DECIDER).then_nothing()
    given(NO_LICENCE, *WITHOUT_LICENCE[1:]).when(grant_approval, by=DECIDER).then_nothing()


def test_a_denied_case_is_not_granted_even_if_every_branch_had_passed() -> None:
    given(*DENIED).when(grant_approval, by=DECIDER).then_refuses(AlreadyDecided)


def test_there_is_no_grant_without_acceptance() -> None:
    given(*FILED).when(grant_approval, by=DECIDER).then_refuses(NotAccepted)


def test_there_is_no_grant_while_a_branch_is_silent() -> None:
    given(*ACCEPTED, opinion_recorded("tax")).when(grant_approval, by=DECIDER).then_refuses(
        OpinionsOutstanding, branches=("housing", "nr")
    )


def test_there_is_no_grant_against_a_branch() -> None:
    against = (opinion_recorded("housing"), opinion_recorded("tax", Opinion.FAIL), opinion_recorded("nr"))
    given(*ACCEPTED, *against).when(grant_approval, by=DECIDER).then_refuses(OpinionsAgainst, branches=("tax",))


def test_who_accepted_a_promised_item_does_not_grant_it() -> None:
    same = replace(DECIDER, id=ACCEPTOR.id)
    given(*REVIEWED).when(grant_approval, by=same).then_refuses(SameOfficer, officer=ACCEPTOR.id)


def test_who_accepted_an_item_done_on_the_spot_may_grant_it() -> None:
    same = replace(DECIDER, id=ACCEPTOR.id)
    given(ON_THE_SPOT, *REVIEWED[1:]).when(grant_approval, by=same).then(
        replace(approval_granted, decided_by=ACCEPTOR.id)
    )


def test_a_case_that_was_never_filed_is_not_granted() -> None:
    given().when(grant_approval, by=DECIDER).then_refuses(UnknownCase)


def test_a_grant_cannot_take_effect_before_the_last_opinion() -> None:
    last = START + timedelta(hours=len(REVIEWED) - 2)  # the receipt comes with the filing
    given(*REVIEWED).when(grant_approval, by=DECIDER, at=last - timedelta(seconds=1)).then_refuses(
        EffectiveTimeBeforeCause, not_before=last
    )
    given(*REVIEWED).when(grant_approval, by=DECIDER, at=last).then(approval_granted)
