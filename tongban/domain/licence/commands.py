"""What may be asked of a licence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CollectLicence:
    """Enter an issued licence into the library. Asked by a policy only.

    `correlation` is that of the case's events: the bundle the case is part of, or the case itself.
    """

    licence_id: UUID
    case_id: UUID
    licence_type: str
    licence_number: str
    holder: UUID
    valid_from: date
    valid_to: date | None
    face: dict[str, Any] = field(default_factory=dict)
    correlation: UUID | None = None


@dataclass(frozen=True, slots=True)
class RevokeIssuedLicence:
    """Revoke a licence whose approval was taken back. Asked by a policy only."""

    licence_id: UUID
    case_id: UUID
    correlation: UUID
