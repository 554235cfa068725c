"""Decision: 准予, 不予, 视为准予延续; and the commitment, which lets the decision come before the check."""

from __future__ import annotations

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.acceptance import missing_materials
from tongban.domain.case.commands import (
    DeemRenewed,
    DenyApproval,
    GrantApproval,
    SignCommitment,
    WithdrawCommitment,
)
from tongban.domain.case.events import (
    ApprovalDeemedGranted,
    ApprovalDenied,
    ApprovalGranted,
    CaseClosed,
    CaseEvent,
    CommitmentSigned,
    CommitmentWithdrawn,
    Procedure,
    Result,
    Step,
)
from tongban.domain.case.guards import (
    DECISION_CLOCKS,
    DELIVERY,
    HEARING_REQUEST,
    CaseFacts,
    applicant_of,
    clock,
    ended,
    gates_open,
    in_review,
    not_before,
    not_claimed_by_other,
    overdue,
    stopped,
    today,
)
from tongban.domain.case.refusals import (
    AlreadyDecided,
    CorrectionOutstanding,
    FeeUnpaid,
    HearingOutstanding,
    InspectionOutstanding,
    MaterialsMissing,
    NotCommitted,
    NotOffered,
    OpinionsAgainst,
    OpinionsOutstanding,
    ProcedureRunning,
    ReasonAndRemedyRequired,
    SameOfficer,
    ToleratedOutstanding,
)
from tongban.domain.case.state import BEFORE_ACCEPTANCE, IN_REVIEW, MAIN, Case, Hearing
from tongban.domain.clock import Clock, Limit, Unit
from tongban.domain.office_time import office_day
from tongban.domain.rules import ISSUE_AND_DELIVER, RULE_DEEMED_RENEWED
from tongban.domain.wording import says_something


def grant_approval(
    command: GrantApproval, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """准予. A case whose item has no licence as its result is closed with the grant.

    What is needed must be there, also where the law accepted without it or a promise for it was taken back.
    On a signed commitment no opinion and no inspection is waited for; an opinion against it still stands in the way.
    """
    if case.granted:
        return []
    _ready_to_decide(circumstances, case, facts)
    if case.tolerated:
        raise ToleratedOutstanding(materials=case.tolerated)
    if case.asked:
        raise CorrectionOutstanding(materials=case.asked)
    if missing := missing_materials(case):
        raise MaterialsMissing(materials=missing, tolerable=())
    gates_open(case, Step.DECIDE)
    if case.failed:
        raise OpinionsAgainst(branches=case.failed)
    if not case.committed and case.outstanding:
        raise OpinionsOutstanding(branches=case.outstanding)
    if uninspected := case.uninspected:
        raise InspectionOutstanding(branches=uninspected)
    if case.licence_type is None and case.unpaid:
        raise FeeUnpaid(amount=case.fee_amount)
    granted = ApprovalGranted(
        decided_by=circumstances.actor.id,
        applicant=applicant_of(case),
        text=command.text,
        check_within=_check_within(case),
        clocks=_decided(case, circumstances, facts, delivers=case.licence_type is not None),
    )
    return [granted] if case.licence_type else [granted, CaseClosed(Result.GRANTED)]


def _check_within(case: Case) -> Limit | None:
    """Within what time a promise that the decision rests on is to be checked."""
    if not case.committed:
        return None
    within = case.terms["commitment"]["check_within"]
    return Limit(within["value"], Unit(within["unit"]))


def deny_approval(command: DenyApproval, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """不予. Needs reason and remedy (行政许可法 art. 38); possible once a branch is against it or all have spoken."""
    _ready_to_decide(circumstances, case, facts)
    if not says_something(command.reason) or not says_something(command.remedy):
        raise ReasonAndRemedyRequired
    if case.outstanding and not case.failed:
        raise OpinionsOutstanding(branches=case.outstanding)
    if case.tolerated:  # either they come, or the case lapses: no decision meanwhile, for or against
        raise ToleratedOutstanding(materials=case.tolerated)
    return [
        ApprovalDenied(
            decided_by=circumstances.actor.id,
            applicant=applicant_of(case),
            reason=command.reason,
            remedy=command.remedy,
            clocks=_decided(case, circumstances, facts, delivers=False),
        ),
        *ended(case, Result.DENIED),
    ]


def deem_renewed(_: DeemRenewed, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """视为准予延续, once the licence has expired and nothing was decided; before, or after a decision, nothing."""
    until = case.renews_until
    if until is None or case.status not in IN_REVIEW or office_day(circumstances.now) <= until:
        return []
    clocks = _decided(case, circumstances, facts, delivers=case.licence_type is not None)
    granted = ApprovalDeemedGranted(rule=RULE_DEEMED_RENEWED, clocks=clocks)
    return [granted] if case.licence_type else [granted, CaseClosed(Result.GRANTED)]


def _ready_to_decide(circumstances: Circumstances, case: Case, facts: CaseFacts) -> None:
    in_review(case)
    not_claimed_by_other(case, MAIN, circumstances, facts)
    if case.promised and circumstances.actor.id == case.accepted_by:
        raise SameOfficer(officer=circumstances.actor.id)
    if case.suspended:
        raise ProcedureRunning(branch=case.suspended[0].branch, kind=case.suspended[0].kind)
    _hearing_is_over(circumstances, case)
    not_before(circumstances, case.latest)


def _hearing_is_over(circumstances: Circumstances, case: Case) -> None:
    """A decision waits for the hearing, or for the time to ask for it (行政许可法 art. 47, 48).

    One that was announced and given up before its day was not held.
    """
    if case.hearing is Hearing.OFFERED and not overdue(case, HEARING_REQUEST, today(circumstances)):
        raise HearingOutstanding(due=case.clocks[HEARING_REQUEST].due)
    held = any(
        found.kind is Procedure.HEARING
        and found.held_on is not None
        and found.end is not None
        and found.end >= found.held_on
        for found in case.suspensions
    )
    if case.hearing is Hearing.REQUESTED and not held:
        raise HearingOutstanding(due=None)


def _decided(case: Case, circumstances: Circumstances, facts: CaseFacts, *, delivers: bool) -> tuple[Clock, ...]:
    day = today(circumstances)
    clocks = stopped(case, day, *DECISION_CLOCKS)
    return (*clocks, clock(DELIVERY, ISSUE_AND_DELIVER, day, facts)) if delivers else clocks


def sign_commitment(_: SignCommitment, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """告知承诺, freely chosen by the applicant; it is not offered to whom a broken promise is held against."""
    if case.committed:
        return []
    _before_decision(case)
    if not case.commitment_offered:
        raise NotOffered(item=case.item.id if case.item else None)
    not_before(circumstances, case.submitted_at)
    return [CommitmentSigned(applicant=applicant_of(case))]


def withdraw_commitment(
    _: WithdrawCommitment, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """Back to the ordinary way, before the decision."""
    _before_decision(case)
    if not case.committed:
        raise NotCommitted(number=case.number)
    not_before(circumstances, case.latest)
    return [CommitmentWithdrawn(applicant=applicant_of(case))]


def _before_decision(case: Case) -> None:
    if case.status not in BEFORE_ACCEPTANCE and case.status not in IN_REVIEW:
        raise AlreadyDecided(number=case.number)
