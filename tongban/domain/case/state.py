"""What decisions need to know of a case, and who holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.case import events as e
from tongban.domain.clock import Clock
from tongban.domain.office_time import office_day
from tongban.domain.recorded import NO_RULES, Evidence, ItemVersion, Rules

MAIN = "main"
NOBODY = "none"
APPLICANT = "applicant"


class Status(StrEnum):
    """Where a case stands (办件状态). SUBMITTED: on its way by post; RECEIVED: waits for acceptance."""

    NOT_FILED = "NOT_FILED"
    SUBMITTED = "SUBMITTED"
    RECEIVED = "RECEIVED"
    CORRECTING = "CORRECTING"
    ACCEPTED = "ACCEPTED"
    REVIEWING = "REVIEWING"
    GRANTED = "GRANTED"
    DENIED = "DENIED"
    ISSUING = "ISSUING"
    ENDING = "ENDING"
    CLOSED = "CLOSED"
    ARCHIVED = "ARCHIVED"


BEFORE_ACCEPTANCE = frozenset({Status.SUBMITTED, Status.RECEIVED, Status.CORRECTING})
IN_REVIEW = frozenset({Status.ACCEPTED, Status.REVIEWING})
DECIDED = frozenset({Status.GRANTED, Status.DENIED, Status.ISSUING, Status.CLOSED, Status.ARCHIVED})
OVER = frozenset({Status.CLOSED, Status.ARCHIVED})


class Fee(StrEnum):
    """What is due of the fee."""

    NONE = "NONE"
    ASKED = "ASKED"
    PAID = "PAID"
    REFUNDED = "REFUNDED"


class Suspension(NamedTuple):
    """One special procedure: from `start` (not counted) to `end` (counted), None while it runs; `declared` is in wd.

    `held_on` is the day of a hearing.
    """

    branch: str | None
    kind: e.Procedure
    start: date
    end: date | None
    declared: int
    held_on: date | None = None


class Hearing(StrEnum):
    """How far it came to a hearing (听证)."""

    NONE = "NONE"
    OFFERED = "OFFERED"
    REQUESTED = "REQUESTED"


class Case(NamedTuple):
    """A case as decisions see it.

    `opinions` maps each branch that spoke to its opinion and when it took effect; `latest` is when the last step that
    later ones rest on took effect; `met` maps each material to how it is met.
    """

    status: Status = Status.NOT_FILED
    number: str = ""
    item: ItemVersion | None = None
    lead: str = ""
    branches: tuple[str, ...] = ()
    promised: bool = False
    licence_type: str | None = None
    applicant: UUID | None = None
    terms: Mapping[str, Any] = MappingProxyType({})
    needed: tuple[str, ...] = ()
    inspection: bool = False
    delivery: e.Means = e.Means.ONLINE
    district: str | None = None
    bundle: UUID | None = None
    gates: tuple[e.Gate, ...] = ()
    renews: UUID | None = None
    renews_until: date | None = None
    barred_until: date | None = None
    submitted_at: datetime | None = None
    received_at: datetime | None = None
    received_on: date | None = None
    met: Mapping[str, Evidence] = MappingProxyType({})
    failed_sources: frozenset[str] = frozenset()
    pre_checked: bool = False
    noted: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    asked_before: frozenset[str] = frozenset()
    corrections: int = 0
    corrections_in_review: int = 0
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    tolerated: tuple[str, ...] = ()
    claims: Mapping[str, str] = MappingProxyType({})
    opinions: Mapping[str, tuple[e.Opinion, datetime]] = MappingProxyType({})
    reviewers: frozenset[str] = frozenset()
    consults: Mapping[str, bool] = MappingProxyType({})
    scheduled: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    inspections: Mapping[str, e.Opinion] = MappingProxyType({})
    suspensions: tuple[Suspension, ...] = ()
    hearing: Hearing = Hearing.NONE
    chairs: frozenset[str] = frozenset()
    extended: bool = False
    clocks: Mapping[str, Clock] = MappingProxyType({})
    calendar: str | None = None
    fee: Fee = Fee.NONE
    fee_amount: str = ""
    commitment_offered: bool = False
    committed: bool = False
    latest: datetime | None = None
    decided_at: datetime | None = None
    granted: bool = False
    licence_id: UUID | None = None
    delivered: bool = False
    result: e.Result | None = None

    @property
    def outstanding(self) -> tuple[str, ...]:
        """The branches that have not spoken yet, in the item's order."""
        return tuple(branch for branch in self.branches if branch not in self.opinions)

    @property
    def failed(self) -> tuple[str, ...]:
        """The branches that are against it."""
        return tuple(branch for branch, (opinion, _) in self.opinions.items() if opinion is e.Opinion.FAIL)

    @property
    def uninspected(self) -> tuple[str, ...]:
        """The branches whose inspection is needed and not passed, when a decision needs one.

        That of the lead department is enough, unless another branch's failed. Who promised is not waited for, but an
        inspection that has failed already is known.
        """
        if not self.inspection:
            return ()
        if self.committed:
            return tuple(branch for branch, result in self.inspections.items() if result is e.Opinion.FAIL)
        if self.inspections.get(self.lead) is e.Opinion.PASS:
            return tuple(branch for branch, result in self.inspections.items() if result is e.Opinion.FAIL)
        return tuple(branch for branch in self.branches if self.inspections.get(branch) is not e.Opinion.PASS)

    @property
    def suspended(self) -> tuple[Suspension, ...]:
        """The special procedures that run now."""
        return tuple(suspension for suspension in self.suspensions if suspension.end is None)

    @property
    def unpaid(self) -> bool:
        """Whether the item has a fee that is not paid, asked for or not."""
        return self.fee is Fee.ASKED or (self.fee is Fee.NONE and bool(self.terms.get("fee")))

    @property
    def licence_issued(self) -> bool:
        """Whether the licence of the grant is made."""
        return self.licence_id is not None

    def waits_for(self, step: e.Step) -> tuple[str, ...]:
        """The gates that hold back a step."""
        return tuple(gate.name for gate in self.gates if gate.holds is step)


def _later(case: Case, at: datetime) -> datetime:
    return at if case.latest is None or at > case.latest else case.latest


def _clocks(case: Case, changed: tuple[Clock, ...]) -> dict[str, Any]:
    """The fields that the clocks of an event change."""
    if not changed:
        return {}
    clocks = {**case.clocks, **{clock.name: clock for clock in changed}}
    return {"clocks": clocks, "calendar": changed[-1].calendar}


def _met(case: Case, evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    return {**case.met, **{found.material: found for found in evidence}}


def _without(claims: Mapping[str, str], branch: str) -> Mapping[str, str]:
    return {b: officer for b, officer in claims.items() if b != branch} if branch in claims else claims


def _submitted(_: Case, event: e.ApplicationSubmitted, at: datetime) -> Case:
    return Case(
        status=Status.SUBMITTED,
        number=event.number,
        item=ItemVersion(event.item_id, event.item_version),
        lead=event.lead,
        branches=event.branches,
        promised=event.promised,
        licence_type=event.licence_type,
        applicant=event.applicant,
        terms=event.terms,
        needed=event.needed,
        inspection=event.inspection,
        delivery=event.delivery,
        district=event.district,
        bundle=event.bundle,
        gates=event.gates,
        renews=event.renews,
        renews_until=event.renews_until,
        barred_until=event.barred_until,
        submitted_at=at,
        latest=at,
        met={found.material: found for found in event.evidence},
    )


def _received(case: Case, event: e.MaterialsReceived, at: datetime) -> Case:
    changed = _clocks(case, event.clocks)
    return case._replace(status=Status.RECEIVED, received_at=at, received_on=event.received_on, latest=at, **changed)


def _pre_checked(case: Case, _: e.PreCheckPassed, __: datetime) -> Case:
    return case._replace(pre_checked=True)


def _mended(case: Case, event: e.ErrorCorrectedOnSpot | e.MaterialExempted, _: datetime) -> Case:
    return case._replace(met=_met(case, event.evidence))


def _noted(case: Case, event: e.DefectsNoted, _: datetime) -> Case:
    return case._replace(noted=event.materials)


def _asked(case: Case, event: e.CorrectionRequested, at: datetime) -> Case:
    asked_before = case.asked_before.union(event.materials)
    changed = _clocks(case, event.clocks)
    case = case._replace(asked=event.materials, asked_before=asked_before, noted=(), latest=_later(case, at), **changed)
    if event.in_review:
        return case._replace(corrections_in_review=case.corrections_in_review + 1)
    return case._replace(corrections=case.corrections + 1, status=Status.CORRECTING)


def _corrected(case: Case, event: e.CorrectionSubmitted, at: datetime) -> Case:
    changed = _clocks(case, event.clocks)
    if case.status is Status.CORRECTING:
        changed |= {"status": Status.RECEIVED, "received_at": at, "received_on": office_day(at)}
    return case._replace(asked=(), met=_met(case, event.evidence), latest=_later(case, at), **changed)


def _exemption_failed(case: Case, event: e.ExemptionFailed, _: datetime) -> Case:
    return case._replace(failed_sources=case.failed_sources | {event.material})


def _supplemented(case: Case, event: e.MaterialSupplemented, at: datetime) -> Case:
    changed = _clocks(case, event.clocks)
    met = _met(case, event.evidence)
    return case._replace(tolerated=event.outstanding, met=met, latest=_later(case, at), **changed)


def _accepted(case: Case, event: e.ApplicationAccepted, at: datetime) -> Case:
    case = case._replace(accepted_by=event.accepted_by, tolerated=event.tolerated)
    return _under_review(case, event.clocks, at)


def _deemed_accepted(case: Case, event: e.CaseDeemedAccepted, at: datetime) -> Case:
    return _under_review(case, event.clocks, at)


def _under_review(case: Case, clocks: tuple[Clock, ...], at: datetime) -> Case:
    return case._replace(
        status=Status.ACCEPTED,
        accepted_at=at,
        latest=_later(case, at),
        asked=(),
        noted=(),
        claims=_without(case.claims, MAIN),
        **_clocks(case, clocks),
    )


def _claimed(case: Case, event: e.CaseClaimed | e.CaseReassigned, _: datetime) -> Case:
    return case._replace(claims={**case.claims, event.branch: event.officer})


def _released(case: Case, event: e.CaseReleased, _: datetime) -> Case:
    return case._replace(claims=_without(case.claims, event.branch))


def _spoken(case: Case, event: e.OpinionRecorded, at: datetime) -> Case:
    return case._replace(
        status=Status.REVIEWING,
        opinions={**case.opinions, event.branch: (event.opinion, at)},
        reviewers=case.reviewers | {event.given_by},
        claims=_without(case.claims, event.branch),
        latest=_later(case, at),
    )


def _consulted(case: Case, event: e.ConsultRequested, at: datetime) -> Case:
    consults = {**case.consults, event.department: False}
    return case._replace(status=Status.REVIEWING, consults=consults, latest=_later(case, at))


def _consult_answered(case: Case, event: e.ConsultAnswered, at: datetime) -> Case:
    return case._replace(consults={**case.consults, event.department: True}, latest=_later(case, at))


def _scheduled(case: Case, event: e.InspectionScheduled, _: datetime) -> Case:
    planned = dict.fromkeys(event.branches, event.inspectors)
    return case._replace(status=Status.REVIEWING, scheduled={**case.scheduled, **planned})


def _inspected(case: Case, event: e.InspectionDone, at: datetime) -> Case:
    return case._replace(
        status=Status.REVIEWING,
        inspections={**case.inspections, **dict.fromkeys(event.branches, event.result)},
        scheduled={branch: who for branch, who in case.scheduled.items() if branch not in event.branches},
        latest=_later(case, at),
    )


def _suspended(case: Case, event: e.SpecialProcedureStarted, at: datetime) -> Case:
    begun = Suspension(event.branch, event.kind, event.on, None, event.working_days, event.held_on)
    changed = _clocks(case, event.clocks)
    return case._replace(
        status=Status.REVIEWING,
        suspensions=(*case.suspensions, begun),
        chairs=case.chairs | {event.chair} if event.chair else case.chairs,
        latest=_later(case, at),
        **changed,
    )


def _resumed(case: Case, event: e.SpecialProcedureEnded, at: datetime) -> Case:
    suspensions = tuple(
        found._replace(end=event.on) if found.end is None and found.branch == event.branch else found
        for found in case.suspensions
    )
    return case._replace(suspensions=suspensions, latest=_later(case, at), **_clocks(case, event.clocks))


def _hearing_offered(case: Case, event: e.HearingOffered, at: datetime) -> Case:
    return case._replace(hearing=Hearing.OFFERED, latest=_later(case, at), **_clocks(case, event.clocks))


def _hearing_requested(case: Case, event: e.HearingRequested, at: datetime) -> Case:
    return case._replace(hearing=Hearing.REQUESTED, latest=_later(case, at), **_clocks(case, event.clocks))


def _extended(case: Case, event: e.DeadlineExtended, at: datetime) -> Case:
    return case._replace(extended=True, latest=_later(case, at), **_clocks(case, event.clocks))


def _recomputed(case: Case, event: e.DeadlinesRecomputed, _: datetime) -> Case:
    return case._replace(**_clocks(case, event.clocks))


def _fee_asked(case: Case, event: e.FeeRequested, _: datetime) -> Case:
    return case._replace(fee=Fee.ASKED, fee_amount=event.amount)


def _fee_paid(case: Case, _: e.FeePaid, __: datetime) -> Case:
    return case._replace(fee=Fee.PAID)


def _fee_refunded(case: Case, _: e.FeeRefunded, __: datetime) -> Case:
    return case._replace(fee=Fee.REFUNDED)


def _commitment_offered(case: Case, _: e.CommitmentOffered, __: datetime) -> Case:
    return case._replace(commitment_offered=True)


def _committed(case: Case, _: e.CommitmentSigned, at: datetime) -> Case:
    return case._replace(committed=True, latest=_later(case, at))


def _uncommitted(case: Case, _: e.CommitmentWithdrawn, at: datetime) -> Case:
    return case._replace(committed=False, latest=_later(case, at))


def _gate_opened(case: Case, event: e.GateOpened, _: datetime) -> Case:
    return case._replace(gates=tuple(gate for gate in case.gates if gate.name != event.gate))


def _granted(case: Case, event: e.ApprovalGranted | e.ApprovalDeemedGranted, at: datetime) -> Case:
    return case._replace(
        status=Status.GRANTED, decided_at=at, granted=True, claims={}, latest=_later(case, at),
        result=e.Result.GRANTED, **_clocks(case, event.clocks),
    )  # fmt: skip


def _denied(case: Case, event: e.ApprovalDenied, at: datetime) -> Case:
    return case._replace(
        status=Status.DENIED, decided_at=at, claims={}, latest=_later(case, at),
        result=e.Result.DENIED, **_clocks(case, event.clocks),
    )  # fmt: skip


def _issued(case: Case, event: e.LicenceIssued, at: datetime) -> Case:
    return case._replace(status=Status.ISSUING, licence_id=event.licence_id, latest=_later(case, at))


def _delivered(case: Case, event: e.LicenceDelivered, at: datetime) -> Case:
    return case._replace(latest=_later(case, at), delivered=True, **_clocks(case, event.clocks))


def _ending(result: e.Result) -> Callable[[Case, Any, datetime], Case]:
    """The case comes to this end; a fee that was paid goes back before it is closed."""

    def evolve(case: Case, _: Any, at: datetime) -> Case:
        return case._replace(status=Status.ENDING, result=result, claims={}, latest=_later(case, at))

    return evolve


def _condition_failed(case: Case, event: e.ConditionFailed, at: datetime) -> Case:
    return case._replace(status=Status.ENDING, result=event.result, claims={}, latest=_later(case, at))


def _closed(case: Case, event: e.CaseClosed, _: datetime) -> Case:
    return case._replace(status=Status.CLOSED, result=event.result, claims={})


def _archived(case: Case, _: e.CaseArchived, __: datetime) -> Case:
    return case._replace(status=Status.ARCHIVED)


def _unchanged(case: Case, _: Any, __: datetime) -> Case:
    return case


_EVOLVE: Mapping[type, Callable[[Case, Any, datetime], Case]] = {
    e.ApplicationSubmitted: _submitted,
    e.MaterialsReceived: _received,
    e.PreCheckPassed: _pre_checked,
    e.PreCheckReturned: _unchanged,
    e.ErrorCorrectedOnSpot: _mended,
    e.DefectsNoted: _noted,
    e.CorrectionRequested: _asked,
    e.CorrectionSubmitted: _corrected,
    e.MaterialExempted: _mended,
    e.ExemptionFailed: _exemption_failed,
    e.MaterialSupplemented: _supplemented,
    e.ApplicationAccepted: _accepted,
    e.CaseDeemedAccepted: _deemed_accepted,
    e.AcceptanceRefused: _ending(e.Result.NOT_ACCEPTED),
    e.CaseClaimed: _claimed,
    e.CaseReleased: _released,
    e.CaseReassigned: _claimed,
    e.OpinionRecorded: _spoken,
    e.ConsultRequested: _consulted,
    e.ConsultAnswered: _consult_answered,
    e.InspectionScheduled: _scheduled,
    e.InspectionDone: _inspected,
    e.SpecialProcedureStarted: _suspended,
    e.SpecialProcedureEnded: _resumed,
    e.HearingOffered: _hearing_offered,
    e.HearingRequested: _hearing_requested,
    e.DeadlineExtended: _extended,
    e.DeadlinesRecomputed: _recomputed,
    e.FeeRequested: _fee_asked,
    e.FeePaid: _fee_paid,
    e.FeeRefunded: _fee_refunded,
    e.CommitmentOffered: _commitment_offered,
    e.CommitmentSigned: _committed,
    e.CommitmentWithdrawn: _uncommitted,
    e.GateOpened: _gate_opened,
    e.ApprovalGranted: _granted,
    e.ApprovalDeemedGranted: _granted,
    e.ApprovalDenied: _denied,
    e.LicenceIssued: _issued,
    e.LicenceDelivered: _delivered,
    e.ApplicationWithdrawn: _ending(e.Result.WITHDRAWN),
    e.CaseLapsed: _ending(e.Result.LAPSED),
    e.ConditionFailed: _condition_failed,
    e.CaseClosed: _closed,
    e.CaseArchived: _archived,
}


def evolve(case: Case, event: e.CaseEvent, at: datetime) -> Case:
    """The case after an event that took effect at `at`."""
    return _EVOLVE[event.__class__](case, event, at)


def holders(case: Case) -> Mapping[str, str]:
    """Who holds each branch now (持有方): the applicant, the lead department, or side by side the open branches."""
    match case.status:
        case Status.NOT_FILED | Status.CLOSED | Status.ARCHIVED:
            return {MAIN: NOBODY}
        case Status.SUBMITTED | Status.CORRECTING:
            return {MAIN: APPLICANT}
        case Status.ACCEPTED | Status.REVIEWING:
            return _holders_in_review(case)
        case Status.GRANTED if case.fee is Fee.ASKED:
            return {MAIN: APPLICANT}
        case _:
            return {MAIN: f"dept:{case.lead}"}


def _holders_in_review(case: Case) -> Mapping[str, str]:
    stopped = {found.branch: f"suspended:{found.kind}" for found in case.suspended} if case.suspensions else {}
    whole = stopped.get(None)
    held = {branch: whole or stopped.get(branch) or f"dept:{branch}" for branch in case.outstanding}
    for department, answered in case.consults.items():
        if not answered:
            held.setdefault(f"consult:{department}", f"dept:{department}")
    if case.asked or (case.tolerated and not held):
        held[MAIN] = APPLICANT
    if not held:
        held[MAIN] = whole or next(iter(stopped.values()), f"dept:{case.lead}")
    return held


def rules(case: Case) -> Rules:
    """The item version the case was filed under, and the calendar its deadlines were last reckoned by."""
    return Rules(item=case.item, calendar=case.calendar) if case.item else NO_RULES


def correlation(case: Case) -> UUID | None:
    """The bundle the case was filed in, if it was."""
    return case.bundle


CASE = Aggregate(
    category="case",
    events=get_args(e.CaseEvent),
    initial=Case(),
    evolve=evolve,
    holders=holders,
    rules=rules,
    correlation=correlation,
)
