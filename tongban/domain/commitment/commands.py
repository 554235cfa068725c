"""What may be asked of a commitment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tongban.domain.clock import Limit
from tongban.domain.commitment.events import CheckResult


@dataclass(frozen=True, slots=True)
class OpenCommitmentCheck:
    """Begin the time in which a promise is to be checked. Asked by a policy only."""

    case_id: UUID
    correlation: UUID
    item_id: str
    department: str
    applicant: UUID
    decided_on: date
    within: Limit


@dataclass(frozen=True, slots=True)
class RecordCommitmentCheck:
    """Record what the check of a promise found: by an officer of the department that decided."""

    case_id: UUID
    result: CheckResult
    text: str
