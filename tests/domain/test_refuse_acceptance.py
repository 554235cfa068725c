"""不予受理: an act of its own, with reason and remedy, in time, and the end of the case."""

from dataclasses import replace
from datetime import date

import pytest

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    FILED,
    acceptance_refused,
    application_withdrawn,
    case_deemed_accepted,
    correction_requested,
    correction_submitted,
    refuse_acceptance,
)
from tests.given import START, given, office
from tongban.domain.case.events import CaseClaimed, CaseClosed, Result
from tongban.domain.case.refusals import (
    AcceptedByLaw,
    AlreadyAccepted,
    CaseClosedAlready,
    ClaimedByOther,
    ReasonAndRemedyRequired,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

CLOSED = CaseClosed(Result.NOT_ACCEPTED)


@pytest.mark.parametrize("events", [FILED, (*FILED, correction_requested)])
def test_an_acceptance_is_refused_with_reason_and_remedy(events: tuple[object, ...]) -> None:
    given(*events).when(refuse_acceptance, by=ACCEPTOR).then(acceptance_refused, CLOSED)


def test_a_refused_acceptance_is_not_refused_again() -> None:
    given(*FILED, acceptance_refused, CLOSED).when(refuse_acceptance, by=ACCEPTOR).then_nothing()


@pytest.mark.parametrize(("reason", "remedy"), [("", "m"), (" \n", "m"), ("r", ""), ("r", "\t")])
def test_a_refusal_without_reason_or_remedy_is_refused(reason: str, remedy: str) -> None:
    given(*FILED).when(replace(refuse_acceptance, reason=reason, remedy=remedy), by=ACCEPTOR).then_refuses(
        ReasonAndRemedyRequired
    )


def test_what_was_accepted_is_not_refused_any_more() -> None:
    given(*ACCEPTED).when(refuse_acceptance, by=ACCEPTOR).then_refuses(AlreadyAccepted)
    given(*FILED, case_deemed_accepted).when(refuse_acceptance, by=ACCEPTOR).then_refuses(AlreadyAccepted)


def test_what_the_law_accepted_is_not_refused_even_if_nobody_wrote_that_down_yet() -> None:
    given(*FILED).when(refuse_acceptance, by=ACCEPTOR, now=office("2026-03-10")).then_refuses(
        AcceptedByLaw, since=date(2026, 3, 2)
    )
    corrected = given(*FILED, correction_requested, office("2026-03-09"), correction_submitted)
    given(*FILED, correction_requested).when(refuse_acceptance, by=ACCEPTOR, now=office("2026-03-10")).then(
        acceptance_refused, CLOSED
    )
    assert corrected.states()["case"].received_on == date(2026, 3, 9)


def test_a_withdrawn_application_is_not_refused() -> None:
    withdrawn = (*FILED, application_withdrawn, CaseClosed(Result.WITHDRAWN))
    given(*withdrawn).when(refuse_acceptance, by=ACCEPTOR).then_refuses(CaseClosedAlready)


def test_who_claimed_the_acceptance_refuses_it() -> None:
    claimed = (*FILED, CaseClaimed("main", "officer-other"))
    given(*claimed).when(refuse_acceptance, by=ACCEPTOR).then_refuses(ClaimedByOther)


def test_a_refusal_does_not_come_before_what_it_rests_on() -> None:
    given(*FILED, correction_requested).when(refuse_acceptance, by=ACCEPTOR, at=START).then_refuses(
        EffectiveTimeBeforeCause
    )
