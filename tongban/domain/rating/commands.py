"""What may be asked of a rating."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RateCase:
    """Rate a closed case, once: 1 best … 5 worst. By the applicant, or by who has a mandate for it."""

    case_id: UUID
    grade: int
    options: tuple[str, ...] = ()
    text: str | None = None
    anonymous: bool = False
    mandate: UUID | None = None
