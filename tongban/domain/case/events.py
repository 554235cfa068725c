"""What has happened to a case.

Events that start or move a clock carry the clocks they changed, whole: `clocks` replaces those of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

from tongban.domain.clock import Clock, Limit
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
    """审查意见 of one branch, and the result of an inspection."""

    PASS = "PASS"  # noqa: S105 - an opinion, no password
    FAIL = "FAIL"


class Result(StrEnum):
    """办结结果. NOT_STARTED and NOT_EFFECTIVE: what the case depended on in its bundle was not granted.

    NOT_EFFECTIVE, too, where the grant was revoked before its licence was made.
    """

    GRANTED = "GRANTED"
    DENIED = "DENIED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    NOT_STARTED = "NOT_STARTED"
    NOT_EFFECTIVE = "NOT_EFFECTIVE"


class Means(StrEnum):
    """送达方式: how the result reaches the applicant."""

    ONLINE = "ONLINE"
    COUNTER = "COUNTER"
    COURIER = "COURIER"


class Procedure(StrEnum):
    """特别程序: what stops the clock (行政许可法 art. 45), and announcements where the item's own law says so."""

    HEARING = "HEARING"
    TENDER = "TENDER"
    AUCTION = "AUCTION"
    INSPECTION_TEST = "INSPECTION_TEST"
    QUARANTINE = "QUARANTINE"
    APPRAISAL = "APPRAISAL"
    EXPERT_REVIEW = "EXPERT_REVIEW"
    PUBLIC_ANNOUNCEMENT = "PUBLIC_ANNOUNCEMENT"


class Step(StrEnum):
    """What a gate holds back."""

    DECIDE = "DECIDE"
    ISSUE = "ISSUE"


@dataclass(frozen=True, slots=True)
class Gate:
    """A step of a bundle's sub-case that waits for something outside the case; `name` says for what."""

    name: str
    holds: Step


@dataclass(frozen=True, slots=True)
class ApplicationSubmitted:
    """申请: the applicant filed. The rules of the item version are carried along; the case never looks them up again.

    `evidence` is written in the envelope. `number` is the human number (办件编号). `terms` are the item version's
    limits and materials (see `catalogue.terms`); `needed` the materials that this applicant needs; `inspection` whether
    a decision needs an inspection; `bundle` the bundle's case this is a part of, `gates` what of it waits for the
    others. `renews` is the licence to be renewed and `renews_until` its last valid day if the filing was in time for
    a deemed renewal (行政许可法 art. 50). `barred_until`: the applicant may not file for this item until then (art. 78,
    79), so that the acceptance is to be refused.
    """

    SCHEMA: ClassVar[int] = 2

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
    terms: dict[str, Any] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    inspection: bool = False
    delivery: Means = Means.ONLINE
    district: str | None = None
    bundle: UUID | None = None
    gates: tuple[Gate, ...] = ()
    renews: UUID | None = None
    renews_until: date | None = None
    barred_until: date | None = None


@dataclass(frozen=True, slots=True)
class MaterialsReceived:
    """收件: the materials are there, the receipt is given (上海市优化营商环境条例 art. 25), the 5 days of R1 begin."""

    received_on: date
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class PreCheckPassed:
    """预审通过. Advice only: it is no acceptance."""


@dataclass(frozen=True, slots=True)
class PreCheckReturned:
    """预审退回, with what to mend. Advice only: the receipt and its clock stand."""

    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class ErrorCorrectedOnSpot:
    """当场更正: the applicant mended an error at the window (行政许可法 art. 32(3)). It uses up no notice."""

    applicant: UUID
    evidence: tuple[Evidence, ...]
    form: Annotated[PersonalObject, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class DefectsNoted:
    """What one sub-case of a bundle finds missing; the bundle sends one notice for all."""

    materials: tuple[str, ...]
    applicant: UUID
    problems: Annotated[PersonalObject, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class CorrectionRequested:
    """补正一次性告知: all defects at once (行政许可法 art. 32(4)). `problems` maps each material to what is wrong.

    `in_review`: asked after acceptance, on other grounds; lawful, and always flagged to the supervision.
    """

    materials: tuple[str, ...]
    in_review: bool
    applicant: UUID
    problems: Annotated[PersonalObject, Personal("applicant")]
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectionSubmitted:
    """补正: the applicant mended what the notice named. Before acceptance the 5 days of R1 begin anew."""

    applicant: UUID
    evidence: tuple[Evidence, ...]
    form: Annotated[PersonalObject, Personal("applicant")]
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class MaterialExempted:
    """免于提交: the office got the material itself. `evidence` is written in the envelope."""

    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class ExemptionFailed:
    """A source did not give what it holds: counted against `source`, a department; only now may the office ask."""

    material: str
    source: str
    problem: str


@dataclass(frozen=True, slots=True)
class MaterialSupplemented:
    """容缺后补: a material that was promised at acceptance came in. `outstanding` are those still promised."""

    outstanding: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationAccepted:
    """受理: the decision clock starts; each branch now holds its part of the case.

    `tolerated` are the materials that may follow until the TOLERATED clock is due (容缺受理).
    """

    SCHEMA: ClassVar[int] = 2

    accepted_by: str
    tolerated: tuple[str, ...] = ()
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseDeemedAccepted:
    """视为受理: no notice came in time, so the case counts as accepted since the receipt (行政许可法 art. 32(4)).

    Recorded late, in effect from the receipt on.
    """

    rule: str
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class AcceptanceRefused:
    """不予受理, with reason and remedy."""

    refused_by: str
    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]
    remedy: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class CaseClaimed:
    """领办: one officer took a branch (`main`: the lead department's part) out of the queue."""

    branch: str
    officer: str


@dataclass(frozen=True, slots=True)
class CaseReleased:
    """退回队列: the branch is in its department's queue again."""

    branch: str
    officer: str


@dataclass(frozen=True, slots=True)
class CaseReassigned:
    """转办: the head gave a branch to another officer. `previous` None: nobody had claimed it."""

    branch: str
    officer: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class OpinionRecorded:
    """审查: one branch has given its opinion. Branches never wait for each other.

    `given_by` is the officer; empty in events of the first schema, whose envelope alone names the actor.
    """

    SCHEMA: ClassVar[int] = 2

    branch: str
    opinion: Opinion
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]
    given_by: str = ""


@dataclass(frozen=True, slots=True)
class ConsultRequested:
    """征求意见: a department that is no branch is asked; the clock runs."""

    department: str
    applicant: UUID
    question: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class ConsultAnswered:
    """答复征求意见."""

    department: str
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class InspectionScheduled:
    """现场核查 is planned: by two officers or more (行政许可法 art. 34). It stops no clock."""

    branches: tuple[str, ...]
    inspectors: tuple[str, ...]
    day: date


@dataclass(frozen=True, slots=True)
class InspectionDone:
    """现场核查: one visit feeds each of `branches`. `joint`: the bundle whose joint inspection it was."""

    branches: tuple[str, ...]
    inspectors: tuple[str, ...]
    result: Opinion
    joint: UUID | None
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class SpecialProcedureStarted:
    """特别程序: the clock stops; the time needed was told in writing (行政许可法 art. 45). `branch` None: all branches.

    `on` is the first day that does not count, `working_days` the time that was told;
    `inspectors` for INSPECTION_TEST (art. 55: two or more), `chair` and `held_on` for HEARING (art. 48).
    """

    branch: str | None
    kind: Procedure
    on: date
    working_days: int
    inspectors: tuple[str, ...]
    chair: str | None
    held_on: date | None
    applicant: UUID
    notice: Annotated[PersonalText, Personal("applicant")]
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecialProcedureEnded:
    """特别程序 is over; `on` is the day of resumption, which counts again."""

    branch: str | None
    kind: Procedure
    on: date
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class HearingOffered:
    """告知听证权利: the applicant may ask for a hearing within 5 working days (行政许可法 art. 47)."""

    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class HearingRequested:
    """The applicant asks for a hearing; it is to be held within 20 working days (行政许可法 art. 47)."""

    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class DeadlineExtended:
    """延长审批: once, approved by the head of the organ, the reason told to the applicant (行政许可法 art. 42)."""

    working_days: int
    approved_by: str
    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadlinesRecomputed:
    """The deadlines under a newer working-day calendar."""

    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class FeeRequested:
    """缴费通知. `amount` in units of `currency` with two decimals (`80.00`)."""

    amount: str
    currency: str
    basis: str


@dataclass(frozen=True, slots=True)
class FeePaid:
    """缴费: paid in full; `provider_ref` is the payment provider's own reference."""

    amount: str
    provider_ref: str


@dataclass(frozen=True, slots=True)
class FeeRefunded:
    """退费: paid back in full; `provider_ref` is the payment provider's own reference."""

    amount: str
    provider_ref: str


@dataclass(frozen=True, slots=True)
class CommitmentOffered:
    """告知承诺: the office told conditions, materials and liability once; the applicant is free to choose it."""

    check_within: int
    unit: str


@dataclass(frozen=True, slots=True)
class CommitmentSigned:
    """承诺: the applicant promises that the conditions are met; the decision is made on that promise."""

    applicant: UUID


@dataclass(frozen=True, slots=True)
class CommitmentWithdrawn:
    """撤回承诺: back to the ordinary way, before the decision."""

    applicant: UUID


@dataclass(frozen=True, slots=True)
class GateOpened:
    """What a step of this sub-case waited for has come."""

    gate: str


@dataclass(frozen=True, slots=True)
class ApprovalGranted:
    """准予决定. `check_within`: it was made on the applicant's promise, which is to be checked within that time."""

    SCHEMA: ClassVar[int] = 2

    decided_by: str
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]
    check_within: Limit | None = None
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalDeemedGranted:
    """视为准予延续: no decision came before the licence expired (行政许可法 art. 50)."""

    rule: str
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class ApprovalDenied:
    """不予决定, with the reason and the remedy open to the applicant (行政许可法 art. 38)."""

    SCHEMA: ClassVar[int] = 2

    decided_by: str
    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]
    remedy: Annotated[PersonalText, Personal("applicant")]
    clocks: tuple[Clock, ...] = ()


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
class LicenceDelivered:
    """送达: the result reached the applicant; the delivery clock (行政许可法 art. 44) ends."""

    means: Means
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationWithdrawn:
    """撤回申请, before the decision."""

    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class CaseLapsed:
    """视为撤回: what the applicant was to bring did not come before `clock` was due."""

    clock: str


@dataclass(frozen=True, slots=True)
class ConditionFailed:
    """前置条件未成就: what the case depended on in its bundle was not granted. `result` is the end it comes to.

    NOT_EFFECTIVE, too, of a case whose own grant was revoked before its licence was made.
    """

    result: Result


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """办结."""

    result: Result


@dataclass(frozen=True, slots=True)
class CaseArchived:
    """归档: the electronic file is the file (国务院令716号 art. 12)."""


CaseEvent = (
    ApplicationSubmitted
    | MaterialsReceived
    | PreCheckPassed
    | PreCheckReturned
    | ErrorCorrectedOnSpot
    | DefectsNoted
    | CorrectionRequested
    | CorrectionSubmitted
    | MaterialExempted
    | ExemptionFailed
    | MaterialSupplemented
    | ApplicationAccepted
    | CaseDeemedAccepted
    | AcceptanceRefused
    | CaseClaimed
    | CaseReleased
    | CaseReassigned
    | OpinionRecorded
    | ConsultRequested
    | ConsultAnswered
    | InspectionScheduled
    | InspectionDone
    | SpecialProcedureStarted
    | SpecialProcedureEnded
    | HearingOffered
    | HearingRequested
    | DeadlineExtended
    | DeadlinesRecomputed
    | FeeRequested
    | FeePaid
    | FeeRefunded
    | CommitmentOffered
    | CommitmentSigned
    | CommitmentWithdrawn
    | GateOpened
    | ApprovalGranted
    | ApprovalDeemedGranted
    | ApprovalDenied
    | LicenceIssued
    | LicenceDelivered
    | ApplicationWithdrawn
    | CaseLapsed
    | ConditionFailed
    | CaseClosed
    | CaseArchived
)
