"""What has happened to a party."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from tongban.domain.personal import Personal, PersonalText


class PartyKind(StrEnum):
    """自然人 or 法人/其他组织."""

    PERSON = "PERSON"
    ORGANISATION = "ORGANISATION"


class IdentifierKind(StrEnum):
    """公民身份号码 (GB 11643), 统一社会信用代码 (GB 32100), 港澳台居民居住证, passport."""

    CITIZEN_ID = "CITIZEN_ID"
    USCC = "USCC"
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT"
    PASSPORT = "PASSPORT"


@dataclass(frozen=True, slots=True)
class PartyRegistered:
    """A person or organisation is known by a verified identifier."""

    party_id: UUID
    kind: PartyKind
    identifier_kind: IdentifierKind
    identifier: Annotated[PersonalText, Personal("party_id")]
    name: Annotated[PersonalText, Personal("party_id")]
