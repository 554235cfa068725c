"""领办, 退回队列, 转办: one officer at a time works on a branch, or who stands in for him."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    CASE_ID,
    DECIDER,
    DENIED,
    FILED,
    GRANTED,
    HEAD,
    ISSUED,
    application_withdrawn,
    case_claimed,
    case_reassigned,
    case_released,
    claim_case,
    grant_approval,
    opinion_recorded,
    reassign_case,
    record_opinion,
    release_case,
    reviewer,
)
from tests.given import START, given
from tongban.domain.case.commands import ClaimCase
from tongban.domain.case.events import CaseClaimed, CaseClosed, Result
from tongban.domain.case.refusals import (
    BranchDone,
    CaseClosedAlready,
    ClaimedByOther,
    NotABranch,
    NotClaimed,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

BY, OTHER = reviewer("tax"), replace(reviewer("tax"), id="officer-tax-2")
CLAIMED = (*ACCEPTED, case_claimed)


def test_a_branch_is_claimed_and_released() -> None:
    given(*ACCEPTED).when(claim_case, by=BY).then(case_claimed)
    given(*CLAIMED).when(release_case, by=BY).then(case_released)
    given(*CLAIMED, case_released).when(claim_case, by=OTHER).then(replace(case_claimed, officer=OTHER.id))


def test_what_one_has_one_does_not_claim_again_and_what_nobody_has_is_not_released() -> None:
    given(*CLAIMED).when(claim_case, by=BY).then_nothing()
    given(*ACCEPTED).when(release_case, by=BY).then_nothing()


def test_of_two_who_claim_the_second_is_told_who_has_it() -> None:
    given(*CLAIMED).when(claim_case, by=OTHER).then_refuses(ClaimedByOther, branch="tax", claimed_by=BY.id)
    given(*CLAIMED).when(release_case, by=OTHER).then_refuses(ClaimedByOther, claimed_by=BY.id)


def test_who_covers_for_an_absent_officer_works_on_it_as_it_is_or_gives_it_back() -> None:
    given(*CLAIMED).when(claim_case, by=OTHER, covers=True).then_nothing()
    given(*CLAIMED).when(release_case, by=OTHER, covers=True).then(case_released)


def test_who_claimed_a_branch_speaks_for_it_alone() -> None:
    given(*CLAIMED).when(record_opinion, by=OTHER).then_refuses(ClaimedByOther)
    given(*CLAIMED).when(record_opinion, by=BY).then(opinion_recorded("tax"))
    assert given(*CLAIMED).when(record_opinion, by=OTHER, covers=True).decided()


def test_an_opinion_gives_the_branch_back() -> None:
    assert given(*CLAIMED, opinion_recorded("tax")).states()["case"].claims == {}


def test_the_head_gives_a_branch_to_another_officer() -> None:
    given(*CLAIMED).when(reassign_case, by=HEAD).then(case_reassigned)
    given(*ACCEPTED).when(reassign_case, by=HEAD).then(replace(case_reassigned, previous=None))
    given(*CLAIMED, case_reassigned).when(reassign_case, by=HEAD).then_nothing()


@pytest.mark.parametrize("officer", ["", "  "])
def test_a_branch_is_given_to_somebody(officer: str) -> None:
    given(*CLAIMED).when(replace(reassign_case, officer=officer), by=HEAD).then_refuses(NotClaimed)


def test_the_lead_departments_part_is_claimed_for_the_acceptance_and_again_for_the_decision() -> None:
    main = ClaimCase(CASE_ID, "main")
    claimed = CaseClaimed("main", ACCEPTOR.id)
    given(*FILED).when(main, by=ACCEPTOR).then(claimed)
    accepted = given(*FILED, claimed, *ACCEPTED[2:])
    accepted.when(main, by=DECIDER).then(CaseClaimed("main", DECIDER.id))
    decides = (*GRANTED[:-1], CaseClaimed("main", "officer-other"))
    given(*decides).when(grant_approval, by=DECIDER).then_refuses(ClaimedByOther, branch="main")


@pytest.mark.parametrize("command", [claim_case, release_case, reassign_case])
def test_nobody_works_on_it_before_it_is_filed(command: object) -> None:
    early = START - timedelta(seconds=1)
    given(*CLAIMED).when(command, by=OTHER, at=early).then_refuses(EffectiveTimeBeforeCause, not_before=START)


@pytest.mark.parametrize("command", [claim_case, release_case, reassign_case])
def test_a_branch_that_has_spoken_is_done(command: object) -> None:
    given(*ACCEPTED, opinion_recorded("tax")).when(command, by=BY).then_refuses(BranchDone, branch="tax")


@pytest.mark.parametrize("command", [claim_case, release_case, reassign_case])
def test_only_branches_of_the_case_are_worked_on(command: object) -> None:
    other = replace(command, branch="fire")  # type: ignore[type-var]  # whatever is given
    given(*ACCEPTED).when(other, by=BY).then_refuses(NotABranch, branch="fire")


@pytest.mark.parametrize("command", [claim_case, release_case, reassign_case])
@pytest.mark.parametrize(
    "events",
    [ISSUED, DENIED, (*FILED, application_withdrawn), (*FILED, application_withdrawn, CaseClosed(Result.WITHDRAWN))],
)
def test_what_is_over_or_about_to_be_is_not_worked_on(command: object, events: tuple[object, ...]) -> None:
    given(*events).when(command, by=BY).then_refuses(CaseClosedAlready)
