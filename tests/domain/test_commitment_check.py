"""承诺核查: what was promised is checked in time, once, by the department that decided."""

from dataclasses import replace
from datetime import date

import pytest

from tests.examples import (
    ACCEPTED,
    HEAD,
    INSPECTOR,
    PERSON_ID,
    SYSTEM,
    approval_granted,
    commitment_check_opened,
    commitment_checked,
    envelope,
    hold_promise_against,
    open_commitment_check,
    party_registered,
    promise_broken,
    record_commitment_check,
    repair_trust,
    reviewer,
    trust_repaired,
)
from tests.given import START, given
from tongban.domain.clock import Limit, Unit
from tongban.domain.commitment.decide import CheckedAlready, NoCommitment
from tongban.domain.commitment.events import CheckResult
from tongban.domain.errors import EffectiveTimeBeforeCause, OtherDepartment
from tongban.domain.party.standing import UnknownParty
from tongban.domain.policies.follow_up import check_promise, hold_breach_against
from tongban.domain.recorded import Recorded

PASSED = replace(record_commitment_check, result=CheckResult.PASS)


def recorded(event: object) -> Recorded:
    return Recorded(1, envelope(event), event, ())


def test_a_grant_on_a_promise_asks_for_its_check_and_no_other_does() -> None:
    on_promise = replace(approval_granted, check_within=Limit(2, Unit.MONTH))
    [asked] = check_promise(recorded(on_promise))
    assert (asked.within, asked.decided_on, asked.applicant) == (Limit(2, Unit.MONTH), date(2026, 3, 2), PERSON_ID)
    assert check_promise(recorded(approval_granted)) == ()


def test_the_time_of_the_check_begins_with_the_decision_once() -> None:
    given(*ACCEPTED).when(open_commitment_check, by=SYSTEM).then(commitment_check_opened)
    assert commitment_check_opened.clocks[0].due == date(2026, 5, 4)  # 2 May is a Saturday
    given(commitment_check_opened).when(open_commitment_check, by=SYSTEM).then_nothing()


def test_the_check_is_recorded_once() -> None:
    given(commitment_check_opened).when(record_commitment_check, by=INSPECTOR).then(commitment_checked)
    checked = given(commitment_check_opened, commitment_checked)
    checked.when(record_commitment_check, by=INSPECTOR).then_nothing()
    checked.when(PASSED, by=INSPECTOR).then_refuses(CheckedAlready, result=CheckResult.BREACH)


def test_there_is_nothing_to_check_without_a_promise() -> None:
    given(*ACCEPTED).when(record_commitment_check, by=INSPECTOR).then_refuses(NoCommitment)


def test_the_department_that_decided_checks() -> None:
    given(commitment_check_opened).when(record_commitment_check, by=reviewer("tax")).then_refuses(OtherDepartment)


def test_nothing_is_checked_before_it_was_decided() -> None:
    early = START.replace(hour=0)
    given(commitment_check_opened).when(record_commitment_check, by=INSPECTOR, at=early).then_refuses(
        EffectiveTimeBeforeCause, not_before=START
    )


@pytest.mark.parametrize(("result", "asked"), [(CheckResult.BREACH, (hold_promise_against,)), (CheckResult.PASS, ())])
def test_only_a_breach_is_held_against_the_applicant(result: CheckResult, asked: tuple[object, ...]) -> None:
    assert hold_breach_against(recorded(replace(commitment_checked, result=result))) == asked


def test_a_breach_is_held_against_the_party_once_for_each_case_until_it_is_mended() -> None:
    given(party_registered).when(hold_promise_against, by=SYSTEM).then(promise_broken)
    given(party_registered, promise_broken).when(hold_promise_against, by=SYSTEM).then_nothing()
    given(party_registered, promise_broken).when(repair_trust, by=HEAD).then(trust_repaired)
    given(party_registered).when(repair_trust, by=HEAD).then_nothing()
    given().when(repair_trust, by=HEAD).then_refuses(UnknownParty, party=PERSON_ID)
