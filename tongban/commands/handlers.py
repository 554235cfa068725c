"""One handler per command: who may give it, which streams it needs, and how their states become facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tongban.commands.case_handlers import CASE_HANDLERS
from tongban.commands.handling import Asked, Handler
from tongban.domain.actor import APPLICANT_ROLES, Role
from tongban.domain.calendar.commands import ImportCalendar
from tongban.domain.calendar.decide import import_calendar
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case.state import CASE, Case
from tongban.domain.catalogue.checks import item_id_of
from tongban.domain.catalogue.commands import DraftItem, PublishItem, WithdrawItem
from tongban.domain.catalogue.decide import draft_item, publish_item, withdraw_item
from tongban.domain.catalogue.refusals import InvalidItem
from tongban.domain.catalogue.state import ITEM
from tongban.domain.ids import calendar_stream, item_stream, rating_stream
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.licence.decide import collect_licence
from tongban.domain.licence.state import LICENCE
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


def _of_case(case_id: UUID, case: Case) -> UUID:
    """What events outside the case's own stream belong to with it: the case, or the bundle it is part of."""
    return CASE.correlation(case) or case_id


def _rate(asked: Asked) -> list[Any]:
    case = asked.other(asked.command.case_id, CASE)
    return list(rate_case(asked.command, asked.circumstances, asked.state, case))


_ALL: tuple[Handler, ...] = (
    Handler(
        body=RegisterParty,
        roles=frozenset({Role.CLERK, Role.ADMIN, *APPLICANT_ROLES}),
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
    Handler(
        body=RateCase,
        roles=APPLICANT_ROLES,
        aggregate=RATING,
        stream=lambda command, _: rating_stream(command.case_id),
        decide=_rate,
        reads=lambda command: (command.case_id,),
        correlation=lambda asked: _of_case(asked.command.case_id, asked.other(asked.command.case_id, CASE)),
        creates=True,
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
