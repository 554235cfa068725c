from datetime import timedelta
from uuid import uuid4

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    APPLICANT,
    FILED,
    accept_application,
    acceptance_refused,
    application_accepted,
    application_withdrawn,
)
from tests.given import NOW, START, given
from tongban.domain.aggregate import Circumstances
from tongban.domain.case.decide import decide
from tongban.domain.case.events import CaseClosed, Result
from tongban.domain.case.guards import CaseFacts
from tongban.domain.case.refusals import CaseClosedAlready, UnknownCase
from tongban.domain.errors import EffectiveTimeBeforeCause, EffectiveTimeInFuture, LateEntryNotAllowed


def test_an_acceptor_accepts_a_filed_application() -> None:
    given(*FILED).when(accept_application, by=ACCEPTOR).then(application_accepted)


def test_an_acceptance_can_be_entered_late() -> None:
    given(*FILED).when(accept_application, by=ACCEPTOR, at=START).then(application_accepted)


def test_an_accepted_application_is_not_accepted_again() -> None:
    given(*ACCEPTED).when(accept_application, by=ACCEPTOR).then_nothing()


def test_a_case_that_was_never_filed_cannot_be_accepted() -> None:
    given().when(accept_application, by=ACCEPTOR).then_refuses(UnknownCase, case_id=accept_application.case_id)


def test_a_closed_case_cannot_be_accepted() -> None:
    for ended, result in ((acceptance_refused, Result.NOT_ACCEPTED), (application_withdrawn, Result.WITHDRAWN)):
        over = (*FILED, ended, CaseClosed(result))
        given(*over).when(accept_application, by=ACCEPTOR).then_refuses(CaseClosedAlready)


def test_an_acceptance_cannot_take_effect_before_the_filing() -> None:
    early = START - timedelta(seconds=1)
    given(*FILED).when(accept_application, by=ACCEPTOR, at=early).then_refuses(
        EffectiveTimeBeforeCause, effective_at=early, not_before=START
    )


def test_nothing_can_take_effect_in_the_future() -> None:
    later = NOW + timedelta(seconds=1)
    given(*FILED).when(accept_application, by=ACCEPTOR, at=later).then_refuses(EffectiveTimeInFuture, now=NOW)


def test_only_officers_enter_something_late() -> None:
    given(*FILED).when(accept_application, by=APPLICANT, at=START).then_refuses(
        LateEntryNotAllowed, role=APPLICANT.role
    )


def test_a_clock_that_was_set_back_stops_nothing_that_happens_now() -> None:
    earlier = START - timedelta(hours=1)
    circumstances = Circumstances(ACCEPTOR, now=earlier, effective_at=earlier, new_id=uuid4())
    case = given(*FILED).states()["case"]
    assert decide(accept_application, circumstances, case, CaseFacts()) == [application_accepted]
