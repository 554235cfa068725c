"""What may be asked about a decision that should not have been made."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tongban.domain.revocation.events import Ground


@dataclass(frozen=True, slots=True)
class RevokeDecision:
    """Revoke a granted approval (行政许可法 art. 69): by the head of the department that granted it."""

    case_id: UUID
    ground: Ground
    reason: str
    remedy: str
