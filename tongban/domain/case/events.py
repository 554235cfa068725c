"""What has happened to a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from tongban.domain.personal import Personal, PersonalObject, PersonalText
from tongban.domain.recorded import Evidence


class Channel(StrEnum):
    """申请渠道."""

    COUNTER = "COUNTER"
    WEB = "WEB"
    APP = "APP"
    KIOSK = "KIOSK"
    POST = "POST"


class Opinion(StrEnum):
    """审查意见 of one branch."""

    PASS = "PASS"  # noqa: S105 - an opinion, no password
    FAIL = "FAIL"


class Result(StrEnum):
    """办结结果."""

    GRANTED = "GRANTED"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class ApplicationSubmitted:
    """申请: the applicant filed. The rules of the item version are carried along; the case never looks them up again.

    `evidence` is written in the envelope. `number` is the human number (办件编号).
    """

    number: str
    item_id: str
    item_version: int
    lead: str
    branches: tuple[str, ...]
    promised: bool
    licence_type: str | None
    applicant: UUID
    channel: Channel
    draft: UUID | None
    evidence: tuple[Evidence, ...]
    answers: Annotated[PersonalObject, Personal("applicant")]
    form: Annotated[PersonalObject, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class ApplicationAccepted:
    """受理: the decision clock starts; each branch now holds its part of the case."""

    accepted_by: str


@dataclass(frozen=True, slots=True)
class OpinionRecorded:
    """审查: one branch has given its opinion. Branches never wait for each other."""

    branch: str
    opinion: Opinion
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class ApprovalGranted:
    """准予决定."""

    decided_by: str
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class ApprovalDenied:
    """不予决定, with the reason and the remedy open to the applicant (行政许可法 art. 38)."""

    decided_by: str
    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]
    remedy: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class LicenceIssued:
    """制证: the licence exists. Dates are inclusive; `valid_to` None means without end."""

    licence_id: UUID
    licence_type: str
    licence_number: str
    holder: UUID
    valid_from: date
    valid_to: date | None
    face: Annotated[PersonalObject, Personal("holder")]


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """办结."""

    result: Result


CaseEvent = (
    ApplicationSubmitted
    | ApplicationAccepted
    | OpinionRecorded
    | ApprovalGranted
    | ApprovalDenied
    | LicenceIssued
    | CaseClosed
)
