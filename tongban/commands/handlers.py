"""One handler per command: who may give it, which streams it needs, and how their states become facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tongban.commands.acting import mandate_of, named_by
from tongban.commands.bundle_handlers import BUNDLE_HANDLERS
from tongban.commands.case_handlers import CASE_HANDLERS
from tongban.commands.follow_up_handlers import FOLLOW_UP_HANDLERS
from tongban.commands.handling import Asked, Handler
from tongban.domain.absence.commands import EndAbsence, RegisterAbsence
from tongban.domain.absence.decide import end_absence, register_absence
from tongban.domain.absence.state import ABSENCE
from tongban.domain.actor import APPLICANT_ROLES, CASE_OFFICER_ROLES, PARTY_ROLES, Actor, Role
from tongban.domain.authority import Acting, may_act_for
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.decide import import_calendar
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case.state import CASE, Case
from tongban.domain.catalogue.checks import item_id_of
from tongban.domain.catalogue.commands import DraftItem, PublishItem, WithdrawItem
from tongban.domain.catalogue.decide import draft_item, publish_item, withdraw_item
from tongban.domain.catalogue.refusals import InvalidItem
from tongban.domain.catalogue.state import ITEM
from tongban.domain.ids import absence_stream, calendar_stream, item_stream, rating_stream
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.licence.decide import collect_licence
from tongban.domain.licence.state import LICENCE
from tongban.domain.mandate.commands import GrantMandate, RevokeMandate
from tongban.domain.mandate.decide import GrantFacts, grant_mandate, revoke_mandate
from tongban.domain.mandate.events import Step
from tongban.domain.mandate.state import MANDATE
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.decide import RegistrationFacts, register_party
from tongban.domain.party.state import PARTY
from tongban.domain.rating.commands import RateCase
from tongban.domain.rating.decide import rate_case
from tongban.domain.rating.state import RATING
from tongban.domain.sharing.commands import RecordExchanges
from tongban.domain.sharing.decide import record_exchanges
from tongban.domain.sharing.state import SHARING


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
        late=asked.circumstances.is_late,
        named=command.mandate,
        mandate=mandate_of(asked, command.mandate),
    )
    return acting.sign(actor)


def _rate(asked: Asked) -> list[Any]:
    case = asked.other(asked.command.case_id, CASE)
    return list(rate_case(asked.command, asked.circumstances, asked.state, case))


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
    *CASE_HANDLERS,
    *FOLLOW_UP_HANDLERS,
    *BUNDLE_HANDLERS,
    Handler(
        body=RateCase,
        roles=PARTY_ROLES,
        aggregate=RATING,
        stream=lambda command, _: rating_stream(command.case_id),
        decide=_rate,
        reads=lambda command: (command.case_id, *named_by(command)),
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
