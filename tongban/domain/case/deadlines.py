"""What moves the deadline: special procedures, hearings, the one extension, and a newer calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tongban.domain.aggregate import Circumstances
from tongban.domain.calendar.state import Calendar
from tongban.domain.case.commands import (
    EndSpecialProcedure,
    ExtendDeadline,
    OfferHearing,
    RecomputeDeadlines,
    RequestHearing,
    StartSpecialProcedure,
)
from tongban.domain.case.events import (
    CaseEvent,
    DeadlineExtended,
    DeadlinesRecomputed,
    HearingOffered,
    HearingRequested,
    Procedure,
    SpecialProcedureEnded,
    SpecialProcedureStarted,
)
from tongban.domain.case.guards import (
    DECISION_CLOCKS,
    HEARING,
    HEARING_REQUEST,
    CaseFacts,
    applicant_of,
    clock,
    in_review,
    named_limit,
    not_before,
    overdue,
    running,
    stopped,
    today,
    with_pauses,
)
from tongban.domain.case.refusals import (
    AlreadyExtended,
    BranchDone,
    ExtensionNotAllowed,
    HearingNotice,
    NoHearingOffered,
    NoProcedureRunning,
    NotABranch,
    NotASpecialProcedure,
    NoticeRequired,
    ProcedureRunning,
    ProceduresOverlap,
    ReasonAndRemedyRequired,
    ReviewerChairs,
    TooLateToExtend,
    TwoInspectors,
)
from tongban.domain.case.state import OVER, Case, Hearing, Suspension
from tongban.domain.clock import Extension, Limit, Pause, Unit, expected_end, extend_clock, recompute
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.rules import (
    ART_45,
    FEWEST_INSPECTORS,
    HEARING_NOTICE,
    HEARING_TO_BE_HELD,
    HEARING_TO_BE_REQUESTED,
    LONGEST_PROCEDURE,
)
from tongban.domain.wording import says_something


def start_special_procedure(
    command: StartSpecialProcedure, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """特别程序: the clock stops, because the time needed was told in writing (行政许可法 art. 45)."""
    branch, kind = command.branch, command.kind
    in_review(case)
    if branch is not None and branch not in case.branches:
        raise NotABranch(branch=branch, branches=case.branches)
    if branch is not None and branch in case.opinions:
        raise BranchDone(branch=branch)
    if kind not in ART_45 and kind not in case.terms.get("procedures", ()):
        raise NotASpecialProcedure(kind=kind)
    if not says_something(command.notice) or not 1 <= command.working_days <= LONGEST_PROCEDURE:
        raise NoticeRequired(working_days=command.working_days)
    inspectors = tuple(dict.fromkeys(name.strip() for name in command.inspectors if says_something(name)))
    if kind is Procedure.INSPECTION_TEST and len(inspectors) < FEWEST_INSPECTORS:
        raise TwoInspectors(inspectors=inspectors)
    day = today(circumstances)
    if kind is Procedure.HEARING:
        _hearing_is_lawful(command, case, day, facts.calendar)
    for found in case.suspensions:
        if branch is not None and found.branch not in (branch, None):
            continue
        if found.end is None:
            raise ProcedureRunning(branch=found.branch, kind=found.kind)
        if day < found.end:
            raise ProceduresOverlap(branch=found.branch, until=found.end)
    not_before(circumstances, case.accepted_at)
    begun = Suspension(branch, kind, day, None, command.working_days)
    clocks = with_pauses(case, merged((*case.suspensions, begun), facts.calendar), facts.calendar)
    hearing = kind is Procedure.HEARING
    held = stopped(case, command.held_on, HEARING) if hearing and command.held_on else ()
    return [
        SpecialProcedureStarted(
            branch=branch,
            kind=kind,
            on=day,
            working_days=command.working_days,
            inspectors=inspectors,
            chair=command.chair if hearing else None,
            held_on=command.held_on if hearing else None,
            applicant=applicant_of(case),
            notice=command.notice,
            clocks=(*held, *clocks),
        )
    ]


def _hearing_is_lawful(command: StartSpecialProcedure, case: Case, day: date, calendar: Calendar) -> None:
    """行政许可法 art. 48: told seven working days ahead, and chaired by somebody who does not review the case."""
    chair, held_on = command.chair, command.held_on
    earliest = calendar.add_working_days(day, HEARING_NOTICE)
    if chair is None or not says_something(chair) or held_on is None or held_on < earliest:
        raise HearingNotice(earliest=earliest)
    if chair in case.reviewers or chair in case.claims.values():
        raise ReviewerChairs(officer=chair)


def end_special_procedure(
    command: EndSpecialProcedure, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """The clock runs again; this day counts."""
    running_here = [found for found in case.suspended if found.branch == command.branch]
    if not running_here:
        raise NoProcedureRunning(branch=command.branch)
    (ending,) = running_here
    day = today(circumstances)
    if day < ending.start:
        raise EffectiveTimeBeforeCause(effective_at=circumstances.effective_at, not_before=ending.start)
    in_review(case)
    not_before(circumstances, case.accepted_at)
    suspensions = tuple(found._replace(end=day) if found is ending else found for found in case.suspensions)
    clocks = with_pauses(case, merged(suspensions, facts.calendar), facts.calendar)
    return [SpecialProcedureEnded(branch=ending.branch, kind=ending.kind, on=day, clocks=clocks)]


def merged(suspensions: tuple[Suspension, ...], calendar: Calendar) -> tuple[Pause, ...]:
    """The times in which no day of the case counts: whenever any branch is stopped. Rising, not overlapping.

    A pause that lasts ends, as announced, when the last of the procedures in it is to end.
    """
    pauses: list[Pause] = []
    for found in sorted(suspensions, key=lambda each: each.start):
        if found.end is not None and found.end <= found.start:
            continue  # began and ended on one day, which counts
        last = pauses[-1] if pauses else None
        if last is not None and (last.end is None or found.start <= last.end):
            pauses[-1] = _joined(last, found, calendar)
        else:
            pauses.append(Pause(found.kind, found.start, found.end, found.declared))
    return tuple(pauses)


def _joined(pause: Pause, found: Suspension, calendar: Calendar) -> Pause:
    begun = Pause(found.kind, found.start, found.end, found.declared)
    if pause.end is not None and begun.end is not None:
        return replace(pause, end=max(pause.end, begun.end))
    end = max(expected_end(pause, calendar), expected_end(begun, calendar))
    declared = calendar.working_days_between(pause.start - timedelta(days=1), end) - 1
    return replace(pause, end=None, declared=declared)


def offer_hearing(_: OfferHearing, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """告知听证权利 (行政许可法 art. 46, 47); once."""
    if case.hearing is not Hearing.NONE:
        return []
    in_review(case)
    not_before(circumstances, case.accepted_at)
    return [HearingOffered(clocks=(clock(HEARING_REQUEST, HEARING_TO_BE_REQUESTED, today(circumstances), facts),))]


def request_hearing(_: RequestHearing, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """The applicant asks for the hearing that was offered, within five working days."""
    if case.hearing is Hearing.REQUESTED:
        return []
    in_review(case)
    day = today(circumstances)
    if case.hearing is Hearing.NONE or overdue(case, HEARING_REQUEST, day):
        raise NoHearingOffered(number=case.number)
    not_before(circumstances, case.accepted_at)
    asked = stopped(case, day, HEARING_REQUEST)
    return [HearingRequested(clocks=(*asked, clock(HEARING, HEARING_TO_BE_HELD, day, facts)))]


def extend_deadline(
    command: ExtendDeadline, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """延长审批: once, before the deadline, with a reason. A promise that is broken already stays broken."""
    if case.extended:
        raise AlreadyExtended(number=case.number)
    in_review(case)
    term = named_limit(case.terms, "extension")
    if term is None or term[0].unit is not Unit.WORKING_DAY or not 1 <= command.working_days <= term[0].value:
        raise ExtensionNotAllowed(working_days=command.working_days, most=term[0].value if term else 0)
    if not says_something(command.reason):
        raise ReasonAndRemedyRequired
    day = today(circumstances)
    decision = [found for name in DECISION_CLOCKS if (found := running(case, name)) is not None]
    clocks = [found for found in decision if found.due >= day]
    if not clocks:
        raise TooLateToExtend(due=max((found.due for found in decision), default=None))
    not_before(circumstances, case.accepted_at)
    extension = Extension(Limit(command.working_days, Unit.WORKING_DAY), term[1])
    return [
        DeadlineExtended(
            working_days=command.working_days,
            approved_by=circumstances.actor.id,
            applicant=applicant_of(case),
            reason=command.reason,
            clocks=tuple(extend_clock(found, extension, facts.calendar) for found in clocks),
        )
    ]


def recompute_deadlines(
    _: RecomputeDeadlines, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """Every running clock by the calendar in force; nothing where no deadline moves or becomes certain."""
    if case.status in OVER:
        return []
    changed = []
    for found in case.clocks.values():
        if found.stopped is not None:
            continue
        again = recompute(found, facts.calendar)
        if (again.due, again.provisional) != (found.due, found.provisional):
            changed.append(again)
    return [DeadlinesRecomputed(clocks=tuple(changed))] if changed else []
