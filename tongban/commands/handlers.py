"""One handler per command: who may give it, which streams it needs, and how their states become facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from tongban.commands.ports import Identifiers, LicenceTypes, Numbers
from tongban.domain.absence.commands import EndAbsence, RegisterAbsence
from tongban.domain.absence.decide import end_absence, register_absence
from tongban.domain.absence.state import ABSENCE
from tongban.domain.actor import APPLICANT_ROLES, CASE_OFFICER_ROLES, PARTY_ROLES, Actor, Role
from tongban.domain.aggregate import Aggregate, Circumstances
from tongban.domain.authority import NO_MANDATE, Acting, may_act_for
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.decide import import_calendar
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case.commands import (
    AcceptApplication,
    CaseCommand,
    DenyApproval,
    GrantApproval,
    IssueLicence,
    RecordOpinion,
    SubmitApplication,
)
from tongban.domain.case.decide import FilingFacts, LicenceFacts, decide, submit_application
from tongban.domain.case.refusals import UnknownCase
from tongban.domain.case.state import CASE, Case
from tongban.domain.catalogue.checks import item_id_of
from tongban.domain.catalogue.commands import DraftItem, PublishItem, WithdrawItem
from tongban.domain.catalogue.decide import draft_item, item_for_filing, publish_item, withdraw_item
from tongban.domain.catalogue.refusals import InvalidItem
from tongban.domain.catalogue.state import ITEM
from tongban.domain.errors import OtherDepartment
from tongban.domain.ids import absence_stream, calendar_stream, item_stream, rating_stream
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.licence.decide import collect_licence
from tongban.domain.licence.state import LICENCE
from tongban.domain.mandate.commands import GrantMandate, RevokeMandate
from tongban.domain.mandate.decide import GrantFacts, grant_mandate, revoke_mandate
from tongban.domain.mandate.events import Step
from tongban.domain.mandate.state import MANDATE, Mandate
from tongban.domain.office_time import office_day
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.decide import RegistrationFacts, register_party
from tongban.domain.party.state import PARTY
from tongban.domain.rating.commands import RateCase
from tongban.domain.rating.decide import rate_case
from tongban.domain.rating.state import RATING
from tongban.domain.recorded import Evidence
from tongban.domain.sharing.commands import RecordExchanges
from tongban.domain.sharing.decide import record_exchanges
from tongban.domain.sharing.state import SHARING


class Longest(NamedTuple):
    """How long what somebody may do for another can last; settings."""

    mandate_years: int = 5
    absence_days: int = 366


LONGEST = Longest()


@dataclass(frozen=True, slots=True)
class Desk:
    """What handlers draw on besides streams."""

    identifiers: Identifiers
    numbers: Numbers
    licence_types: LicenceTypes
    longest: Longest = LONGEST


class Asked(NamedTuple):
    """One command with everything its decision may look at.

    `other(stream, kind)` is the state of a stream the handler reads; `holder` who has the identifier that was named;
    `evidence` what was found out about the materials that the command claims.
    """

    command: Any
    stream: UUID
    circumstances: Circumstances
    state: Any
    other: Callable[[UUID, Aggregate[Any]], Any]
    holder: UUID | None
    desk: Desk
    evidence: tuple[Evidence, ...] = ()


def _nothing(_: Any) -> tuple[UUID, ...]:
    return ()


def _itself(asked: Asked) -> UUID:
    return asked.stream


@dataclass(frozen=True, slots=True)
class Handler:
    """How one command is handled.

    `stream(command, new id)` is the stream it decides on, `reads` the other streams its facts come from, `more(command,
    state, actor)` those that only the loaded state names (read only where it names any), `correlation` the case or
    bundle the events belong to where the state after them does not say. `acting` says who acts, with on whose behalf;
    without it nobody acts for another. `public` commands can be given over HTTP.
    """

    body: type
    roles: frozenset[Role]
    aggregate: Aggregate[Any]
    stream: Callable[[Any, UUID], UUID]
    decide: Callable[[Asked], list[Any]]
    reads: Callable[[Any], tuple[UUID, ...]] = _nothing
    more: Callable[[Any, Any, Actor], tuple[UUID, ...]] | None = None
    acting: Callable[[Asked], Actor] | None = None
    correlation: Callable[[Asked], UUID] = _itself
    creates: bool = False
    public: bool = True


def _register_party(asked: Asked) -> list[Any]:
    command: RegisterParty = asked.command
    facts = RegistrationFacts(
        party_id=asked.stream,
        holder=asked.holder,
        problem=asked.desk.identifiers.problem_with(command.identifier_kind, command.identifier),
    )
    return list(register_party(command, asked.circumstances, asked.state, facts))


def _item_of(command: PublishItem, _: UUID) -> UUID:
    if command.item is not None:
        return item_stream(item_id_of(command.item))
    if command.item_id is None:
        raise InvalidItem(at="", problem="an item, or the item_id of a draft, is required")
    return item_stream(command.item_id)


def _submit(asked: Asked) -> list[Any]:
    command: SubmitApplication = asked.command
    day = office_day(asked.circumstances.effective_at)
    item = item_for_filing(asked.other(item_stream(command.item), ITEM), command.item, day)
    facts = FilingFacts(
        item=item,
        applicant=asked.other(command.applicant, PARTY),
        number=_case_number(item.read.lead, asked) if item.read else "",
    )
    return with_evidence(submit_application(command, asked.circumstances, asked.state, facts), asked.evidence)


def with_evidence(events: Sequence[Any], found: tuple[Evidence, ...]) -> list[Any]:
    """The events with what was found out about a material in the place of what was claimed of it."""
    by_material = {evidence.material: evidence for evidence in found}
    if not by_material:
        return list(events)
    return [
        replace(event, evidence=tuple(by_material.get(claimed.material, claimed) for claimed in event.evidence))
        if hasattr(event, "evidence")
        else event
        for event in events
    ]


def _filing_for(asked: Asked) -> Actor:
    """Who files, and for whom."""
    command: SubmitApplication = asked.command
    day = office_day(asked.circumstances.effective_at)
    item = asked.other(item_stream(command.item), ITEM).as_of(day).read
    actor = asked.circumstances.actor
    acting = may_act_for(
        actor,
        command.applicant,
        item=command.item,
        step=Step.FILE,
        at=asked.circumstances.effective_at,
        named=command.mandate,
        mandate=_mandate(asked, command.mandate),
        in_person=item is not None and item.in_person,
    )
    return acting.sign(actor)


def _mandate(asked: Asked, named: UUID | None) -> Mandate:
    mandate: Mandate = asked.other(named, MANDATE) if named else NO_MANDATE
    return mandate


def _named(mandate: UUID | None) -> tuple[UUID, ...]:
    return () if mandate is None else (mandate,)


def _grant_mandate(asked: Asked) -> list[Any]:
    command: GrantMandate = asked.command
    items = {name: asked.other(item_stream(name), ITEM).read for name in command.items or ()}
    facts = GrantFacts(
        principal=asked.other(command.principal, PARTY),
        agent=asked.other(command.agent, PARTY),
        known=frozenset(name for name, item in items.items() if item is not None),
        in_person=frozenset(name for name, item in items.items() if item is not None and item.in_person),
        longest_years=asked.desk.longest.mandate_years,
    )
    return list(grant_mandate(command, asked.circumstances, facts))


def _for_principal(principal: UUID | None, actor: Actor) -> Actor:
    """A clerk who enters or ends a mandate does it for the principal; a party acts for itself."""
    return actor if actor.role in PARTY_ROLES or principal is None else Acting(principal).sign(actor)


def _register_absence(asked: Asked) -> list[Any]:
    longest = asked.desk.longest.absence_days
    return list(register_absence(asked.command, asked.circumstances, asked.state, longest_days=longest))


def _case_number(lead: str, asked: Asked) -> str:
    """办件编号: department, day of filing, serial. Without gaps in meaning, not in the serial."""
    day = office_day(asked.circumstances.effective_at)
    return f"{re.sub(r'[^A-Z0-9]', '', lead.upper())}-{day:%Y%m%d}-{asked.desk.numbers.next():07d}"


def _of_department(department: Callable[[Any, Case], str]) -> Callable[[Asked], list[Any]]:
    """A command to a case by an officer of one department: of the branch, or of the lead."""

    def handle(asked: Asked) -> list[Any]:
        case: Case = asked.state
        if case.applicant is None:
            raise UnknownCase(case_id=asked.command.case_id)
        wanted = department(asked.command, case)
        if asked.circumstances.actor.department != wanted:
            raise OtherDepartment(department=wanted)
        return list(decide(asked.command, asked.circumstances, case, _licence_facts(asked)))

    return handle


def _licence_facts(asked: Asked) -> LicenceFacts | None:
    case: Case = asked.state
    if not isinstance(asked.command, IssueLicence):
        return None
    if case.licence_type is None or case.licence_issued:  # will be refused; no number is used up
        return LicenceFacts(number="", validity_years=None)
    types = asked.desk.licence_types
    year = office_day(asked.circumstances.effective_at).year
    return LicenceFacts(
        number=types.licence_number(case.licence_type, year, asked.desk.numbers.next()),
        validity_years=types.validity_years(case.licence_type),
    )


def _lead(_: CaseCommand, case: Case) -> str:
    return case.lead


def _branch(command: RecordOpinion, _: Case) -> str:
    return command.branch


def _of_case(case_id: UUID, case: Case) -> UUID:
    """What events outside the case's own stream belong to with it: the case, or the bundle it is part of."""
    return CASE.correlation(case) or case_id


def _rating_for(asked: Asked) -> Actor:
    """Who rates, and for whom."""
    command: RateCase = asked.command
    actor = asked.circumstances.actor
    case: Case = asked.other(command.case_id, CASE)
    if case.applicant is None or case.item is None:
        return actor  # will be refused: there is no such case
    acting = may_act_for(
        actor,
        case.applicant,
        item=case.item.id,
        step=Step.RATE,
        at=asked.circumstances.effective_at,
        named=command.mandate,
        mandate=_mandate(asked, command.mandate),
    )
    return acting.sign(actor)


def _rate(asked: Asked) -> list[Any]:
    case = asked.other(asked.command.case_id, CASE)
    return list(rate_case(asked.command, asked.circumstances, asked.state, case))


def _case_command(body: type, roles: frozenset[Role], department: Callable[[Any, Case], str] = _lead) -> Handler:
    return Handler(
        body=body,
        roles=roles,
        aggregate=CASE,
        stream=lambda command, _: command.case_id,
        decide=_of_department(department),
    )


_ALL: tuple[Handler, ...] = (
    Handler(
        body=RegisterParty,
        roles=frozenset({Role.CLERK, Role.ADMIN, *PARTY_ROLES}),
        aggregate=PARTY,
        stream=lambda command, new_id: command.id or new_id,
        decide=_register_party,
        creates=True,
    ),
    Handler(
        body=DraftItem,
        roles=frozenset({Role.ADMIN}),
        aggregate=ITEM,
        stream=lambda command, _: item_stream(item_id_of(command.item)),
        decide=lambda asked: list(draft_item(asked.command, asked.state)),
        creates=True,
    ),
    Handler(
        body=PublishItem,
        roles=frozenset({Role.ADMIN}),
        aggregate=ITEM,
        stream=_item_of,
        decide=lambda asked: list(publish_item(asked.command, asked.circumstances, asked.state)),
        creates=True,
    ),
    Handler(
        body=WithdrawItem,
        roles=frozenset({Role.ADMIN}),
        aggregate=ITEM,
        stream=lambda command, _: item_stream(command.item_id),
        decide=lambda asked: list(withdraw_item(asked.command, asked.circumstances, asked.state)),
    ),
    Handler(
        body=ImportCalendar,
        roles=frozenset({Role.ADMIN}),
        aggregate=CALENDAR,
        stream=lambda _, __: calendar_stream(),
        decide=lambda asked: list(import_calendar(asked.command, asked.state)),
        creates=True,
    ),
    Handler(
        body=SubmitApplication,
        roles=frozenset({Role.CLERK, *PARTY_ROLES}),
        aggregate=CASE,
        stream=lambda _, new_id: new_id,
        decide=_submit,
        reads=lambda command: (item_stream(command.item), command.applicant, *_named(command.mandate)),
        acting=_filing_for,
        creates=True,
    ),
    _case_command(AcceptApplication, frozenset({Role.ACCEPTOR, Role.HEAD})),
    _case_command(RecordOpinion, frozenset({Role.REVIEWER, Role.HEAD}), _branch),
    _case_command(GrantApproval, frozenset({Role.DECIDER, Role.HEAD})),
    _case_command(DenyApproval, frozenset({Role.DECIDER, Role.HEAD})),
    _case_command(IssueLicence, frozenset({Role.CLERK, Role.DECIDER, Role.HEAD})),
    Handler(
        body=RateCase,
        roles=PARTY_ROLES,
        aggregate=RATING,
        stream=lambda command, _: rating_stream(command.case_id),
        decide=_rate,
        reads=lambda command: (command.case_id, *_named(command.mandate)),
        acting=_rating_for,
        correlation=lambda asked: _of_case(asked.command.case_id, asked.other(asked.command.case_id, CASE)),
        creates=True,
    ),
    Handler(
        body=GrantMandate,
        roles=frozenset({Role.CLERK, *APPLICANT_ROLES}),
        aggregate=MANDATE,
        stream=lambda _, new_id: new_id,
        decide=_grant_mandate,
        reads=lambda command: (command.principal, command.agent, *map(item_stream, command.items or ())),
        acting=lambda asked: _for_principal(asked.command.principal, asked.circumstances.actor),
        creates=True,
    ),
    Handler(
        body=RevokeMandate,
        roles=frozenset({Role.CLERK, *PARTY_ROLES}),
        aggregate=MANDATE,
        stream=lambda command, _: command.mandate_id,
        decide=lambda asked: list(revoke_mandate(asked.command, asked.circumstances, asked.state)),
        acting=lambda asked: _for_principal(asked.state.principal, asked.circumstances.actor),
    ),
    Handler(
        body=RegisterAbsence,
        roles=CASE_OFFICER_ROLES,
        aggregate=ABSENCE,
        stream=lambda command, _: absence_stream(command.officer),
        decide=_register_absence,
        creates=True,
    ),
    Handler(
        body=EndAbsence,
        roles=CASE_OFFICER_ROLES,
        aggregate=ABSENCE,
        stream=lambda command, _: absence_stream(command.officer),
        decide=lambda asked: list(end_absence(asked.command, asked.circumstances, asked.state)),
    ),
    Handler(
        body=CollectLicence,
        roles=frozenset({Role.SYSTEM}),
        aggregate=LICENCE,
        stream=lambda command, _: command.licence_id,
        decide=lambda asked: list(collect_licence(asked.command, asked.state)),
        correlation=lambda asked: asked.command.correlation or asked.command.case_id,
        creates=True,
        public=False,
    ),
    Handler(
        body=RecordExchanges,
        roles=frozenset({Role.SYSTEM}),
        aggregate=SHARING,
        stream=lambda command, _: command.opening,
        decide=lambda asked: list(record_exchanges(asked.command, asked.state)),
        creates=True,
        public=False,
    ),
)

HANDLERS: Mapping[str, Handler] = {handler.body.__name__: handler for handler in _ALL}
