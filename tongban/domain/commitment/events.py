"""What has happened to a commitment after the decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from tongban.domain.clock import Clock
from tongban.domain.personal import Personal, PersonalText


class CheckResult(StrEnum):
    """核查结果 of a promise."""

    PASS = "PASS"  # noqa: S105 - a result, no password
    BREACH = "BREACH"


@dataclass(frozen=True, slots=True)
class CommitmentCheckOpened:
    """承诺核查 is due: the decision was made on a promise (上海市优化营商环境条例 art. 27)."""

    case_id: UUID
    item_id: str
    department: str
    applicant: UUID
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class CommitmentChecked:
    """承诺核查: what was promised is so, or it is not."""

    case_id: UUID
    item_id: str
    result: CheckResult
    checked_by: str
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]
    clocks: tuple[Clock, ...]


CommitmentEvent = CommitmentCheckOpened | CommitmentChecked
