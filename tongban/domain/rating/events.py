"""What has happened to a rating."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from tongban.domain.personal import Personal, PersonalText


@dataclass(frozen=True, slots=True)
class CaseRated:
    """The applicant rated the case. Grade 1 is best, 5 worst; 4 and 5 are bad (GB/T 39046 A.8)."""

    case_id: UUID
    item_id: str
    department: str
    rater: UUID
    grade: int
    options: tuple[str, ...]
    anonymous: bool
    text: Annotated[PersonalText | None, Personal("rater")]
