"""What has happened to a mandate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from tongban.domain.personal import Personal, PersonalText


class MandateKind(StrEnum):
    """What the power rests on: 委托代理, 经办人 of an organisation, 监护 (by law, not by choice), 亲属帮办."""

    AGENT = "AGENT"
    OPERATOR = "OPERATOR"
    GUARDIAN = "GUARDIAN"
    FAMILY = "FAMILY"


class Step(StrEnum):
    """What an applicant does in a case, and may let another do for him."""

    FILE = "FILE"
    CORRECT = "CORRECT"
    COMMIT = "COMMIT"
    WITHDRAW = "WITHDRAW"
    COLLECT = "COLLECT"
    RATE = "RATE"


@dataclass(frozen=True, slots=True)
class MandateGranted:
    """授权: `agent` may act for `principal`, in these items and steps (None: all), on both days and all between.

    `document` names the paper it rests on, by its content (`sha256:…`); a guardianship always has one.
    """

    principal: UUID
    agent: UUID
    kind: MandateKind
    items: tuple[str, ...] | None
    steps: tuple[Step, ...] | None
    valid_from: date
    valid_to: date
    document: str | None


@dataclass(frozen=True, slots=True)
class MandateRevoked:
    """撤销授权: taken back, or given back. What was done under it before stands."""

    principal: UUID
    agent: UUID
    reason: Annotated[PersonalText | None, Personal("principal")]


MandateEvent = MandateGranted | MandateRevoked
