"""What has happened to a party."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
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


class BarGround(StrEnum):
    """Why somebody may not file for an item for a time (行政许可法 art. 78, 79)."""

    FALSE_PAPERS = "FALSE_PAPERS"
    FRAUD = "FRAUD"


@dataclass(frozen=True, slots=True)
class ApplicantBarred:
    """限制申请: not for this item, up to and with `until`."""

    item_id: str
    ground: BarGround
    case_id: UUID
    until: date


@dataclass(frozen=True, slots=True)
class PromiseBroken:
    """失信承诺: what the party promised was found not to be so; no further promise is taken until it is repaired."""

    case_id: UUID
    item_id: str


@dataclass(frozen=True, slots=True)
class TrustRepaired:
    """信用修复: promises are taken again."""

    repaired_by: str


PartyEvent = PartyRegistered | ApplicantBarred | PromiseBroken | TrustRepaired
