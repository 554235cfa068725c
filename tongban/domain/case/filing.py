"""Filing: 申请, 收件 and 预审. The receipt is given with the filing; only what comes by post is received later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from tongban.domain.aggregate import Circumstances
from tongban.domain.calendar.state import Calendar
from tongban.domain.case.commands import FileSubCase, PassPreCheck, ReceiveMaterials, ReturnPreCheck, SubmitApplication
from tongban.domain.case.events import (
    ApplicationSubmitted,
    CaseEvent,
    Channel,
    CommitmentOffered,
    MaterialsReceived,
    Means,
    PreCheckPassed,
    PreCheckReturned,
)
from tongban.domain.case.guards import CORRECTION, CaseFacts, answer_term, applicant_of, not_before, offered
from tongban.domain.case.refusals import (
    AlreadyAccepted,
    ApplicantNotRegistered,
    ApplicantNotServed,
    CaseClosedAlready,
    CorrectionOutstanding,
    DeliveryNotOffered,
    ItemNotPublished,
    NotReceived,
    NotRenewable,
)
from tongban.domain.case.state import Case, Status
from tongban.domain.catalogue.guide import inspected, needed_materials
from tongban.domain.catalogue.item import ItemDefinition
from tongban.domain.catalogue.state import Item
from tongban.domain.clock import Limit, start_clock
from tongban.domain.licence.state import Licence, LicenceStatus
from tongban.domain.office_time import OFFICE_TIME, office_day
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party
from tongban.domain.recorded import Evidence
from tongban.domain.rules import RENEWAL_IN_TIME

END_OF_DAY = 24


class FilingFacts(NamedTuple):
    """What other streams say at filing: the item as it is in force, the applicant, and the number the case will bear.

    `evidence` are the materials that were looked up, in the place of the applicant's own word; `renews` the licence to
    be renewed; `district` the one it is filed in; filings from the hour `cut_off` on count for the next working day.
    """

    item: Item
    applicant: Party
    number: str
    calendar: Calendar = Calendar()
    evidence: tuple[Evidence, ...] = ()
    renews: Licence | None = None
    district: str | None = None
    cut_off: int = END_OF_DAY


def submit_application(
    command: SubmitApplication, circumstances: Circumstances, case: Case, facts: FilingFacts
) -> list[CaseEvent]:
    """File an application under the item version in force."""
    item = _served(command, facts)
    claimed = offered(item.terms, command.materials, item.id)
    if command.delivery is not None and command.delivery not in item.terms["delivery"]:
        raise DeliveryNotOffered(delivery=command.delivery, offered=item.terms["delivery"])
    met = {evidence.material: evidence for evidence in (*claimed, *facts.evidence)}
    renews_until = _renewal(command, circumstances, item, facts)
    return _file(command, circumstances, facts, item, tuple(met.values()), renews_until=renews_until)


def file_sub_case(
    command: FileSubCase, circumstances: Circumstances, case: Case, facts: FilingFacts
) -> list[CaseEvent]:
    """File one part of a bundle, or nothing if it is filed."""
    if case.status is not Status.NOT_FILED:
        return []
    item = _served(command, facts)
    if command.promised is not None:
        item = replace(item, terms=item.terms | {"promised": _promise(command.promised, item.terms.get("promised"))})
    return _file(command, circumstances, facts, item, command.evidence, renews_until=None)


def _promise(limit: Limit, alone: Mapping[str, Any] | None) -> dict[str, Any]:
    """The promise within the bundle, on the ground of the item's own."""
    return {"value": limit.value, "unit": limit.unit, "basis": (alone or {}).get("basis")}


def _served(command: SubmitApplication | FileSubCase, facts: FilingFacts) -> ItemDefinition:
    item = facts.item.read
    if item is None:
        raise ItemNotPublished(item=command.item)
    if facts.applicant.kind is None:
        raise ApplicantNotRegistered(applicant=command.applicant)
    is_person = facts.applicant.kind is PartyKind.PERSON
    if not (item.serves & {"NATURAL_PERSON"} if is_person else item.serves - {"NATURAL_PERSON"}):
        raise ApplicantNotServed(item=item.id, applicant_kind=facts.applicant.kind)
    return item


def _file(
    command: SubmitApplication | FileSubCase,
    circumstances: Circumstances,
    facts: FilingFacts,
    item: ItemDefinition,
    evidence: tuple[Evidence, ...],
    *,
    renews_until: date | None,
) -> list[CaseEvent]:
    alone = command if isinstance(command, SubmitApplication) else None
    part = command if isinstance(command, FileSubCase) else None
    terms, needed = item.terms, needed_materials(item, command.answers)
    filed = ApplicationSubmitted(
        number=facts.number,
        item_id=item.id,
        item_version=facts.item.version,
        lead=item.lead,
        branches=item.branches,
        promised=item.promised,
        licence_type=item.licence_type,
        applicant=command.applicant,
        channel=command.channel,
        draft=alone.draft if alone else None,
        evidence=evidence,
        answers=command.answers,
        form=command.form,
        terms=terms,
        needed=tuple(name for name in terms["materials"] if name in needed),
        inspection=inspected(item, command.answers),
        delivery=_delivery(command.delivery, terms),
        district=facts.district,
        bundle=part.bundle if part else None,
        gates=part.gates if part else (),
        renews=alone.renews if alone else None,
        renews_until=renews_until,
        barred_until=_bar(facts.applicant, item.id, office_day(circumstances.effective_at)),
    )
    events: list[CaseEvent] = [filed]
    if command.channel is not Channel.POST:
        received_on = _received_on(circumstances.effective_at, facts.calendar, facts.cut_off)
        events.append(_receipt(received_on, terms, facts.calendar))
    if (commitment := terms.get("commitment")) and not facts.applicant.broken:
        within = commitment["check_within"]
        events.append(CommitmentOffered(check_within=within["value"], unit=within["unit"]))
    return events


def _bar(applicant: Party, item: str, day: date) -> date | None:
    """Until when the applicant may not file for this item, if that is still so."""
    until = applicant.bars.get(item)
    return until if until is not None and until >= day else None


def _delivery(wished: Means | None, terms: Mapping[str, Any]) -> Means:
    """As it was wished, where the item is delivered so; else online, or the first way in which it is."""
    ways = [Means(way) for way in terms["delivery"]]
    wanted = wished or Means.ONLINE
    return wanted if wanted in ways else ways[0]


def _received_on(at: datetime, calendar: Calendar, cut_off: int) -> date:
    """The office day a filing counts for: after closing time it is the next working day."""
    day = office_day(at)
    return day if at.astimezone(OFFICE_TIME).hour < cut_off else calendar.add_working_days(day, 1)


def _receipt(received_on: date, terms: Mapping[str, Any], calendar: Calendar) -> MaterialsReceived:
    limit, basis = answer_term(terms)
    return MaterialsReceived(received_on, clocks=(start_clock(CORRECTION, basis, received_on, limit, calendar),))


def _renewal(
    command: SubmitApplication, circumstances: Circumstances, item: ItemDefinition, facts: FilingFacts
) -> date | None:
    """The last day of the licence to be renewed, if the filing is in time for a deemed renewal (R10).

    A filing that is entered when the licence has expired is none, whatever day it is entered for: nobody could have
    decided on it in time, so silence says nothing.
    """
    if command.renews is None:
        return None
    licence, day = facts.renews, office_day(circumstances.effective_at)
    if (
        licence is None
        or licence.holder != command.applicant
        or licence.licence_type != item.licence_type
        or licence.status is not LicenceStatus.VALID
        or (licence.valid_to is not None and licence.valid_to < day)
    ):
        raise NotRenewable(renews=command.renews, item=item.id)
    if licence.valid_to is None:
        return None
    known_in_time = office_day(circumstances.now) <= licence.valid_to
    in_time = known_in_time and facts.calendar.working_days_between(day, licence.valid_to) >= RENEWAL_IN_TIME
    return licence.valid_to if in_time else None


def receive_materials(
    _: ReceiveMaterials, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """收件 of what came by post, or nothing if it is there."""
    if case.status is not Status.SUBMITTED:
        return []
    not_before(circumstances, case.submitted_at)
    return [_receipt(office_day(circumstances.effective_at), case.terms, facts.calendar)]


def pass_pre_check(_: PassPreCheck, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """预审通过, or nothing if it was."""
    _before_acceptance(case)
    not_before(circumstances, case.received_at)
    return [] if case.pre_checked else [PreCheckPassed()]


def return_pre_check(
    command: ReturnPreCheck, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """预审退回: advice, no decision."""
    _before_acceptance(case)
    not_before(circumstances, case.received_at)
    return [PreCheckReturned(applicant=applicant_of(case), text=command.text)]


def _before_acceptance(case: Case) -> None:
    if case.status is Status.SUBMITTED:
        raise NotReceived(number=case.number)
    if case.status is Status.CORRECTING:
        raise CorrectionOutstanding(materials=case.asked)
    if case.accepted_at is not None:
        raise AlreadyAccepted(number=case.number)
    if case.status is not Status.RECEIVED:
        raise CaseClosedAlready(number=case.number)
