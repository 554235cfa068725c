"""What each command to a filed bundle leads to: guards first, then the events, then all that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from tongban.domain.aggregate import Circumstances
from tongban.domain.bundle import events as e
from tongban.domain.bundle.commands import (
    BundleCommand,
    ExtendBundleDeadline,
    NoteSubCase,
    RecomputeBundleDeadlines,
    RecordBundleInspection,
    SendCorrectionNotice,
    SendDueNotice,
    SubmitBundleCorrection,
    WithdrawBundle,
)
from tongban.domain.bundle.events import BundleEvent, Noted
from tongban.domain.bundle.follow import (
    JOINT,
    NOTICE,
    asked_name,
    clock_of,
    follow,
    joint_clocks,
    notice,
    running,
    served,
    still_to_accept,
)
from tongban.domain.bundle.refusals import (
    NoDefectsNoted,
    NothingToWithdraw,
    TaskDone,
    TaskNotReady,
    UnknownBundle,
    UnknownTask,
)
from tongban.domain.bundle.state import Bundle, Part, evolve_all
from tongban.domain.calendar.state import Calendar
from tongban.domain.case.events import Opinion
from tongban.domain.case.guards import APPLICANT_CORRECTION, evidence_of, not_before, today
from tongban.domain.case.refusals import (
    AlreadyExtended,
    CorrectionTooLate,
    DefectsRemain,
    ExtensionNotAllowed,
    MaterialRepeated,
    NoCorrectionAsked,
    NotAccepted,
    TooLateToExtend,
    TwoInspectors,
    UnknownMaterial,
)
from tongban.domain.clock import Clock, Extension, Limit, Unit, extend_clock, recompute, start_clock
from tongban.domain.recorded import Evidence
from tongban.domain.rules import CORRECTION_BY_OFFICE, FEWEST_INSPECTORS, JOINT_EXTENSION
from tongban.domain.wording import says_something


class Facts(NamedTuple):
    """What a decision on a bundle may look at besides the bundle."""

    calendar: Calendar = Calendar()
    evidence: tuple[Evidence, ...] = ()


def note_sub_case(
    command: NoteSubCase, circumstances: Circumstances, bundle: Bundle, facts: Facts
) -> list[BundleEvent]:
    """What became of a sub-case. What is noted already, or is no part of the bundle, changes nothing."""
    part = bundle.part_of_case(command.case_id)
    if part is None or part.over or _is_noted(part, command):
        return []
    assert bundle.applicant is not None
    noted = e.SubCaseNoted(
        item=part.plan.item,
        case_id=command.case_id,
        what=command.what,
        result=command.result,
        licence_id=command.licence_id,
        materials=command.materials,
        applicant=bundle.applicant,
        # Nothing personal where there is none: what became of a case is noted of somebody erased, too.
        problems=command.problems or None,
        clocks=_until_notice(part, bundle, today(circumstances), facts) if command.what is Noted.DEFECTS else (),
    )
    day = today(circumstances)
    joint = bundle.clocks.get(JOINT)
    if command.what is Noted.ACCEPTED and joint is not None and joint.stopped is None and day < joint.start:
        # The law accepted this part before the first that an officer accepted (视为受理).
        return [noted, e.BundleAccepted(clocks=joint_clocks(bundle, day, facts.calendar))]
    return [noted]


def _until_notice(part: Part, bundle: Bundle, day: date, facts: Facts) -> tuple[Clock, ...]:
    """The clock of the one notice: in time for this part, unless it has to be sent for another sooner (R1)."""
    _, basis = CORRECTION_BY_OFFICE
    clock = start_clock(NOTICE, basis, part.filed_on or day, part.plan.answer_within, facts.calendar)
    running = bundle.clocks.get(NOTICE)
    sooner = running is not None and running.stopped is None and running.due <= clock.due
    return () if sooner else (clock,)


def _is_noted(part: Part, command: NoteSubCase) -> bool:
    match command.what:
        case Noted.FILED:
            return part.filed
        case Noted.ACCEPTED:
            return part.accepted
        case Noted.COMMITTED:
            return part.committed
        case Noted.GRANTED:
            return part.granted
        case Noted.DEFECTS:
            return part.noted == command.materials
        case Noted.CORRECTED:
            return not part.asked
        case Noted.ISSUED:
            return part.licence is not None
        case _:
            return False


def record_inspection(
    command: RecordBundleInspection, circumstances: Circumstances, bundle: Bundle, facts: Facts
) -> list[BundleEvent]:
    """联合核查: once all it serves is accepted. One that failed can be made again."""
    task = bundle.tasks.get(command.task)
    if task is None:
        raise UnknownTask(task=command.task, tasks=sorted(bundle.tasks))
    if task.result is Opinion.PASS:
        if command.result is Opinion.PASS:
            return []
        raise TaskDone(task=command.task)
    if waiting := still_to_accept(bundle, task):
        raise TaskNotReady(task=command.task, waits_for=waiting)
    parts = served(bundle, task)
    if not parts:
        raise TaskDone(task=command.task)
    inspectors = tuple(dict.fromkeys(name.strip() for name in command.inspectors if says_something(name)))
    if len(inspectors) < FEWEST_INSPECTORS:
        raise TwoInspectors(inspectors=inspectors)
    not_before(circumstances, task.ready_at)
    assert bundle.applicant is not None
    passed = command.result is Opinion.PASS
    return [
        e.JointInspectionDone(
            task=command.task,
            cases=tuple(part.plan.case_id for part in parts),
            inspectors=inspectors,
            result=command.result,
            applicant=bundle.applicant,
            text=command.text,
            clocks=running(bundle, today(circumstances), clock_of(task)) if passed else (),
        )
    ]


def send_notice(
    _: SendCorrectionNotice, circumstances: Circumstances, bundle: Bundle, facts: Facts
) -> list[BundleEvent]:
    """合并补正告知 now, for what was noted so far."""
    sent = list(notice(bundle, today(circumstances), facts.calendar))
    if not sent and not bundle.asked:
        raise NoDefectsNoted(number=bundle.number)
    return list(sent)


def send_due_notice(_: SendDueNotice, circumstances: Circumstances, bundle: Bundle, facts: Facts) -> list[BundleEvent]:
    """合并补正告知 on the last day of R1, or nothing where it was sent or everything was accepted."""
    return list(notice(bundle, today(circumstances), facts.calendar))


def submit_correction(
    command: SubmitBundleCorrection, circumstances: Circumstances, bundle: Bundle, facts: Facts
) -> list[BundleEvent]:
    """合并补正: all that the notice named, at once; each sub-case gets its share."""
    parts = [part for part in bundle.parts.values() if part.asked and not part.decided]
    if not parts:
        raise NoCorrectionAsked(number=bundle.number)
    day = today(circumstances)
    clock = bundle.clocks.get(APPLICANT_CORRECTION)
    if clock is not None and clock.stopped is None and clock.due < day:
        raise CorrectionTooLate(due=clock.due)
    brought = _brought(command, bundle, facts)
    wanted = {asked_name(part, material) for part in parts for material in part.asked}
    if remaining := sorted(wanted - brought.keys()):
        raise DefectsRemain(materials=remaining)
    assert bundle.applicant is not None
    return [
        e.BundleCorrected(
            parts=tuple(_share(part, brought) for part in parts),
            applicant=bundle.applicant,
            evidence=tuple(brought.values()),
            form=command.form,
            clocks=running(bundle, day, APPLICANT_CORRECTION),
        )
    ]


def _brought(command: SubmitBundleCorrection, bundle: Bundle, facts: Facts) -> dict[str, Evidence]:
    known = {
        material.asked_as or material.material for part in bundle.parts.values() for material in part.plan.materials
    }
    names = [material.material for material in command.materials]
    definition = bundle.definition.id if bundle.definition else ""
    if unknown := sorted(set(names) - known):
        raise UnknownMaterial(item=definition, materials=unknown)
    if len(set(names)) != len(names):
        raise MaterialRepeated(item=definition, materials=sorted({name for name in names if names.count(name) > 1}))
    claimed = (evidence_of(material) for material in command.materials)
    return {found.material: found for found in (*claimed, *facts.evidence)}


def _share(part: Part, brought: Mapping[str, Evidence]) -> e.PartCorrection:
    evidence = tuple(replace(brought[asked_name(part, name)], material=name) for name in part.asked)
    return e.PartCorrection(part.plan.case_id, evidence, part.plan.withheld_fields)


def extend_deadline(
    command: ExtendBundleDeadline, circumstances: Circumstances, bundle: Bundle, facts: Facts
) -> list[BundleEvent]:
    """延长: once, by no more than the law allows, before the time is up, with a reason."""
    clock = bundle.clocks.get(JOINT)
    if clock is None:
        raise NotAccepted(number=bundle.number)
    most = JOINT_EXTENSION.limit.value
    if not 0 < command.working_days <= most or not says_something(command.reason):
        raise ExtensionNotAllowed(working_days=command.working_days, most=most)
    if bundle.extended:
        raise AlreadyExtended(number=bundle.number)
    if clock.stopped is not None or clock.due < today(circumstances):
        raise TooLateToExtend(due=clock.due)
    assert bundle.applicant is not None
    added = Extension(Limit(command.working_days, Unit.WORKING_DAY), JOINT_EXTENSION.basis)
    return [
        e.BundleDeadlineExtended(
            working_days=command.working_days,
            approved_by=circumstances.actor.id,
            applicant=bundle.applicant,
            reason=command.reason,
            clocks=(extend_clock(clock, added, facts.calendar),),
        )
    ]


def recompute_deadlines(
    _: RecomputeBundleDeadlines, circumstances: Circumstances, bundle: Bundle, facts: Facts
) -> list[BundleEvent]:
    """The running deadlines by the calendar in force, or nothing where it changes none."""
    renewed = (recompute(clock, facts.calendar) for clock in bundle.clocks.values() if clock.stopped is None)
    changed = tuple(clock for clock in renewed if clock != bundle.clocks[clock.name])
    return [e.BundleDeadlinesRecomputed(clocks=changed)] if changed else []


def withdraw(command: WithdrawBundle, circumstances: Circumstances, bundle: Bundle, facts: Facts) -> list[BundleEvent]:
    """撤回 of all that is not decided."""
    if bundle.withdrawn:
        return []
    if bundle.decided or bundle.completed:
        raise NothingToWithdraw(number=bundle.number)
    not_before(circumstances, bundle.submitted_at)
    assert bundle.applicant is not None
    return [e.BundleWithdrawn(applicant=bundle.applicant, reason=command.reason)]


Decide = Callable[[Any, Circumstances, Bundle, Facts], Sequence[BundleEvent]]

DECISIONS: Mapping[type, Decide] = {
    NoteSubCase: note_sub_case,
    RecordBundleInspection: record_inspection,
    SendCorrectionNotice: send_notice,
    SendDueNotice: send_due_notice,
    SubmitBundleCorrection: submit_correction,
    ExtendBundleDeadline: extend_deadline,
    RecomputeBundleDeadlines: recompute_deadlines,
    WithdrawBundle: withdraw,
}


def decide(command: BundleCommand, circumstances: Circumstances, bundle: Bundle, facts: Facts) -> list[BundleEvent]:
    """What a command to a filed bundle leads to, with all that follows from it. Raises DomainError."""
    if bundle.applicant is None:
        raise UnknownBundle(bundle_id=command.bundle_id)
    events = list(DECISIONS[command.__class__](command, circumstances, bundle, facts))
    if not events:
        return []
    at = circumstances.effective_at
    return [*events, *follow(evolve_all(bundle, events, at), at, facts.calendar)]
