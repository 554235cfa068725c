"""现场核查: two officers or more, one visit for several branches, and no clock stops."""

from dataclasses import replace

import pytest

from tests.examples import (
    ACCEPTED,
    ALL_PASSED,
    BRANCHES,
    BUNDLE_ID,
    DECIDER,
    FILED,
    GRANTED,
    INSPECTOR,
    INSPECTORS,
    SYSTEM,
    application_accepted,
    commitment_offered,
    commitment_signed,
    filed,
    grant_approval,
    inspection_done,
    inspection_scheduled,
    record_inspection,
    record_joint_inspection,
    schedule_inspection,
)
from tests.given import START, given
from tongban.domain.case.events import Opinion
from tongban.domain.case.refusals import (
    AlreadyDecided,
    InspectionOutstanding,
    NotABranch,
    NotAccepted,
    TwoInspectors,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

FAILED = replace(inspection_done, result=Opinion.FAIL)
TO_INSPECT = (*filed(inspection=True), application_accepted)
JOINT = replace(inspection_done, branches=BRANCHES, joint=BUNDLE_ID)
SUB_CASE = (*filed(bundle=BUNDLE_ID, inspection=True), application_accepted)


def test_an_inspection_is_planned_and_a_plan_replaces_the_one_before() -> None:
    given(*ACCEPTED).when(schedule_inspection, by=INSPECTOR).then(inspection_scheduled)
    given(*ACCEPTED, inspection_scheduled).when(schedule_inspection, by=INSPECTOR).then_nothing()
    others = replace(schedule_inspection, inspectors=("officer-a", "officer-b"))
    assert given(*ACCEPTED, inspection_scheduled).when(others, by=INSPECTOR).decided()


def test_one_visit_serves_several_branches() -> None:
    given(*ACCEPTED).when(record_inspection, by=INSPECTOR).then(inspection_done)
    given(*ACCEPTED, inspection_done).when(record_inspection, by=INSPECTOR).then_nothing()


def test_one_that_failed_can_be_made_again() -> None:
    given(*ACCEPTED, FAILED).when(record_inspection, by=INSPECTOR).then(inspection_done)


@pytest.mark.parametrize(
    "inspectors", [(), ("officer-a",), ("officer-a", "officer-a"), ("officer-a", " officer-a ", " ")]
)
@pytest.mark.parametrize("command", [schedule_inspection, record_inspection])
def test_it_takes_two(command: object, inspectors: tuple[str, ...]) -> None:
    alone = replace(command, inspectors=inspectors)  # type: ignore[type-var]  # whatever is given
    given(*ACCEPTED).when(alone, by=INSPECTOR).then_refuses(TwoInspectors)


def test_it_takes_two_of_a_bundle_as_well() -> None:
    alone = replace(record_joint_inspection, inspectors=INSPECTORS[:1])
    given(*SUB_CASE).when(alone, by=SYSTEM).then_refuses(TwoInspectors)


@pytest.mark.parametrize("branches", [(), ("fire",), ("tax", "fire")])
@pytest.mark.parametrize("command", [schedule_inspection, record_inspection])
def test_it_is_made_for_branches_of_the_case(command: object, branches: tuple[str, ...]) -> None:
    given(*ACCEPTED).when(replace(command, branches=branches), by=INSPECTOR).then_refuses(NotABranch)  # type: ignore[type-var]


@pytest.mark.parametrize("command", [schedule_inspection, record_inspection])
def test_it_is_made_in_review_only(command: object) -> None:
    given(*FILED).when(command, by=INSPECTOR).then_refuses(NotAccepted)
    given(*GRANTED).when(command, by=INSPECTOR).then_refuses(AlreadyDecided)
    given(*ACCEPTED).when(command, by=INSPECTOR, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_where_one_is_needed_there_is_no_grant_before_it_was_passed() -> None:
    given(*TO_INSPECT, *ALL_PASSED).when(grant_approval, by=DECIDER).then_refuses(
        InspectionOutstanding, branches=BRANCHES
    )
    given(*TO_INSPECT, *ALL_PASSED, FAILED).when(grant_approval, by=DECIDER).then_refuses(InspectionOutstanding)
    assert given(*TO_INSPECT, *ALL_PASSED, FAILED, inspection_done).when(grant_approval, by=DECIDER).decided()


def test_that_of_the_lead_is_enough_unless_anothers_failed() -> None:
    by_lead = replace(inspection_done, branches=("nr",))
    of_tax = replace(FAILED, branches=("tax",))
    assert given(*TO_INSPECT, *ALL_PASSED, by_lead).when(grant_approval, by=DECIDER).decided()
    given(*TO_INSPECT, *ALL_PASSED, by_lead, of_tax).when(grant_approval, by=DECIDER).then_refuses(
        InspectionOutstanding, branches=("tax",)
    )


def test_without_the_leads_every_branch_needs_its_own() -> None:
    others = replace(inspection_done, branches=("housing", "tax"))
    given(*TO_INSPECT, *ALL_PASSED, others).when(grant_approval, by=DECIDER).then_refuses(
        InspectionOutstanding, branches=("nr",)
    )


def test_on_a_promise_it_comes_after_the_decision() -> None:
    terms = {"commitment": {"check_within": {"value": 2, "unit": "MONTH"}}}
    filing = filed(inspection=True, terms=terms)
    promised = (*filing, commitment_offered, commitment_signed, application_accepted)
    assert given(*promised).when(grant_approval, by=DECIDER).decided()


def test_a_joint_inspection_of_the_bundle_feeds_every_branch() -> None:
    given(*SUB_CASE).when(record_joint_inspection, by=SYSTEM).then(JOINT)
    given(*SUB_CASE, JOINT).when(record_joint_inspection, by=SYSTEM).then_nothing()
    given(*SUB_CASE, replace(JOINT, result=Opinion.FAIL)).when(record_joint_inspection, by=SYSTEM).then(JOINT)


def test_a_sub_case_that_is_not_in_review_needs_none() -> None:
    given(*filed(bundle=BUNDLE_ID)).when(record_joint_inspection, by=SYSTEM).then_nothing()
    given(*GRANTED).when(record_joint_inspection, by=SYSTEM).then_nothing()
