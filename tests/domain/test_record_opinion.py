from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from tests.examples import (
    ACCEPTED,
    BRANCHES,
    FILED,
    ISSUED,
    PERSON_ID,
    opinion_recorded,
    record_opinion,
    reviewer,
)
from tests.given import START, given
from tongban.domain.case.commands import RecordOpinion
from tongban.domain.case.events import ApprovalDenied, CaseClosed, Opinion, OpinionRecorded, Result
from tongban.domain.case.refusals import (
    AlreadyDecided,
    NotABranch,
    NotAccepted,
    OpinionAlreadyGiven,
    UnknownCase,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

BY = reviewer("tax")


def test_a_branch_gives_its_opinion() -> None:
    given(*ACCEPTED).when(record_opinion, by=BY).then(opinion_recorded("tax"))


@pytest.mark.parametrize("order", list(permutations(BRANCHES)))
def test_branches_speak_in_any_order(order: tuple[str, ...]) -> None:
    said: list[OpinionRecorded] = []
    for branch in order:
        command = RecordOpinion(record_opinion.case_id, branch, Opinion.PASS, "材料齐全意见")
        given(*ACCEPTED, *said).when(command, by=reviewer(branch)).then(opinion_recorded(branch))
        said.append(opinion_recorded(branch))


def test_the_same_opinion_given_again_changes_nothing() -> None:
    given(*ACCEPTED, opinion_recorded("tax")).when(record_opinion, by=BY).then_nothing()


def test_the_same_opinion_given_again_after_closing_changes_nothing() -> None:
    given(*ISSUED).when(record_opinion, by=BY).then_nothing()


def test_a_branch_does_not_change_its_opinion() -> None:
    given(*ACCEPTED, opinion_recorded("tax", Opinion.FAIL)).when(record_opinion, by=BY).then_refuses(
        OpinionAlreadyGiven, branch="tax", opinion=Opinion.FAIL
    )


def test_there_is_no_opinion_before_acceptance() -> None:
    given(*FILED).when(record_opinion, by=BY).then_refuses(NotAccepted)


def test_a_department_that_is_no_branch_gives_no_opinion() -> None:
    given(*ACCEPTED).when(replace(record_opinion, branch="fire"), by=reviewer("fire")).then_refuses(
        NotABranch, branch="fire", branches=BRANCHES
    )


def test_a_branch_that_is_late_does_not_speak_on_a_decided_case() -> None:
    early = (
        *ACCEPTED,
        opinion_recorded("housing", Opinion.FAIL),
        ApprovalDenied("officer-decider", PERSON_ID, "r", "m"),
        CaseClosed(Result.DENIED),
    )
    given(*early).when(record_opinion, by=BY).then_refuses(AlreadyDecided)


def test_a_case_that_was_never_filed_has_no_opinions() -> None:
    given().when(record_opinion, by=BY).then_refuses(UnknownCase)


def test_an_opinion_cannot_take_effect_before_the_acceptance() -> None:
    accepted_at = START + timedelta(hours=1)
    given(*ACCEPTED).when(record_opinion, by=BY, at=START).then_refuses(
        EffectiveTimeBeforeCause, not_before=accepted_at
    )
    given(*ACCEPTED).when(record_opinion, by=BY, at=accepted_at).then(opinion_recorded("tax"))
