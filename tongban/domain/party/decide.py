"""What a registration leads to."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tongban.domain.actor import PARTY_ROLES
from tongban.domain.aggregate import Circumstances
from tongban.domain.errors import Conflict, NotYours, RuleBroken
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.events import IdentifierKind, PartyKind, PartyRegistered
from tongban.domain.party.state import Party

NAME_BASED = (3, 5)
"""Versions of UUIDs that anyone can compute: those of an item or of a case's rating are such."""


class InvalidIdentifier(RuleBroken):
    """The identifier is not a valid one of its kind: check the number and its check digit."""

    zh = "证件号码无效, 请核对号码及校验位。"


class IdentifierKindMismatch(RuleBroken):
    """A person is identified by CITIZEN_ID, RESIDENCE_PERMIT or PASSPORT, an organisation by USCC."""

    zh = "证件类型与主体类型不符。"


class EmptyName(RuleBroken):
    """The name is empty."""

    zh = "姓名或名称不能为空。"


class PartyIdNotRandom(RuleBroken):
    """A party's id must be random (UUID version 4 or 7): name-based ids belong to what the system derives."""

    zh = "主体标识须为随机生成的 UUID。"


class PartyIdTaken(Conflict):
    """This id already belongs to another party."""

    zh = "该标识已属于其他主体。"


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """`holder` is who already has this identifier, if anyone; `problem` says what is wrong with it, if anything."""

    party_id: UUID
    holder: UUID | None
    problem: str | None


def register_party(
    command: RegisterParty, circumstances: Circumstances, party: Party, facts: RegistrationFacts
) -> list[PartyRegistered]:
    """Register, or say nothing if this identifier is registered already."""
    own = circumstances.actor.role in PARTY_ROLES
    if own and circumstances.actor.id != str(facts.holder or facts.party_id):
        raise NotYours(id=facts.party_id)
    is_organisation = command.kind is PartyKind.ORGANISATION
    if is_organisation != (command.identifier_kind is IdentifierKind.USCC):
        raise IdentifierKindMismatch(kind=command.kind, identifier_kind=command.identifier_kind)
    if facts.problem:
        raise InvalidIdentifier(identifier_kind=command.identifier_kind, problem=facts.problem)
    if command.id is not None and command.id.version in NAME_BASED:
        raise PartyIdNotRandom(id=command.id)
    if not command.name.strip():
        raise EmptyName
    if facts.holder is not None:
        if command.id is not None and command.id != facts.holder:
            raise PartyIdTaken(id=command.id)
        return []
    if party.kind is not None:
        raise PartyIdTaken(id=facts.party_id)
    return [
        PartyRegistered(
            party_id=facts.party_id,
            kind=command.kind,
            identifier_kind=command.identifier_kind,
            identifier=command.identifier,
            name=command.name.strip(),
        )
    ]
