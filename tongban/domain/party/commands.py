"""What may be asked of a party."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tongban.domain.party.events import BarGround, IdentifierKind, PartyKind


@dataclass(frozen=True, slots=True)
class RegisterParty:
    """Register a person or an organisation by its identifier.

    An identifier that is already registered gives that party back and changes nothing.
    """

    kind: PartyKind
    identifier_kind: IdentifierKind
    identifier: str
    name: str
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class BarApplicant:
    """Keep a party from filing for an item for the time the law says: after false papers or fraud in a case."""

    party: UUID
    item: str
    ground: BarGround
    case_id: UUID


@dataclass(frozen=True, slots=True)
class HoldPromiseAgainst:
    """Remember that a party broke a promise. Asked by a policy only."""

    party: UUID
    case_id: UUID
    item_id: str


@dataclass(frozen=True, slots=True)
class RepairTrust:
    """Take a party's promises again: what was broken is mended."""

    party: UUID
