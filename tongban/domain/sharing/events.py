"""What has happened at a data source: every question to it, and every time it could not spare the applicant a paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """What a source was asked for (调用场景)."""

    FORM_OPENING = "FORM_OPENING"
    SUBMISSION = "SUBMISSION"


class ExchangeResult(StrEnum):
    """What came of a question."""

    FOUND = "FOUND"
    EMPTY = "EMPTY"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"


@dataclass(frozen=True, slots=True)
class ExchangeRecorded:
    """A source was asked about a party (数据交换日志). One stream per form opening; nothing of the answer's content.

    `evidence_id` is what the case's evidence refers to; `subject` the party; `asked_by` the principal. `data_version`
    and `data_as_of` are the source's own words for what it answered with; `latency_ms` is over all `attempts` (0: the
    source was not asked, because it had just failed again and again, or is not connected).
    """

    request_id: UUID
    purpose: Purpose
    item: str
    subject: UUID
    draft: UUID | None
    asked_by: str
    material: str
    how: str
    source: str
    result: ExchangeResult
    status: str | None
    evidence_id: str | None
    data_version: str | None
    data_as_of: datetime | None
    latency_ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class ExemptionFailed:
    """免于提交未成: the source failed or had nothing, so the paper must be uploaded. Counts against the source."""

    request_id: UUID
    item: str
    material: str
    source: str
    problem: ExchangeResult


SharingEvent = ExchangeRecorded | ExemptionFailed
