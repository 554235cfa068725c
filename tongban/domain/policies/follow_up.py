"""What follows from a decision after it: the check of a promise, what a breach and a revocation bring with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tongban.domain.case.commands import CloseRevoked
from tongban.domain.case.events import ApprovalGranted
from tongban.domain.commitment.commands import OpenCommitmentCheck
from tongban.domain.commitment.events import CheckResult, CommitmentChecked
from tongban.domain.licence.commands import RevokeIssuedLicence
from tongban.domain.office_time import office_day
from tongban.domain.party.commands import BarApplicant, HoldPromiseAgainst
from tongban.domain.party.events import BarGround
from tongban.domain.recorded import Recorded
from tongban.domain.revocation.events import DecisionRevoked, Ground


def check_promise(recorded: Recorded) -> Sequence[OpenCommitmentCheck]:
    """A grant on a promise is followed by its check, by the department that granted."""
    event, envelope = recorded.event, recorded.envelope
    if not isinstance(event, ApprovalGranted) or event.check_within is None or envelope.rules.item is None:
        return ()
    return (
        OpenCommitmentCheck(
            case_id=envelope.stream,
            correlation=envelope.correlation,
            item_id=envelope.rules.item.id,
            department=envelope.actor.department or "",
            applicant=event.applicant,
            decided_on=office_day(envelope.effective_at),
            within=event.check_within,
        ),
    )


def hold_breach_against(recorded: Recorded) -> Sequence[HoldPromiseAgainst]:
    """Whose promise was not so is not offered that way again until it is repaired."""
    event = recorded.event
    if not isinstance(event, CommitmentChecked) or event.result is not CheckResult.BREACH:
        return ()
    return (HoldPromiseAgainst(party=event.applicant, case_id=event.case_id, item_id=event.item_id),)


def undo_revoked(recorded: Recorded) -> Sequence[Any]:
    """A revoked decision takes its licence along, or its case where none was made yet.

    Who got it by fraud may not file again for three years.
    """
    event = recorded.event
    if not isinstance(event, DecisionRevoked):
        return ()
    commands: list[Any] = []
    if event.licence_id is not None:
        commands.append(
            RevokeIssuedLicence(
                licence_id=event.licence_id, case_id=event.case_id, correlation=recorded.envelope.correlation
            )
        )
    if event.ground is Ground.FRAUD:
        commands.append(
            BarApplicant(party=event.applicant, item=event.item_id, ground=BarGround.FRAUD, case_id=event.case_id)
        )
    if event.licence_id is None:
        commands.append(CloseRevoked(event.case_id))
    return commands
