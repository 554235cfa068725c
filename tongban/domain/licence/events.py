"""What has happened to a licence in the library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from tongban.domain.personal import Personal, PersonalObject


@dataclass(frozen=True, slots=True)
class LicenceCollected:
    """归集: a licence that was issued entered the e-licence library. Dates are inclusive."""

    case_id: UUID
    licence_type: str
    licence_number: str
    holder: UUID
    valid_from: date
    valid_to: date | None
    face: Annotated[PersonalObject, Personal("holder")]


@dataclass(frozen=True, slots=True)
class LicenceRevoked:
    """撤销: the approval the licence rests on was taken back (行政许可法 art. 69)."""

    case_id: UUID
    holder: UUID


LicenceEvent = LicenceCollected | LicenceRevoked
