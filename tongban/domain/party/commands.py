"""What may be asked of a party."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tongban.domain.party.events import IdentifierKind, PartyKind


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
