from dataclasses import replace

import pytest

from tests.examples import (
    AGENT,
    APPLICANT,
    CLERK,
    MANDATE_ID,
    ORGANISATION_ID,
    STRANGER,
    mandate_granted,
    mandate_revoked,
    revoke_mandate,
)
from tests.given import given
from tongban.domain.actor import Actor, Role
from tongban.domain.errors import NotYours
from tongban.domain.mandate.events import MandateKind
from tongban.domain.mandate.refusals import GuardianshipAtCounter, UnknownMandate

GUARDIAN = replace(mandate_granted, kind=MandateKind.GUARDIAN)


@pytest.mark.parametrize("by", [APPLICANT, STRANGER, AGENT, CLERK])
def test_principal_agent_and_clerk_can_end_it(by: Actor) -> None:
    given(mandate_granted).when(revoke_mandate, by=by).then(mandate_revoked)


def test_no_reason_is_needed() -> None:
    given(mandate_granted).when(replace(revoke_mandate, reason=None), by=APPLICANT).then(
        replace(mandate_revoked, reason=None)
    )


def test_what_is_revoked_stays_revoked() -> None:
    given(mandate_granted, mandate_revoked).when(revoke_mandate, by=APPLICANT).then_nothing()


def test_nobody_else_ends_it() -> None:
    other = Actor(str(ORGANISATION_ID), Role.ENTERPRISE)
    given(mandate_granted).when(revoke_mandate, by=other).then_refuses(NotYours)


def test_what_was_never_granted_is_not_revoked() -> None:
    given().when(revoke_mandate, by=CLERK).then_refuses(UnknownMandate, mandate_id=MANDATE_ID)


@pytest.mark.parametrize("by", [APPLICANT, STRANGER])
def test_a_guardianship_is_not_theirs_to_end(by: Actor) -> None:
    given(GUARDIAN).when(revoke_mandate, by=by).then_refuses(GuardianshipAtCounter)


def test_a_clerk_ends_a_guardianship() -> None:
    given(GUARDIAN).when(revoke_mandate, by=CLERK).then(mandate_revoked)
