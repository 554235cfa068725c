"""What has happened to a decision after it was made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from tongban.domain.personal import Personal, PersonalText


class Ground(StrEnum):
    """Why a decision is revoked (行政许可法 art. 69(1) and (2))."""

    ABUSE_OF_POWER = "ABUSE_OF_POWER"
    BEYOND_COMPETENCE = "BEYOND_COMPETENCE"
    AGAINST_PROCEDURE = "AGAINST_PROCEDURE"
    NOT_QUALIFIED = "NOT_QUALIFIED"
    OTHERWISE_BY_LAW = "OTHERWISE_BY_LAW"
    FRAUD = "FRAUD"


@dataclass(frozen=True, slots=True)
class DecisionRevoked:
    """撤销: the approval is taken back. `protected`: what the holder relied on in good faith is to be made good.

    Who got it by fraud or bribery is not protected, and the office has no choice (行政许可法 art. 69(2), (4)).
    """

    case_id: UUID
    item_id: str
    ground: Ground
    protected: bool
    revoked_by: str
    licence_id: UUID | None
    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]
    remedy: Annotated[PersonalText, Personal("applicant")]
