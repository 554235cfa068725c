"""告知承诺: offered by the item, freely chosen, taken back before the decision; closed to who broke a promise."""

from dataclasses import replace

import pytest

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    ALL_PASSED,
    APPLICANT,
    CLERK,
    DECIDER,
    DEFINITION,
    DENIED,
    FILED,
    GRANTED,
    accept_application,
    application_accepted,
    application_submitted,
    approval_granted,
    commitment_offered,
    commitment_signed,
    commitment_withdrawn,
    deny_approval,
    filed,
    grant_approval,
    inspection_done,
    item_published,
    opinion_recorded,
    party_registered,
    promise_broken,
    sign_commitment,
    submit_application,
    trust_repaired,
    withdraw_commitment,
)
from tests.given import START, given
from tongban.domain.case.events import CommitmentOffered, Opinion
from tongban.domain.case.refusals import (
    AlreadyDecided,
    InspectionOutstanding,
    MaterialsMissing,
    NotCommitted,
    NotOffered,
    OpinionsAgainst,
    OpinionsOutstanding,
)
from tongban.domain.clock import Limit, Unit
from tongban.domain.errors import EffectiveTimeBeforeCause

TERMS = {"commitment": {"check_within": {"value": 2, "unit": "MONTH"}}}
OFFERED = (*filed(terms=TERMS), commitment_offered)
SIGNED = (*OFFERED, commitment_signed)
ACCEPTED_ON_IT = (*SIGNED, application_accepted)
ON_PROMISE = replace(approval_granted, check_within=Limit(2, Unit.MONTH))
ELIGIBLE = replace(item_published, definition={**DEFINITION, "commitment": {"eligible": True}})
BY_PROMISE = {
    **TERMS,
    "materials": {
        **application_submitted.terms["materials"],
        "sale-contract": {"necessity": "REQUIRED", "exempt_by": "COMMITMENT", "licence_type": None},
    },
}
WITHOUT_PAPER = (
    *filed(terms=BY_PROMISE, evidence=application_submitted.evidence[:2]), commitment_offered, commitment_signed
)  # fmt: skip


def offers(*events: object) -> list[CommitmentOffered]:
    filing = given(ELIGIBLE, *events).when(submit_application).decided()
    return [event for event in filing if isinstance(event, CommitmentOffered)]


def test_an_item_that_is_open_to_it_offers_it_with_the_filing() -> None:
    assert offers(party_registered) == [commitment_offered]


def test_it_is_not_offered_to_whom_a_broken_promise_is_held_against() -> None:
    assert offers(party_registered, promise_broken) == []
    assert offers(party_registered, promise_broken, trust_repaired) == [commitment_offered]


@pytest.mark.parametrize("events", [OFFERED, (*OFFERED, application_accepted)])
def test_the_applicant_chooses_it_and_takes_it_back(events: tuple[object, ...]) -> None:
    given(*events).when(sign_commitment, by=APPLICANT).then(commitment_signed)
    given(*events, commitment_signed).when(sign_commitment, by=APPLICANT).then_nothing()
    given(*events, commitment_signed).when(withdraw_commitment, by=APPLICANT).then(commitment_withdrawn)
    again = (*events, commitment_signed, commitment_withdrawn)
    given(*again).when(sign_commitment, by=APPLICANT).then(commitment_signed)
    given(*again).when(withdraw_commitment, by=APPLICANT).then_refuses(NotCommitted)


def test_only_what_is_offered_is_signed_and_what_is_signed_withdrawn() -> None:
    given(*FILED).when(sign_commitment, by=APPLICANT).then_refuses(NotOffered)
    given(*OFFERED).when(withdraw_commitment, by=APPLICANT).then_refuses(NotCommitted)


def test_before_the_decision() -> None:
    for events in (GRANTED, DENIED):
        given(*events).when(sign_commitment, by=APPLICANT).then_refuses(AlreadyDecided)
        given(*events).when(withdraw_commitment, by=APPLICANT).then_refuses(AlreadyDecided)


def test_not_before_what_it_rests_on() -> None:
    early = START.replace(hour=0)
    given(*OFFERED).when(sign_commitment, by=CLERK, at=early).then_refuses(EffectiveTimeBeforeCause)
    given(*SIGNED).when(withdraw_commitment, by=CLERK, at=early).then_refuses(EffectiveTimeBeforeCause)


def test_the_decision_rests_on_the_promise_and_says_when_it_is_checked() -> None:
    given(*ACCEPTED_ON_IT).when(grant_approval, by=DECIDER).then(ON_PROMISE)
    with_opinions = (*ACCEPTED_ON_IT, *ALL_PASSED)
    given(*with_opinions).when(grant_approval, by=DECIDER).then(ON_PROMISE)


def test_an_opinion_against_it_still_stands_in_the_way() -> None:
    against = (*ACCEPTED_ON_IT, opinion_recorded("tax", Opinion.FAIL))
    given(*against).when(grant_approval, by=DECIDER).then_refuses(OpinionsAgainst, branches=("tax",))
    assert given(*against).when(deny_approval, by=DECIDER).decided()


def test_an_inspection_that_failed_before_the_promise_still_stands_in_the_way() -> None:
    failed = replace(inspection_done, result=Opinion.FAIL)
    known = (*filed(terms=TERMS, inspection=True), commitment_offered, application_accepted, failed, commitment_signed)
    given(*known).when(grant_approval, by=DECIDER).then_refuses(InspectionOutstanding)
    assert given(*known, inspection_done).when(grant_approval, by=DECIDER).decided()


def test_without_it_the_ordinary_way_remains() -> None:
    taken_back = (*ACCEPTED_ON_IT, commitment_withdrawn)
    given(*taken_back).when(grant_approval, by=DECIDER).then_refuses(OpinionsOutstanding)
    inspected = (*filed(terms=TERMS, inspection=True), commitment_offered, commitment_signed, application_accepted)
    assert given(*inspected).when(grant_approval, by=DECIDER).decided()
    given(*inspected, commitment_withdrawn, *ALL_PASSED).when(grant_approval, by=DECIDER).then_refuses(
        InspectionOutstanding
    )


def test_a_promise_replaces_a_paper_that_the_guide_lets_it_replace() -> None:
    """告知承诺 of the proof kind (上海市优化营商环境条例 art. 29)."""
    given(*WITHOUT_PAPER).when(accept_application, by=ACCEPTOR).then(application_accepted)
    given(*WITHOUT_PAPER[:-1]).when(accept_application, by=ACCEPTOR).then_refuses(
        MaterialsMissing, materials=["sale-contract"]
    )
    without = (*filed(terms=TERMS, evidence=application_submitted.evidence[:2]), commitment_offered, commitment_signed)
    given(*without).when(accept_application, by=ACCEPTOR).then_refuses(MaterialsMissing)


def test_the_paper_is_needed_again_once_the_promise_is_taken_back() -> None:
    story = (*WITHOUT_PAPER, application_accepted, *ALL_PASSED, commitment_withdrawn)
    given(*story).when(grant_approval, by=DECIDER).then_refuses(MaterialsMissing, materials=("sale-contract",))
    assert given(*ACCEPTED, *ALL_PASSED).when(grant_approval, by=DECIDER).decided()
