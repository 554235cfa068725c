"""What the revocation of a decision leads to."""

from __future__ import annotations

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.guards import applicant_of, not_before
from tongban.domain.case.refusals import NotGranted, ReasonAndRemedyRequired, UnknownCase
from tongban.domain.case.state import Case
from tongban.domain.errors import OtherDepartment
from tongban.domain.revocation.commands import RevokeDecision
from tongban.domain.revocation.events import DecisionRevoked, Ground
from tongban.domain.revocation.state import Revocation
from tongban.domain.wording import says_something


def revoke_decision(
    command: RevokeDecision, circumstances: Circumstances, revocation: Revocation, case: Case
) -> list[DecisionRevoked]:
    """撤销, once, with reason and remedy."""
    if case.item is None:
        raise UnknownCase(case_id=command.case_id)
    if circumstances.actor.department != case.lead:
        raise OtherDepartment(department=case.lead)
    if revocation.ground is not None:
        return []
    if not case.granted:
        raise NotGranted(number=case.number, state=case.status)
    if not says_something(command.reason) or not says_something(command.remedy):
        raise ReasonAndRemedyRequired
    not_before(circumstances, case.decided_at)
    return [
        DecisionRevoked(
            case_id=command.case_id,
            item_id=case.item.id,
            ground=command.ground,
            protected=command.ground is not Ground.FRAUD,
            revoked_by=circumstances.actor.id,
            licence_id=case.licence_id,
            applicant=applicant_of(case),
            reason=command.reason,
            remedy=command.remedy,
        )
    ]
