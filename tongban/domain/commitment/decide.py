"""What the check of a promise leads to."""

from __future__ import annotations

from tongban.domain.aggregate import Circumstances
from tongban.domain.calendar.state import Calendar
from tongban.domain.clock import start_clock, stop_clock
from tongban.domain.commitment.commands import OpenCommitmentCheck, RecordCommitmentCheck
from tongban.domain.commitment.events import CommitmentChecked, CommitmentCheckOpened, CommitmentEvent
from tongban.domain.commitment.state import Commitment
from tongban.domain.errors import EffectiveTimeBeforeCause, NotFound, OtherDepartment, RuleBroken
from tongban.domain.office_time import office_day

COMMITMENT_CHECK = "COMMITMENT_CHECK"


class NoCommitment(NotFound):
    """No decision of this case was made on a promise."""

    zh = "该办件没有以告知承诺方式作出的决定。"


class CheckedAlready(RuleBroken):
    """The promise was checked already, with another result."""

    zh = "承诺已核查, 结果不同。"


def open_commitment_check(
    command: OpenCommitmentCheck, commitment: Commitment, calendar: Calendar
) -> list[CommitmentEvent]:
    """Begin the time of the check, once."""
    if commitment.clock is not None:
        return []
    clock = start_clock(COMMITMENT_CHECK, "", command.decided_on, command.within, calendar)
    return [
        CommitmentCheckOpened(
            case_id=command.case_id,
            item_id=command.item_id,
            department=command.department,
            applicant=command.applicant,
            clocks=(clock,),
        )
    ]


def record_commitment_check(
    command: RecordCommitmentCheck, circumstances: Circumstances, commitment: Commitment
) -> list[CommitmentEvent]:
    """承诺核查: once. What follows from a breach is decided in other streams."""
    if commitment.clock is None or commitment.applicant is None or commitment.opened_at is None:
        raise NoCommitment(case_id=command.case_id)
    actor = circumstances.actor
    if actor.department != commitment.department:
        raise OtherDepartment(department=commitment.department)
    if commitment.result is not None:
        if commitment.result is command.result:
            return []
        raise CheckedAlready(result=commitment.result)
    if circumstances.effective_at < commitment.opened_at and circumstances.effective_at != circumstances.now:
        raise EffectiveTimeBeforeCause(effective_at=circumstances.effective_at, not_before=commitment.opened_at)
    return [
        CommitmentChecked(
            case_id=command.case_id,
            item_id=commitment.item_id,
            result=command.result,
            checked_by=actor.id,
            applicant=commitment.applicant,
            text=command.text,
            clocks=(stop_clock(commitment.clock, office_day(circumstances.effective_at)),),
        )
    ]
