"""What each command leads to. One function per command: guards first, then the events; `[]` means it is so already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import assert_never
from uuid import UUID

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.commands import (
    AcceptApplication,
    CaseCommand,
    DenyApproval,
    GrantApproval,
    How,
    IssueLicence,
    MaterialOffered,
    RecordOpinion,
    SubmitApplication,
)
from tongban.domain.case.events import (
    ApplicationAccepted,
    ApplicationSubmitted,
    ApprovalDenied,
    ApprovalGranted,
    CaseClosed,
    CaseEvent,
    LicenceIssued,
    OpinionRecorded,
    Result,
)
from tongban.domain.case.refusals import (
    AlreadyDecided,
    ApplicantNotRegistered,
    ApplicantNotServed,
    CaseClosedAlready,
    InvalidValidity,
    ItemNotPublished,
    LicenceAlreadyIssued,
    MaterialRepeated,
    NoLicenceResults,
    NotABranch,
    NotAccepted,
    NotGranted,
    OpinionAlreadyGiven,
    OpinionsAgainst,
    OpinionsOutstanding,
    ReasonAndRemedyRequired,
    SameOfficer,
    UnknownCase,
    UnknownMaterial,
)
from tongban.domain.case.state import Case, Status
from tongban.domain.catalogue.state import Item
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.office_time import office_day
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party
from tongban.domain.recorded import Evidence


@dataclass(frozen=True, slots=True)
class FilingFacts:
    """What other streams say at filing: the item in force, the applicant, and the number the case will bear."""

    item: Item
    applicant: Party
    number: str


@dataclass(frozen=True, slots=True)
class LicenceFacts:
    """The number the licence will bear and how many whole years its type is valid (None: without end)."""

    number: str
    validity_years: int | None


def submit_application(
    command: SubmitApplication, circumstances: Circumstances, case: Case, facts: FilingFacts
) -> list[CaseEvent]:
    """File an application under the item version in force."""
    item = facts.item.read
    if item is None:
        raise ItemNotPublished(item=command.item)
    if facts.applicant.kind is None:
        raise ApplicantNotRegistered(applicant=command.applicant)
    is_person = facts.applicant.kind is PartyKind.PERSON
    if not (item.serves & {"NATURAL_PERSON"} if is_person else item.serves - {"NATURAL_PERSON"}):
        raise ApplicantNotServed(item=item.id, applicant_kind=facts.applicant.kind)
    offered = [material.material for material in command.materials]
    if unknown := sorted(set(offered) - item.materials):
        raise UnknownMaterial(item=item.id, materials=unknown)
    if len(set(offered)) != len(offered):
        raise MaterialRepeated(item=item.id, materials=sorted({name for name in offered if offered.count(name) > 1}))
    return [
        ApplicationSubmitted(
            number=facts.number,
            item_id=item.id,
            item_version=facts.item.version,
            lead=item.lead,
            branches=item.branches,
            promised=item.promised,
            licence_type=item.licence_type,
            applicant=command.applicant,
            channel=command.channel,
            draft=command.draft,
            evidence=tuple(_evidence(material) for material in command.materials),
            answers=command.answers,
            form=command.form,
        )
    ]


def _evidence(offered: MaterialOffered) -> Evidence:
    from_applicant = offered.how in (How.UPLOAD, How.FORM_PREFILL, How.COMMITMENT, How.ONLINE_AUTHORISATION)
    return Evidence(
        material=offered.material,
        how=offered.how,
        source="applicant" if from_applicant else None,
        source_version=None,
        ref=offered.ref,
    )


def decide(
    command: CaseCommand, circumstances: Circumstances, case: Case, facts: LicenceFacts | None = None
) -> list[CaseEvent]:
    """What a command to a filed case leads to."""
    if case.status is Status.NOT_FILED:
        raise UnknownCase(case_id=command.case_id)
    match command:
        case AcceptApplication():
            return accept_application(command, circumstances, case)
        case RecordOpinion():
            return record_opinion(command, circumstances, case)
        case GrantApproval():
            return grant_approval(command, circumstances, case)
        case DenyApproval():
            return deny_approval(command, circumstances, case)
        case IssueLicence():
            assert facts is not None
            return issue_licence(command, circumstances, case, facts)
        case _:
            assert_never(command)


def accept_application(_: AcceptApplication, circumstances: Circumstances, case: Case) -> list[CaseEvent]:
    """受理. The statutory clock starts here (行政许可法 art. 42)."""
    if case.status is Status.CLOSED:
        raise CaseClosedAlready(number=case.number)
    if case.accepted_at is not None:
        return []
    _not_before(circumstances, case.submitted_at)
    return [ApplicationAccepted(accepted_by=circumstances.actor.id)]


def record_opinion(command: RecordOpinion, circumstances: Circumstances, case: Case) -> list[CaseEvent]:
    """One branch speaks, in any order."""
    if command.branch not in case.branches:
        raise NotABranch(branch=command.branch, branches=case.branches)
    if case.accepted_at is None:
        raise NotAccepted(number=case.number)
    if command.branch in case.opinions:
        given, _ = case.opinions[command.branch]
        if given is command.opinion:
            return []
        raise OpinionAlreadyGiven(branch=command.branch, opinion=given)
    if case.status is not Status.ACCEPTED:
        raise AlreadyDecided(number=case.number)
    _not_before(circumstances, case.accepted_at)
    applicant = _applicant(case)
    return [OpinionRecorded(branch=command.branch, opinion=command.opinion, applicant=applicant, text=command.text)]


def grant_approval(command: GrantApproval, circumstances: Circumstances, case: Case) -> list[CaseEvent]:
    """准予. A case whose item has no licence as its result is closed with the grant."""
    if case.granted:
        return []
    _ready_to_decide(circumstances, case)
    if case.outstanding:
        raise OpinionsOutstanding(branches=case.outstanding)
    if case.failed:
        raise OpinionsAgainst(branches=case.failed)
    granted = ApprovalGranted(decided_by=circumstances.actor.id, applicant=_applicant(case), text=command.text)
    return [granted] if case.licence_type else [granted, CaseClosed(result=Result.GRANTED)]


def deny_approval(command: DenyApproval, circumstances: Circumstances, case: Case) -> list[CaseEvent]:
    """不予. Needs reason and remedy (行政许可法 art. 38); possible once a branch is against it or all have spoken."""
    _ready_to_decide(circumstances, case)
    if not command.reason.strip() or not command.remedy.strip():
        raise ReasonAndRemedyRequired
    if case.outstanding and not case.failed:
        raise OpinionsOutstanding(branches=case.outstanding)
    return [
        ApprovalDenied(
            decided_by=circumstances.actor.id,
            applicant=_applicant(case),
            reason=command.reason,
            remedy=command.remedy,
        ),
        CaseClosed(result=Result.DENIED),
    ]


def issue_licence(
    command: IssueLicence, circumstances: Circumstances, case: Case, facts: LicenceFacts
) -> list[CaseEvent]:
    """制证: one licence for one grant."""
    if case.licence_issued:
        raise LicenceAlreadyIssued(number=case.number)
    if case.licence_type is None:
        raise NoLicenceResults(number=case.number)
    if case.status is not Status.GRANTED:
        raise NotGranted(number=case.number, state=case.status)
    _not_before(circumstances, case.decided_at)
    valid_from = command.valid_from or office_day(circumstances.effective_at)
    valid_to = command.valid_to
    if valid_to is None and facts.validity_years is not None:
        valid_to = _years_later(valid_from, facts.validity_years)
    if valid_to is not None and valid_to < valid_from:
        raise InvalidValidity(valid_from=valid_from, valid_to=valid_to)
    return [
        LicenceIssued(
            licence_id=circumstances.new_id,
            licence_type=case.licence_type,
            licence_number=facts.number,
            holder=_applicant(case),
            valid_from=valid_from,
            valid_to=valid_to,
            face=command.face,
        ),
        CaseClosed(result=Result.GRANTED),
    ]


def _ready_to_decide(circumstances: Circumstances, case: Case) -> None:
    if case.accepted_at is None:
        raise NotAccepted(number=case.number)
    if case.status is not Status.ACCEPTED:
        raise AlreadyDecided(number=case.number)
    if case.promised and circumstances.actor.id == case.accepted_by:
        raise SameOfficer(officer=circumstances.actor.id)
    latest = max((at for _, at in case.opinions.values()), default=case.accepted_at)
    _not_before(circumstances, latest)


def _not_before(circumstances: Circumstances, cause: datetime | None) -> None:
    """A late entry must not take effect before what it rests on.

    What takes effect now always may: where the clock was set back, versions say what came first, not times.
    """
    effective_at = circumstances.effective_at
    if cause is not None and effective_at < cause and effective_at != circumstances.now:
        raise EffectiveTimeBeforeCause(effective_at=effective_at, not_before=cause)


def _applicant(case: Case) -> UUID:
    assert case.applicant is not None  # every filed case has one
    return case.applicant


def _years_later(day: date, years: int) -> date:
    """The last valid day: the day before the same date `years` on; before 1 March where that year has no such date."""
    if day.year + years > date.max.year:
        raise InvalidValidity(valid_from=day, years=years)
    try:
        same_date = day.replace(year=day.year + years)
    except ValueError:  # 29 February
        same_date = date(day.year + years, 3, 1)
    return same_date - timedelta(days=1)
