"""A sub-case of a bundle: what waits for another part, what opens it, and what happens when that never comes."""

from dataclasses import replace

import pytest

from tests.examples import (
    ALL_PASSED,
    BUNDLE_ID,
    DECIDER,
    FILED,
    GRANTED,
    ISSUED,
    PERSON_ID,
    SYSTEM,
    application_accepted,
    application_submitted,
    approval_granted,
    close_dependant,
    commitment_offered,
    condition_failed,
    deny_approval,
    file_sub_case,
    filed,
    gate_opened,
    grant_approval,
    issue_licence,
    item_published,
    licence_issued,
    materials_received,
    open_gate,
    party_registered,
)
from tests.given import given
from tongban.domain.case.commands import OpenGate
from tongban.domain.case.events import CaseClosed, Gate, Result, Step
from tongban.domain.case.refusals import ApplicantNotRegistered, GateClosed, ItemNotPublished
from tongban.domain.case.state import CASE

FOOD = Gate("food-licence", Step.ISSUE)
VISIT = Gate("joint-inspection", Step.DECIDE)
REVIEWED = (*filed(bundle=BUNDLE_ID, gates=(FOOD, VISIT)), application_accepted, *ALL_PASSED)
GRANTED_IN_BUNDLE = (*filed(bundle=BUNDLE_ID, gates=(FOOD,)), application_accepted, *ALL_PASSED, approval_granted)
visit_over = OpenGate(open_gate.case_id, "joint-inspection")
SUB_CASE = replace(application_submitted, draft=None, bundle=BUNDLE_ID, gates=(FOOD,))


def test_a_part_of_a_bundle_is_filed_with_what_it_waits_for() -> None:
    world = given(item_published, party_registered)
    world.when(file_sub_case, by=SYSTEM).then(SUB_CASE, materials_received)
    given(*world.events, SUB_CASE, materials_received).when(file_sub_case, by=SYSTEM).then_nothing()
    assert CASE.correlation(given(SUB_CASE).states()["case"]) == BUNDLE_ID


def test_it_is_filed_by_the_same_rules() -> None:
    given(party_registered).when(file_sub_case, by=SYSTEM).then_refuses(ItemNotPublished)
    given(item_published).when(file_sub_case, by=SYSTEM).then_refuses(ApplicantNotRegistered, applicant=PERSON_ID)


def test_a_decision_that_waits_is_not_made_before_its_gate_opens() -> None:
    given(*REVIEWED).when(grant_approval, by=DECIDER).then_refuses(GateClosed, waits_for=("joint-inspection",))
    [opened] = given(*REVIEWED).when(visit_over, by=SYSTEM).decided()
    given(*REVIEWED, opened).when(grant_approval, by=DECIDER).then(approval_granted)


def test_a_denial_waits_for_nobody() -> None:
    assert given(*REVIEWED).when(deny_approval, by=DECIDER).decided()


def test_a_licence_that_waits_is_not_made_before_its_gate_opens() -> None:
    given(*GRANTED_IN_BUNDLE).when(issue_licence, by=DECIDER).then_refuses(GateClosed, waits_for=("food-licence",))
    assert given(*GRANTED_IN_BUNDLE, gate_opened).when(issue_licence, by=DECIDER).decided()


def test_a_gate_opens_once() -> None:
    given(*REVIEWED).when(open_gate, by=SYSTEM).then(gate_opened)
    given(*REVIEWED, gate_opened).when(open_gate, by=SYSTEM).then_nothing()
    given(*FILED).when(open_gate, by=SYSTEM).then_nothing()
    over = (*REVIEWED, condition_failed, CaseClosed(Result.NOT_STARTED))
    given(*over).when(open_gate, by=SYSTEM).then_nothing()


def test_what_can_no_longer_start_is_closed_with_that_reason() -> None:
    given(*REVIEWED).when(close_dependant, by=SYSTEM).then(condition_failed, CaseClosed(Result.NOT_STARTED))
    given(*filed(bundle=BUNDLE_ID)).when(close_dependant, by=SYSTEM).then(
        condition_failed, CaseClosed(Result.NOT_STARTED)
    )


def test_what_was_granted_and_can_no_longer_take_effect_is_closed_with_that_reason() -> None:
    given(*GRANTED_IN_BUNDLE).when(close_dependant, by=SYSTEM).then(
        replace(condition_failed, result=Result.NOT_EFFECTIVE), CaseClosed(Result.NOT_EFFECTIVE)
    )


@pytest.mark.parametrize(
    "events",
    [
        FILED,
        GRANTED,
        ISSUED,
        (*filed(bundle=BUNDLE_ID), condition_failed, CaseClosed(Result.NOT_STARTED)),
        (*GRANTED_IN_BUNDLE, licence_issued),
        (*REVIEWED, replace(condition_failed, result=Result.DENIED)),
        (*filed(bundle=BUNDLE_ID), commitment_offered, CaseClosed(Result.WITHDRAWN)),
    ],
)
def test_what_depends_on_nothing_or_is_over_stands(events: tuple[object, ...]) -> None:
    given(*events).when(close_dependant, by=SYSTEM).then_nothing()
