"""Review: opinions side by side, queue work, consultation and on-site checks. None of it stops a clock."""

from __future__ import annotations

from collections.abc import Sequence

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.commands import (
    AnswerConsult,
    ClaimCase,
    ReassignCase,
    RecordInspection,
    RecordJointInspection,
    RecordOpinion,
    ReleaseCase,
    RequestConsult,
    ScheduleInspection,
)
from tongban.domain.case.events import (
    CaseClaimed,
    CaseEvent,
    CaseReassigned,
    CaseReleased,
    ConsultAnswered,
    ConsultRequested,
    InspectionDone,
    InspectionScheduled,
    OpinionRecorded,
)
from tongban.domain.case.guards import (
    CaseFacts,
    applicant_of,
    in_review,
    not_before,
    not_claimed_by_other,
    not_over,
)
from tongban.domain.case.refusals import (
    AlreadyConsulted,
    AlreadyDecided,
    BranchDone,
    ClaimedByOther,
    NotABranch,
    NotAccepted,
    NotClaimed,
    NotConsulted,
    OpinionAlreadyGiven,
    ProcedureRunning,
    ReviewerChairs,
    TwoInspectors,
)
from tongban.domain.case.state import IN_REVIEW, MAIN, Case
from tongban.domain.rules import FEWEST_INSPECTORS
from tongban.domain.wording import says_something


def record_opinion(
    command: RecordOpinion, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """One branch speaks, in any order."""
    branch, officer = command.branch, circumstances.actor.id
    _is_branch(case, branch)
    if case.accepted_at is None:
        raise NotAccepted(number=case.number)
    if branch in case.opinions:
        given, _ = case.opinions[branch]
        if given is command.opinion:
            return []
        raise OpinionAlreadyGiven(branch=branch, opinion=given)
    if case.status not in IN_REVIEW:
        raise AlreadyDecided(number=case.number)
    not_claimed_by_other(case, branch, circumstances, facts)
    if any(found.branch in (branch, None) for found in case.suspended):
        raise ProcedureRunning(branch=branch)
    if officer in case.chairs:
        raise ReviewerChairs(officer=officer)
    not_before(circumstances, case.accepted_at)
    return [
        OpinionRecorded(
            branch=branch,
            opinion=command.opinion,
            applicant=applicant_of(case),
            text=command.text,
            given_by=officer,
        )
    ]


def _is_branch(case: Case, branch: str) -> None:
    if branch not in case.branches:
        raise NotABranch(branch=branch, branches=case.branches)


def claim_case(command: ClaimCase, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """领办. Of two officers who claim at once, one is refused and told who has it."""
    _to_work_on(case, command.branch)
    not_before(circumstances, case.submitted_at)
    officer = circumstances.actor.id
    claimed_by = case.claims.get(command.branch)
    if claimed_by == officer or (claimed_by is not None and facts.covers):
        return []  # who covers works on it as it is: it is the absent one's again when he is back
    if claimed_by is not None:
        raise ClaimedByOther(branch=command.branch, claimed_by=claimed_by)
    return [CaseClaimed(branch=command.branch, officer=officer)]


def release_case(command: ReleaseCase, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """退回队列, by who claimed it."""
    _to_work_on(case, command.branch)
    not_before(circumstances, case.submitted_at)
    claimed_by = case.claims.get(command.branch)
    if claimed_by is None:
        return []
    not_claimed_by_other(case, command.branch, circumstances, facts)
    return [CaseReleased(branch=command.branch, officer=claimed_by)]


def reassign_case(command: ReassignCase, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """转办, by the head."""
    _to_work_on(case, command.branch)
    not_before(circumstances, case.submitted_at)
    if not says_something(command.officer):
        raise NotClaimed(branch=command.branch)
    previous = case.claims.get(command.branch)
    if previous == command.officer:
        return []
    return [CaseReassigned(branch=command.branch, officer=command.officer, previous=previous)]


def _to_work_on(case: Case, branch: str) -> None:
    not_over(case)
    if branch == MAIN:
        return
    _is_branch(case, branch)
    if branch in case.opinions:
        raise BranchDone(branch=branch)


def request_consult(
    command: RequestConsult, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """征求意见 of a department that is no branch."""
    in_review(case)
    if command.department in case.branches or command.department in case.consults:
        raise AlreadyConsulted(department=command.department)
    not_before(circumstances, case.accepted_at)
    return [ConsultRequested(department=command.department, applicant=applicant_of(case), question=command.question)]


def answer_consult(
    command: AnswerConsult, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """The answer of a department that was asked; the first stands."""
    if command.department not in case.consults:
        raise NotConsulted(department=command.department)
    if case.consults[command.department]:
        return []
    in_review(case)
    not_before(circumstances, case.accepted_at)
    return [ConsultAnswered(department=command.department, applicant=applicant_of(case), text=command.text)]


def schedule_inspection(
    command: ScheduleInspection, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """现场核查 is planned; a plan replaces the one before."""
    in_review(case)
    branches = _inspected_branches(case, command.branches)
    inspectors = _inspectors(command.inspectors)
    if all(case.scheduled.get(branch) == inspectors for branch in branches):
        return []
    not_before(circumstances, case.accepted_at)
    return [InspectionScheduled(branches=branches, inspectors=inspectors, day=command.day)]


def record_inspection(
    command: RecordInspection, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """现场核查: one visit may serve several branches. One that failed can be made again."""
    in_review(case)
    branches = _inspected_branches(case, command.branches)
    inspectors = _inspectors(command.inspectors)
    if all(case.inspections.get(branch) is command.result for branch in branches):
        return []
    not_before(circumstances, case.accepted_at)
    return [
        InspectionDone(
            branches=branches,
            inspectors=inspectors,
            result=command.result,
            joint=None,
            applicant=applicant_of(case),
            text=command.text,
        )
    ]


def record_joint_inspection(
    command: RecordJointInspection, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """联合核查 of the bundle, for every branch of this sub-case; one that is past its review needs it no more."""
    known = all(case.inspections.get(branch) is command.result for branch in case.branches)
    if case.status not in IN_REVIEW or known:
        return []
    return [
        InspectionDone(
            branches=case.branches,
            inspectors=_inspectors(command.inspectors),
            result=command.result,
            joint=case.bundle,
            applicant=applicant_of(case),
            text=command.text,
        )
    ]


def _inspected_branches(case: Case, branches: Sequence[str]) -> tuple[str, ...]:
    if not branches:
        raise NotABranch(branch="", branches=case.branches)
    for branch in branches:
        _is_branch(case, branch)
    return tuple(dict.fromkeys(branches))


def _inspectors(inspectors: Sequence[str]) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(name.strip() for name in inspectors if says_something(name)))
    if len(named) < FEWEST_INSPECTORS:
        raise TwoInspectors(inspectors=named)
    return named
