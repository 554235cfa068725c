"""What granting and revoking a mandate lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tongban.domain.actor import PARTY_ROLES
from tongban.domain.aggregate import Circumstances
from tongban.domain.errors import NotYours
from tongban.domain.mandate.commands import GrantMandate, RevokeMandate
from tongban.domain.mandate.events import MandateGranted, MandateKind, MandateRevoked
from tongban.domain.mandate.refusals import (
    AgentIsPrincipal,
    GuardianshipAtCounter,
    InPersonRequired,
    MandateKindMismatch,
    MandateTooLong,
    PartyNotRegistered,
    PeriodOver,
    PeriodReversed,
    ScopeEmpty,
    ScopeUnknown,
    UnknownMandate,
)
from tongban.domain.mandate.state import Mandate
from tongban.domain.office_time import office_day
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party
from tongban.domain.wording import says_something

PERSON, ORGANISATION = PartyKind.PERSON, PartyKind.ORGANISATION

BETWEEN: Mapping[MandateKind, tuple[frozenset[PartyKind], frozenset[PartyKind]]] = {
    MandateKind.AGENT: (frozenset(PartyKind), frozenset(PartyKind)),
    MandateKind.OPERATOR: (frozenset({ORGANISATION}), frozenset({PERSON})),
    MandateKind.GUARDIAN: (frozenset({PERSON}), frozenset({PERSON})),
    MandateKind.FAMILY: (frozenset({PERSON}), frozenset({PERSON})),
}
"""Kind of mandate → what its principal and its agent can be."""


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """The two parties, and of the items named: which are in the catalogue, which of them nobody can be sent for."""

    principal: Party
    agent: Party
    known: frozenset[str]
    in_person: frozenset[str]
    longest_years: int


def grant_mandate(command: GrantMandate, circumstances: Circumstances, facts: GrantFacts) -> list[MandateGranted]:
    """授权, by the principal himself or by a clerk for him at the counter."""
    actor = circumstances.actor
    if actor.role in PARTY_ROLES and actor.id != str(command.principal):
        raise NotYours(principal=command.principal)
    _check_parties(command, facts)
    guardian = command.kind is MandateKind.GUARDIAN
    if guardian and (actor.role in PARTY_ROLES or not says_something(command.document or "")):
        raise GuardianshipAtCounter
    _check_period(command, office_day(circumstances.effective_at), facts.longest_years)
    if command.items == () or command.steps == ():
        raise ScopeEmpty
    items = None if command.items is None else sorted(set(command.items))
    if unknown := sorted(set(items or ()) - facts.known):
        raise ScopeUnknown(items=unknown)
    if (bound := sorted(set(items or ()) & facts.in_person)) and not guardian:
        raise InPersonRequired(items=bound)
    return [
        MandateGranted(
            principal=command.principal,
            agent=command.agent,
            kind=command.kind,
            items=None if items is None else tuple(items),
            steps=None if command.steps is None else tuple(sorted(set(command.steps))),
            valid_from=command.from_,
            valid_to=command.to,
            document=command.document,
        )
    ]


def _check_parties(command: GrantMandate, facts: GrantFacts) -> None:
    if command.agent == command.principal:
        raise AgentIsPrincipal
    missing = {command.principal: facts.principal, command.agent: facts.agent}
    if unknown := [identity for identity, party in missing.items() if party.kind is None]:
        raise PartyNotRegistered(parties=unknown)
    principals, agents = BETWEEN[command.kind]
    if facts.principal.kind not in principals or facts.agent.kind not in agents:
        raise MandateKindMismatch(kind=command.kind, principal=facts.principal.kind, agent=facts.agent.kind)


def _check_period(command: GrantMandate, today: date, longest_years: int) -> None:
    first, last = command.from_, command.to
    if last < first:
        raise PeriodReversed(valid_from=first, valid_to=last)
    if last < today:
        raise PeriodOver(valid_to=last)
    if (last.year - longest_years, last.month, last.day) > (first.year, first.month, first.day):
        raise MandateTooLong(longest_years=longest_years)


def revoke_mandate(command: RevokeMandate, circumstances: Circumstances, mandate: Mandate) -> list[MandateRevoked]:
    """撤销或放弃授权. A guardianship is not the parties' to end."""
    if mandate.principal is None or mandate.agent is None:
        raise UnknownMandate(mandate_id=command.mandate_id)
    actor = circumstances.actor
    own = actor.role in PARTY_ROLES
    if own and actor.id not in (str(mandate.principal), str(mandate.agent)):
        raise NotYours(mandate_id=command.mandate_id)
    if own and mandate.kind is MandateKind.GUARDIAN:
        raise GuardianshipAtCounter
    if mandate.revoked_at is not None:
        return []
    return [MandateRevoked(principal=mandate.principal, agent=mandate.agent, reason=command.reason)]
