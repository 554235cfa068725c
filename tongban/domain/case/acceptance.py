"""Acceptance: 受理, 视为受理, 不予受理, and the materials that come before or, tolerated, after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.commands import (
    AcceptApplication,
    CorrectOnSpot,
    DeemAccepted,
    Defect,
    NotifyDefects,
    ObtainMaterial,
    RefuseAcceptance,
    RequestCorrection,
    SubmitCorrection,
    SupplementMaterial,
)
from tongban.domain.case.events import (
    AcceptanceRefused,
    ApplicationAccepted,
    CaseClosed,
    CaseDeemedAccepted,
    CaseEvent,
    CorrectionRequested,
    CorrectionSubmitted,
    DefectsNoted,
    ErrorCorrectedOnSpot,
    ExemptionFailed,
    FeeRequested,
    MaterialExempted,
    MaterialSupplemented,
    Result,
)
from tongban.domain.case.guards import (
    APPLICANT_CORRECTION,
    CORRECTION,
    LEGAL,
    PROMISED,
    TOLERATED,
    CaseFacts,
    answer_term,
    applicant_of,
    clock,
    in_review,
    limit_of,
    named_limit,
    not_before,
    not_claimed_by_other,
    offered,
    overdue,
    stopped,
    today,
)
from tongban.domain.case.refusals import (
    AcceptedByLaw,
    AlreadyAccepted,
    AlreadyCorrected,
    ApplicantBarred,
    AskedForExempt,
    AskedOutsideGuide,
    CaseClosedAlready,
    CorrectionOutstanding,
    CorrectionTooLate,
    DefectsRemain,
    DefectsRequired,
    MaterialsMissing,
    NoCorrectionAsked,
    NotASourceMaterial,
    NothingToSupplement,
    NotReceived,
    NotTolerable,
    ReasonAndRemedyRequired,
    SameGrounds,
)
from tongban.domain.case.state import MAIN, Case, Status
from tongban.domain.clock import Clock
from tongban.domain.office_time import office_day
from tongban.domain.personal import PersonalObject
from tongban.domain.recorded import Evidence
from tongban.domain.rules import CORRECTION_BY_APPLICANT, RULE_DEEMED_ACCEPTED
from tongban.domain.wording import says_something

_FROM_SOURCES = frozenset({"E_LICENCE", "DATA_SHARING"})


def accept_application(
    command: AcceptApplication, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """受理. The statutory clock starts here (行政许可法 art. 42).

    After the 5 days of R1 the law has accepted already: then that is what is recorded, and since when.
    """
    if case.accepted_at is not None:
        return []
    _can_be_accepted(case)
    not_claimed_by_other(case, MAIN, circumstances, facts)
    if circumstances.by_law or is_accepted_by_law(case, office_day(circumstances.now), today(circumstances)):
        return _deemed(case, facts)
    if case.barred_until is not None:
        raise ApplicantBarred(until=case.barred_until)
    not_before(circumstances, case.received_at)
    missing = missing_materials(case)
    tolerable = _tolerable(case, missing)
    if refused := sorted(set(command.tolerate) - tolerable):
        raise NotTolerable(materials=refused)
    if rest := [material for material in missing if material not in command.tolerate]:
        raise MaterialsMissing(materials=rest, tolerable=sorted(tolerable))
    day = today(circumstances)
    clocks = _decision_clocks(case, day, facts)
    tolerated = tuple(material for material in missing if material in command.tolerate)
    if tolerated and (term := named_limit(case.terms, "tolerant")):
        clocks += (clock(TOLERATED, term, day, facts),)
    return [
        ApplicationAccepted(
            accepted_by=circumstances.actor.id, tolerated=tolerated, clocks=(*stopped(case, day, CORRECTION), *clocks)
        ),
        *_fee(case),
    ]


def deem_accepted(_: DeemAccepted, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """视为受理, once the 5 days of R1 have passed without a notice; before, or when it was accepted, nothing.

    Nothing either where the bundle's one notice is on its way here: the applicant was told.
    """
    if case.status is not Status.RECEIVED or not overdue(case, CORRECTION, office_day(circumstances.now)):
        return []
    if facts.told_in_bundle:
        return []
    return _deemed(case, facts)


def is_accepted_by_law(case: Case, now: date, day: date) -> bool:
    """Whether an act that is recorded `now` and takes effect on `day` comes after the law accepted the case."""
    return case.status is Status.RECEIVED and overdue(case, CORRECTION, day) and now >= day


def _deemed(case: Case, facts: CaseFacts) -> list[CaseEvent]:
    assert case.received_on is not None  # received, or it could not be overdue
    received_on = case.received_on
    clocks = (*stopped(case, case.clocks[CORRECTION].due, CORRECTION), *_decision_clocks(case, received_on, facts))
    return [CaseDeemedAccepted(rule=RULE_DEEMED_ACCEPTED, clocks=clocks), *_fee(case)]


def _can_be_accepted(case: Case) -> None:
    if case.status is Status.SUBMITTED:
        raise NotReceived(number=case.number)
    if case.status is Status.CORRECTING:
        raise CorrectionOutstanding(materials=case.asked)
    if case.status is not Status.RECEIVED:
        raise CaseClosedAlready(number=case.number)


def _decision_clocks(case: Case, day: date, facts: CaseFacts) -> tuple[Clock, ...]:
    terms = ((LEGAL, named_limit(case.terms, "legal")), (PROMISED, named_limit(case.terms, "promised")))
    return tuple(clock(name, term, day, facts) for name, term in terms if term is not None)


def _fee(case: Case) -> list[CaseEvent]:
    fee = case.terms.get("fee")
    if fee is None or fee["amount"] is None:
        return []
    return [FeeRequested(fee["amount"], fee["currency"], fee.get("basis") or "")]


def missing_materials(case: Case) -> tuple[str, ...]:
    """What this applicant needs and is not met; a signed commitment meets what its item lets it."""
    listed = case.terms.get("materials", {})
    return tuple(
        material
        for material in case.needed
        if material not in case.met and not (case.committed and listed[material]["exempt_by"] == "COMMITMENT")
    )


def _tolerable(case: Case, missing: Sequence[str]) -> set[str]:
    if not case.terms.get("tolerant"):
        return set()
    listed = case.terms.get("materials", {})
    return {material for material in missing if listed[material]["necessity"] == "TOLERABLE"}


def refuse_acceptance(
    command: RefuseAcceptance, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """不予受理, with reason and remedy: an act of its own, which a window may not put in the place of receiving."""
    if case.result is Result.NOT_ACCEPTED:
        return []
    if case.accepted_at is not None:
        raise AlreadyAccepted(number=case.number)
    if case.status is Status.SUBMITTED:
        raise NotReceived(number=case.number)
    if case.status not in (Status.RECEIVED, Status.CORRECTING):
        raise CaseClosedAlready(number=case.number)
    if not says_something(command.reason) or not says_something(command.remedy):
        raise ReasonAndRemedyRequired
    _not_accepted_by_law(case, circumstances)
    not_claimed_by_other(case, MAIN, circumstances, facts)
    not_before(circumstances, case.latest)
    refused = AcceptanceRefused(
        refused_by=circumstances.actor.id,
        applicant=applicant_of(case),
        reason=command.reason,
        remedy=command.remedy,
    )
    return [refused, CaseClosed(Result.NOT_ACCEPTED)]


def _not_accepted_by_law(case: Case, circumstances: Circumstances) -> None:
    if is_accepted_by_law(case, office_day(circumstances.now), today(circumstances)):
        raise AcceptedByLaw(since=case.received_on, due=case.clocks[CORRECTION].due)


def correct_on_spot(
    command: CorrectOnSpot, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """当场更正, before acceptance: no notice is used up and no clock moves."""
    _can_be_accepted(case)
    not_before(circumstances, case.received_at)
    evidence = _evidence(command, case, facts)
    return [ErrorCorrectedOnSpot(applicant=applicant_of(case), evidence=evidence, form=command.form)]


def _evidence(
    command: CorrectOnSpot | SubmitCorrection | SupplementMaterial, case: Case, facts: CaseFacts
) -> tuple[Evidence, ...]:
    assert case.item is not None
    claimed = offered(case.terms, command.materials, case.item.id)
    found = {evidence.material: evidence for evidence in facts.evidence}
    return tuple(found.get(evidence.material, evidence) for evidence in claimed)


def request_correction(
    command: RequestCorrection, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """补正一次性告知. Before acceptance once; in review again only on other grounds."""
    names = [defect.material for defect in command.defects]
    told = all(says_something(defect.problem) for defect in command.defects)
    if not names or len(set(names)) != len(names) or not told:
        raise DefectsRequired
    if case.status is Status.SUBMITTED:
        raise NotReceived(number=case.number)
    if case.asked:
        if set(case.asked) == set(names):
            return []
        raise CorrectionOutstanding(materials=case.asked)
    _may_be_asked(case, names)
    if case.status is not Status.RECEIVED:
        return _ask_in_review(command.defects, circumstances, case, facts)
    if case.corrections:
        raise AlreadyCorrected(materials=sorted(case.asked_before))
    _not_accepted_by_law(case, circumstances)
    not_claimed_by_other(case, MAIN, circumstances, facts)
    not_before(circumstances, case.received_at)
    problems = {defect.material: defect.problem for defect in command.defects}
    if case.bundle is not None:
        if set(case.noted) == set(names):
            return []
        return [DefectsNoted(materials=tuple(names), applicant=applicant_of(case), problems=problems)]
    return [_notice(tuple(names), problems, circumstances, case, facts)]


def _notice(
    names: tuple[str, ...], problems: dict[str, str], circumstances: Circumstances, case: Case, facts: CaseFacts
) -> CorrectionRequested:
    day = today(circumstances)
    term = limit_of(case.terms, "applicant_correction", CORRECTION_BY_APPLICANT)
    return CorrectionRequested(
        materials=names,
        in_review=False,
        applicant=applicant_of(case),
        problems=problems,
        clocks=(*stopped(case, day, CORRECTION), clock(APPLICANT_CORRECTION, term, day, facts)),
    )


def _may_be_asked(case: Case, names: Sequence[str]) -> None:
    listed = case.terms.get("materials", {})
    if outside := sorted(name for name in names if name not in listed or name not in case.needed):
        raise AskedOutsideGuide(materials=outside)
    exempt = sorted(
        name
        for name in names
        if (case.met[name].how in _FROM_SOURCES if name in case.met else listed[name]["exempt_by"] in _FROM_SOURCES)
        and name not in case.failed_sources
    )
    if exempt:
        raise AskedForExempt(materials=exempt)


def _ask_in_review(
    defects: Sequence[Defect], circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    in_review(case)
    names = tuple(defect.material for defect in defects)
    if again := sorted(set(names) & case.asked_before):
        raise SameGrounds(materials=again)
    not_before(circumstances, case.accepted_at)
    return [
        CorrectionRequested(
            materials=names,
            in_review=True,
            applicant=applicant_of(case),
            problems={defect.material: defect.problem for defect in defects},
        )
    ]


def notify_defects(_: NotifyDefects, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """The bundle's one notice takes effect in this sub-case. What is wrong stands in the noted defects.

    After the 5 days of R1 it is too late for one: the law has accepted the sub-case.
    """
    by_law = is_accepted_by_law(case, office_day(circumstances.now), today(circumstances))
    if not case.noted or case.status is not Status.RECEIVED or by_law:
        return []
    return [_notice(case.noted, {}, circumstances, case, facts)]


def submit_correction(
    command: SubmitCorrection, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """补正: everything the notice named, at once. Before acceptance a new receipt is given, and R1 begins anew."""
    if not case.asked:
        raise NoCorrectionAsked(number=case.number)
    if case.status is not Status.CORRECTING:
        in_review(case)
    not_before(circumstances, case.latest)
    if overdue(case, APPLICANT_CORRECTION, today(circumstances)):
        raise CorrectionTooLate(due=case.clocks[APPLICANT_CORRECTION].due)
    evidence = _evidence(command, case, facts)
    if remaining := sorted(set(case.asked) - {found.material for found in evidence}):
        raise DefectsRemain(materials=remaining)
    return [corrected(case, evidence, command.form, circumstances, facts)]


def corrected(
    case: Case, evidence: tuple[Evidence, ...], form: PersonalObject, circumstances: Circumstances, facts: CaseFacts
) -> CorrectionSubmitted:
    """What was asked for is there; before acceptance the 5 days of R1 begin anew."""
    day = today(circumstances)
    clocks: tuple[Clock, ...] = ()
    if case.status is Status.CORRECTING:
        term = answer_term(case.terms)
        clocks = (*stopped(case, day, APPLICANT_CORRECTION), clock(CORRECTION, term, day, facts))
    return CorrectionSubmitted(applicant=applicant_of(case), evidence=evidence, form=form, clocks=clocks)


def obtain_material(
    command: ObtainMaterial, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """免于提交: what the source gave is recorded; that it gave nothing, too, against the source.

    What the applicant promised to bring and the office got itself is brought.
    """
    listed = case.terms.get("materials", {})
    if command.material not in listed:
        raise AskedOutsideGuide(materials=[command.material])
    if case.status not in (Status.RECEIVED, Status.CORRECTING):
        in_review(case)
    if listed[command.material]["exempt_by"] not in _FROM_SOURCES:
        raise NotASourceMaterial(material=command.material)
    if command.material in case.met:
        return []
    not_before(circumstances, case.accepted_at or case.received_at)
    events: list[CaseEvent] = []
    if found := tuple(evidence for evidence in facts.evidence if evidence.material == command.material):
        events.append(MaterialExempted(evidence=found))
        if command.material in case.tolerated:
            events.append(_supplemented({command.material}, (), circumstances, case))
    events += [
        ExemptionFailed(failure.material, failure.source, failure.problem)
        for failure in facts.failures
        if failure.material == command.material and command.material not in case.failed_sources
    ]
    return events


def supplement_material(
    command: SupplementMaterial, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """容缺后补: what was promised at acceptance, all or a part of it."""
    in_review(case)
    evidence = _evidence(command, case, facts)
    brought = {found.material for found in evidence}
    if not brought or brought - set(case.tolerated):
        raise NothingToSupplement(materials=sorted(brought - set(case.tolerated)))
    not_before(circumstances, case.accepted_at)
    day = today(circumstances)
    if overdue(case, TOLERATED, day):
        raise CorrectionTooLate(due=case.clocks[TOLERATED].due)
    return [_supplemented(brought, evidence, circumstances, case)]


def _supplemented(
    brought: set[str], evidence: tuple[Evidence, ...], circumstances: Circumstances, case: Case
) -> MaterialSupplemented:
    outstanding = tuple(material for material in case.tolerated if material not in brought)
    return MaterialSupplemented(
        outstanding=outstanding,
        evidence=evidence,
        clocks=() if outstanding else stopped(case, today(circumstances), TOLERATED),
    )
