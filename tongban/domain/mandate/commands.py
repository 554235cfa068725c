"""What may be asked of a mandate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tongban.domain.mandate.events import MandateKind, Step


@dataclass(frozen=True, slots=True)
class GrantMandate:
    """Let an agent act for a principal, in some items and steps or in all (null), from one day to another."""

    principal: UUID
    agent: UUID
    from_: date
    to: date
    items: tuple[str, ...] | None = None
    kind: MandateKind = MandateKind.AGENT
    steps: tuple[Step, ...] | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class RevokeMandate:
    """End a mandate now: by the principal, by the agent who gives it back, or by a clerk for either of them."""

    mandate_id: UUID
    reason: str | None = None
