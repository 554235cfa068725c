"""The commands to a case: who may give each, and the facts their decisions need.

An officer acts for a department: the lead's, a branch's, or, at a window, that of nobody in particular. An applicant
acts on an application of his own. What the system asks itself has no public door.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from tongban.commands.acting import mandate_of, named_by
from tongban.commands.handling import Asked, Handler
from tongban.domain.absence.state import ABSENCE, Absences
from tongban.domain.actor import PARTY_ROLES, Actor, Role
from tongban.domain.authority import case_district, check_window, may_act_for
from tongban.domain.bundle.state import BUNDLE, Bundle
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case import commands as c
from tongban.domain.case.acceptance import is_accepted_by_law
from tongban.domain.case.decide import decide
from tongban.domain.case.events import CaseEvent
from tongban.domain.case.filing import FilingFacts, file_sub_case, submit_application
from tongban.domain.case.guards import APPLICANT_CORRECTION, CORRECTION, CaseFacts, LicenceFacts
from tongban.domain.case.refusals import UnknownCase
from tongban.domain.case.state import CASE, MAIN, Case, Status
from tongban.domain.catalogue.decide import item_for_filing
from tongban.domain.catalogue.state import ITEM, Item
from tongban.domain.errors import OtherDepartment
from tongban.domain.ids import absence_stream, calendar_stream, item_stream, revocation_stream
from tongban.domain.licence.state import LICENCE
from tongban.domain.mandate.events import Step
from tongban.domain.office_time import OFFICE_TIME, office_day
from tongban.domain.party.state import PARTY
from tongban.domain.revocation.state import REVOCATION

Departments = Callable[[Any, Case], tuple[str, ...]]
"""Whose officers may act: the departments, none of them for an act of any window."""

_CALENDAR = (calendar_stream(),)


def _lead(_: Any, case: Case) -> tuple[str, ...]:
    return (case.lead,)


def _branch(command: Any, case: Case) -> tuple[str, ...]:
    """The department of the branch that is named; the lead's for its own part or for the whole case."""
    return (case.lead if command.branch in (MAIN, None) else command.branch,)


def _any_branch(_: Any, case: Case) -> tuple[str, ...]:
    return (case.lead, *case.branches)


def _inspecting(command: Any, case: Case) -> tuple[str, ...]:
    return (case.lead, *command.branches)


def _consulted(command: Any, _: Case) -> tuple[str, ...]:
    return (command.department,)


def _window(_: Any, __: Case) -> tuple[str, ...]:
    return ()


def _filed(asked: Asked) -> Case:
    case: Case = asked.state
    if case.status is Status.NOT_FILED:
        raise UnknownCase(case_id=asked.command.case_id)
    return case


def _may_act(asked: Asked, case: Case, departments: Departments) -> None:
    """Whether an officer's place lets him act here. Raises OtherDepartment, OtherDistrict."""
    actor = asked.circumstances.actor
    if actor.role in _UNBOUND or actor.role in PARTY_ROLES:
        return
    wanted = departments(asked.command, case)
    if wanted and actor.department not in wanted:
        raise OtherDepartment(department=", ".join(dict.fromkeys(wanted)))
    if not wanted:
        check_window(actor, city_wide=bool(case.terms.get("city_wide")), district=case.district, lead=case.lead)


_UNBOUND = frozenset({Role.SYSTEM, Role.ADMIN})  # neither has a department


def _for_applicant(step: Step) -> Callable[[Asked], Actor]:
    """Who acts for the applicant in one step: himself, who has his mandate, a clerk who helps him, the system."""

    def acting(asked: Asked) -> Actor:
        case = _filed(asked)
        assert case.applicant is not None
        assert case.item is not None
        actor = asked.circumstances.actor
        named: UUID | None = getattr(asked.command, "mandate", None)
        return may_act_for(
            actor,
            case.applicant,
            item=case.item.id,
            step=step,
            at=asked.circumstances.effective_at,
            late=asked.circumstances.is_late,
            named=named,
            mandate=mandate_of(asked, named),
        ).sign(actor)

    return acting


def _handing_over(asked: Asked) -> Actor:
    """Who hands the result over: for the office, and where an agent collects it, under the agent's mandate."""
    if asked.command.mandate is None:
        return asked.circumstances.actor
    return _for_applicant(Step.COLLECT)(asked)


def _filing_for(asked: Asked) -> Actor:
    """Who files, and for whom."""
    command: c.SubmitApplication = asked.command
    day = office_day(asked.circumstances.effective_at)
    item = asked.other(item_stream(command.item), ITEM).as_of(day).read
    actor = asked.circumstances.actor
    acting = may_act_for(
        actor,
        command.applicant,
        item=command.item,
        step=Step.FILE,
        at=asked.circumstances.effective_at,
        late=asked.circumstances.is_late,
        named=command.mandate,
        mandate=mandate_of(asked, command.mandate),
        in_person=item is not None and item.in_person,
    )
    return acting.sign(actor)


def _claimant(command: Any, case: Case) -> tuple[str, str] | None:
    """Who claimed the branch that a command is about, and the department of it."""
    branch = getattr(command, "branch", MAIN) or MAIN
    officer = case.claims.get(branch)
    return None if officer is None else (officer, case.lead if branch == MAIN else branch)


def _absence_of_claimant(command: Any, case: Case, actor: Actor) -> tuple[UUID, ...]:
    """What says whether the actor covers for who claimed the branch; nothing is read where he needs no cover."""
    claimed = _claimant(command, case)
    return () if claimed is None or claimed[0] == actor.id else (absence_stream(claimed[0]),)


def _covers(asked: Asked) -> bool:
    actor = asked.circumstances.actor
    claimed = _claimant(asked.command, asked.state)
    if claimed is None or claimed[0] == actor.id:
        return False
    absences: Absences = asked.other(absence_stream(claimed[0]), ABSENCE)
    return absences.covered_by(actor, department=claimed[1], now=asked.circumstances.now)


def _facts(asked: Asked, *, of_office: bool) -> CaseFacts:
    """What the decision may look at. Only an officer's work (`of_office`) can be that of an absent colleague."""
    return CaseFacts(
        calendar=asked.other(_CALENDAR[0], CALENDAR),
        evidence=asked.evidence,
        failures=asked.failures,
        covers=of_office and bool(asked.state.claims) and _covers(asked),
        licence=_licence_facts(asked) if asked.command.__class__ is c.IssueLicence else None,
        revoked=asked.command.__class__ is c.IssueLicence
        and asked.other(revocation_stream(asked.command.case_id), REVOCATION).ground is not None,
        told_in_bundle=asked.command.__class__ in _WHEN_TIME_IS_UP and _told_in_bundle(asked),
    )


_WHEN_TIME_IS_UP = (c.DeemAccepted, c.LapseCase)


def _bundle_too(command: Any, case: Case, actor: Actor) -> tuple[UUID, ...]:
    """What a timer looks at besides: the bundle, which may know of a notice or a correction first."""
    absence = _absence_of_claimant(command, case, actor)
    return absence if case.bundle is None else (*absence, case.bundle)


def _told_in_bundle(asked: Asked) -> bool:
    case: Case = asked.state
    if case.bundle is None:
        return False
    bundle: Bundle = asked.other(case.bundle, BUNDLE)
    part = bundle.part_of_case(asked.stream)
    if part is None:
        return False
    if case.status is Status.CORRECTING:
        return not part.asked
    told, answer = bundle.clocks.get(APPLICANT_CORRECTION), case.clocks.get(CORRECTION)
    # A notice that came too late stops nothing: the law has accepted.
    in_time = told is not None and answer is not None and told.start <= answer.due
    return in_time and bool(case.noted) and bool(part.asked)


def _licence_facts(asked: Asked) -> LicenceFacts:
    case: Case = asked.state
    if case.licence_type is None or case.status is not Status.GRANTED:  # will be refused; no number is used up
        return LicenceFacts(number="", validity_years=None)
    types = asked.desk.licence_types
    year = office_day(asked.circumstances.effective_at).year
    return LicenceFacts(
        number=types.licence_number(case.licence_type, year, asked.desk.numbers.next()),
        validity_years=types.validity_years(case.licence_type),
    )


def _submit(asked: Asked) -> list[CaseEvent]:
    command: c.SubmitApplication = asked.command
    return submit_application(command, asked.circumstances, asked.state, _filing_facts(asked, command.renews))


def _file_sub_case(asked: Asked) -> list[CaseEvent]:
    return file_sub_case(asked.command, asked.circumstances, asked.state, _filing_facts(asked, None))


def _filing_facts(asked: Asked, renews: UUID | None) -> FilingFacts:
    command: c.SubmitApplication | c.FileSubCase = asked.command
    day = office_day(asked.circumstances.effective_at)
    item = _item(asked, day)
    city_wide = item.read is not None and bool(item.read.terms["city_wide"])
    return FilingFacts(
        item=item,
        district=case_district(
            asked.circumstances.actor,
            city_wide=city_wide,
            asked=command.district,
            lead=item.read.lead if item.read else None,
        ),
        applicant=asked.other(command.applicant, PARTY),
        number=_case_number(item.read.lead, asked) if item.read else "",
        cut_off=asked.desk.cut_off,
        calendar=asked.other(_CALENDAR[0], CALENDAR),
        evidence=asked.evidence,
        renews=asked.other(renews, LICENCE) if renews is not None else None,
    )


def _item(asked: Asked, day: date) -> Item:
    """The item as in force, or for a part of a bundle in the version that was when the bundle was filed."""
    command: c.SubmitApplication | c.FileSubCase = asked.command
    item: Item = asked.other(item_stream(command.item), ITEM)
    kept = command.item_version if isinstance(command, c.FileSubCase) else None
    if kept is None:
        return item_for_filing(item, command.item, day)
    return next(Item(v.version, v.definition, v.read, (v,)) for v in item.versions if v.version == kept)


def _case_number(lead: str, asked: Asked) -> str:
    """办件编号: department, day of filing, serial. Without gaps in meaning, not in the serial."""
    day = office_day(asked.circumstances.effective_at)
    return f"{re.sub(r'[^A-Z0-9]', '', lead.upper())}-{day:%Y%m%d}-{asked.desk.numbers.next():07d}"


def _read_at_filing(command: c.SubmitApplication | c.FileSubCase) -> tuple[UUID, ...]:
    renews = getattr(command, "renews", None)
    streams = (item_stream(command.item), command.applicant, *_CALENDAR)
    return (*streams, *named_by(command)) if renews is None else (*streams, *named_by(command), renews)


def _since_receipt(asked: Asked) -> datetime | None:
    """An acceptance that the law made takes effect with the receipt (行政许可法 art. 32(4))."""
    case: Case = asked.state
    circumstances = asked.circumstances
    by_law = is_accepted_by_law(case, office_day(circumstances.now), office_day(circumstances.effective_at))
    return case.received_at if by_law else None


def _since_expiry(asked: Asked) -> datetime | None:
    """A renewal that the law made takes effect when the licence expired, after all that was done before."""
    case: Case = asked.state
    if case.renews_until is None or case.latest is None:
        return None
    expired = datetime.combine(case.renews_until + timedelta(days=1), time(), OFFICE_TIME)
    return max(expired, case.latest) if expired <= asked.circumstances.now else None


def _not_before_latest(asked: Asked) -> datetime | None:
    """What a bundle hands on takes effect with the bundle's event, unless the case has moved on meanwhile."""
    latest = asked.state.latest
    return latest if latest is not None and latest > asked.circumstances.effective_at else None


def _command(
    body: type,
    *roles: Role,
    of: Departments = _lead,
    step: Step | None = None,
    public: bool = True,
    effective: Callable[[Asked], datetime | None] | None = None,
) -> Handler:
    """A command to a filed case. `step` is what an applicant, or who acts for him, does with it."""

    def handle(asked: Asked) -> list[CaseEvent]:
        case = _filed(asked)
        _may_act(asked, case, of)
        return decide(asked.command, asked.circumstances, case, _facts(asked, of_office=step is None))

    return Handler(
        body=body,
        roles=frozenset(roles),
        aggregate=CASE,
        stream=lambda command, _: command.case_id,
        decide=handle,
        reads=lambda command: (*_CALENDAR, *named_by(command)),
        more=None if step is not None else _absence_of_claimant,
        acting=_for_applicant(step) if step is not None else None,
        public=public,
        effective=effective,
    )


def _by_system(body: type, effective: Callable[[Asked], datetime | None] | None = None) -> Handler:
    return _command(body, Role.SYSTEM, public=False, effective=effective)


# The applicant, who acts for him, or a clerk who helps him at the window (帮办).
_APPLICANT = (Role.CLERK, *sorted(PARTY_ROLES))
_REVIEW = (Role.REVIEWER, Role.HEAD)
_DECIDE = (Role.DECIDER, Role.HEAD)

CASE_HANDLERS: tuple[Handler, ...] = (
    Handler(
        body=c.SubmitApplication,
        roles=frozenset(_APPLICANT),
        aggregate=CASE,
        stream=lambda _, new_id: new_id,
        decide=_submit,
        reads=_read_at_filing,
        acting=_filing_for,
        creates=True,
    ),
    Handler(
        body=c.FileSubCase,
        roles=frozenset({Role.SYSTEM}),
        aggregate=CASE,
        stream=lambda command, _: command.case_id,
        decide=_file_sub_case,
        reads=_read_at_filing,
        creates=True,
        public=False,
    ),
    _command(c.ReceiveMaterials, Role.CLERK, Role.ACCEPTOR, of=_window),
    _command(c.PassPreCheck, Role.CLERK, Role.ACCEPTOR, Role.HEAD),
    _command(c.ReturnPreCheck, Role.CLERK, Role.ACCEPTOR, Role.HEAD),
    _command(c.CorrectOnSpot, Role.CLERK, Role.ACCEPTOR, of=_window),
    _command(c.RequestCorrection, Role.ACCEPTOR, *_REVIEW, of=_any_branch),
    _by_system(c.NotifyDefects),
    _by_system(c.PassOnCorrection, effective=_not_before_latest),
    _command(c.SubmitCorrection, *_APPLICANT, of=_window, step=Step.CORRECT),
    _command(c.ObtainMaterial, Role.CLERK, Role.ACCEPTOR, *_REVIEW, of=_any_branch),
    _command(c.SupplementMaterial, *_APPLICANT, of=_window, step=Step.CORRECT),
    _command(c.AcceptApplication, Role.ACCEPTOR, Role.HEAD, effective=_since_receipt),
    replace(_by_system(c.DeemAccepted, effective=_since_receipt), more=_bundle_too),
    _command(c.RefuseAcceptance, Role.ACCEPTOR, Role.HEAD),
    _command(c.ClaimCase, Role.ACCEPTOR, Role.REVIEWER, *_DECIDE, of=_branch),
    _command(c.ReleaseCase, Role.ACCEPTOR, Role.REVIEWER, *_DECIDE, of=_branch),
    _command(c.ReassignCase, Role.HEAD, of=_branch),
    _command(c.RecordOpinion, *_REVIEW, of=_branch),
    _command(c.RequestConsult, Role.REVIEWER, *_DECIDE),
    _command(c.AnswerConsult, *_REVIEW, of=_consulted),
    _command(c.ScheduleInspection, Role.INSPECTOR, *_REVIEW, of=_inspecting),
    _command(c.RecordInspection, Role.INSPECTOR, *_REVIEW, of=_inspecting),
    _by_system(c.RecordJointInspection),
    _command(c.StartSpecialProcedure, Role.REVIEWER, *_DECIDE, of=_branch),
    _command(c.EndSpecialProcedure, Role.REVIEWER, *_DECIDE, of=_branch),
    _command(c.OfferHearing, Role.REVIEWER, *_DECIDE),
    _command(c.RequestHearing, *_APPLICANT, of=_window, step=Step.CORRECT),
    _command(c.ExtendDeadline, Role.HEAD),
    _by_system(c.RecomputeDeadlines),
    _command(c.RequestFee, Role.CLERK, Role.REVIEWER, Role.HEAD),
    _command(c.RecordPayment, Role.CLERK, Role.ADMIN, of=_window),
    _command(c.RecordRefund, Role.CLERK, Role.HEAD, Role.ADMIN),
    _command(c.SignCommitment, *_APPLICANT, of=_window, step=Step.COMMIT),
    _command(c.WithdrawCommitment, *_APPLICANT, of=_window, step=Step.COMMIT),
    _by_system(c.OpenGate),
    _by_system(c.CloseDependant),
    _by_system(c.CloseRevoked, effective=_not_before_latest),
    _command(c.GrantApproval, *_DECIDE),
    _by_system(c.DeemRenewed, effective=_since_expiry),
    _command(c.DenyApproval, *_DECIDE),
    replace(
        _command(c.IssueLicence, Role.CLERK, *_DECIDE),
        reads=lambda command: (*_CALENDAR, revocation_stream(command.case_id)),
    ),
    replace(_command(c.ConfirmDelivery, Role.CLERK, Role.HEAD, of=_window), acting=_handing_over),
    _command(c.WithdrawApplication, *_APPLICANT, of=_window, step=Step.WITHDRAW),
    _by_system(c.WithdrawPart, effective=_not_before_latest),
    replace(_by_system(c.LapseCase), more=_bundle_too),
    _command(c.ArchiveCase, Role.CLERK, Role.HEAD, Role.ADMIN),
)
