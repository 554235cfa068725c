"""撤销 of a decision, the licence that goes with it, and the ban that follows fraud."""

from dataclasses import replace
from datetime import date

import pytest

from tests.examples import (
    ACCEPTED,
    CASE_ID,
    DECIDER,
    DENIED,
    GRANTED,
    HEAD,
    ISSUED,
    PERSON_ID,
    STRANGER_ID,
    SYSTEM,
    applicant_barred,
    bar_applicant,
    close_revoked,
    condition_failed,
    decision_revoked,
    envelope,
    issue_licence,
    licence_collected,
    licence_revoked,
    party_registered,
    revoke_decision,
    revoke_issued_licence,
)
from tests.given import START, given, office
from tongban.domain.case.events import CaseClosed, Result
from tongban.domain.case.refusals import NotGranted, ReasonAndRemedyRequired, UnknownCase
from tongban.domain.errors import EffectiveTimeBeforeCause, OtherDepartment
from tongban.domain.licence.decide import NotCollectedYet
from tongban.domain.licence.state import LicenceStatus
from tongban.domain.party.events import BarGround
from tongban.domain.party.standing import UnknownParty
from tongban.domain.policies.follow_up import undo_revoked
from tongban.domain.recorded import Recorded
from tongban.domain.revocation.events import Ground


def test_a_grant_is_revoked_with_reason_and_remedy_once() -> None:
    given(*ISSUED).when(revoke_decision, by=HEAD).then(decision_revoked)
    given(*GRANTED).when(revoke_decision, by=HEAD).then(replace(decision_revoked, licence_id=None))
    given(*ISSUED, decision_revoked).when(revoke_decision, by=HEAD).then_nothing()


@pytest.mark.parametrize("ground", list(Ground))
def test_who_relied_on_it_in_good_faith_is_protected_who_got_it_by_fraud_is_not(ground: Ground) -> None:
    [revoked] = given(*ISSUED).when(replace(revoke_decision, ground=ground), by=HEAD).decided()
    assert revoked.protected == (ground is not Ground.FRAUD)


@pytest.mark.parametrize(
    ("reason", "remedy"), [("", "m"), (" ", "m"), ("r", ""), ("r", "\n"), ("\u200b", "m"), ("r", "\u3164。")]
)
def test_a_revocation_without_reason_or_remedy_is_refused(reason: str, remedy: str) -> None:
    given(*ISSUED).when(replace(revoke_decision, reason=reason, remedy=remedy), by=HEAD).then_refuses(
        ReasonAndRemedyRequired
    )


def test_only_a_grant_is_revoked_by_who_granted_it_and_after_it() -> None:
    for events in (ACCEPTED, DENIED):
        given(*events).when(revoke_decision, by=HEAD).then_refuses(NotGranted)
    given().when(revoke_decision, by=HEAD).then_refuses(UnknownCase)
    given(*ISSUED).when(revoke_decision, by=replace(HEAD, department="tax")).then_refuses(OtherDepartment)
    given(*ISSUED).when(revoke_decision, by=HEAD, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_the_closed_case_stays_as_it_was() -> None:
    before = given(*ISSUED).states()["case"]
    assert given(*ISSUED, decision_revoked).states()["case"] == before


def test_the_licence_goes_with_the_decision_and_fraud_bars_the_applicant() -> None:
    assert undo_revoked(Recorded(1, envelope(decision_revoked), decision_revoked, ())) == [
        revoke_issued_licence,
        bar_applicant,
    ]
    otherwise = replace(decision_revoked, ground=Ground.AGAINST_PROCEDURE, licence_id=None)
    assert undo_revoked(Recorded(1, envelope(otherwise), otherwise, ())) == [close_revoked]
    by_fraud = replace(decision_revoked, licence_id=None)
    assert undo_revoked(Recorded(1, envelope(by_fraud), by_fraud, ())) == [bar_applicant, close_revoked]


def test_no_licence_is_made_of_a_revoked_grant_and_its_case_is_over() -> None:
    given(*GRANTED).when(issue_licence, by=DECIDER, revoked=True).then_refuses(NotGranted)
    ended = (replace(condition_failed, result=Result.NOT_EFFECTIVE), CaseClosed(Result.NOT_EFFECTIVE))
    given(*GRANTED).when(close_revoked, by=SYSTEM).then(*ended)
    for events in (ACCEPTED, DENIED, ISSUED, (*GRANTED, *ended)):
        given(*events).when(close_revoked, by=SYSTEM).then_nothing()


def test_a_licence_is_revoked_once_it_is_in_the_library() -> None:
    given(licence_collected).when(revoke_issued_licence, by=SYSTEM).then(licence_revoked)
    revoked = given(licence_collected, licence_revoked)
    revoked.when(revoke_issued_licence, by=SYSTEM).then_nothing()
    assert revoked.states()["licence"].status is LicenceStatus.REVOKED
    given().when(revoke_issued_licence, by=SYSTEM).then_refuses(NotCollectedYet)


@pytest.mark.parametrize(
    ("ground", "until"), [(BarGround.FRAUD, date(2029, 3, 2)), (BarGround.FALSE_PAPERS, date(2027, 3, 2))]
)
def test_false_papers_bar_for_a_year_and_fraud_for_three(ground: BarGround, until: date) -> None:
    """行政许可法 art. 78, 79."""
    world = given(party_registered, *ISSUED)
    world.when(replace(bar_applicant, ground=ground), by=HEAD).then(
        replace(applicant_barred, ground=ground, until=until)
    )


def test_a_year_from_the_29th_of_february_is_the_28th() -> None:
    leap_day = office("2028-02-29")
    [barred] = given(party_registered, *ISSUED).when(bar_applicant, by=HEAD, now=leap_day).decided()
    assert barred.until == date(2031, 2, 28)


def test_a_longer_bar_stands() -> None:
    world = given(party_registered, applicant_barred, *ISSUED)
    world.when(replace(bar_applicant, ground=BarGround.FALSE_PAPERS), by=HEAD).then_nothing()
    world.when(bar_applicant, by=HEAD).then_nothing()


def test_only_the_applicant_of_that_case_is_barred_and_for_that_item() -> None:
    world = given(party_registered, *ISSUED)
    world.when(replace(bar_applicant, item="food-licence"), by=HEAD).then_refuses(UnknownCase, case_id=CASE_ID)
    world.when(replace(bar_applicant, party=STRANGER_ID), by=HEAD).then_refuses(UnknownCase)
    given(*ISSUED).when(bar_applicant, by=HEAD).then_refuses(UnknownParty, party=PERSON_ID)
    world.when(bar_applicant, by=replace(HEAD, department="tax")).then_refuses(OtherDepartment)
