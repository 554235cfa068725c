"""What may be asked of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from tongban.domain.case.events import Channel, Gate, Means, Opinion, Procedure
from tongban.domain.clock import Limit
from tongban.domain.recorded import Evidence


class How(StrEnum):
    """How a material is met (材料提交方式)."""

    UPLOAD = "UPLOAD"
    E_LICENCE = "E_LICENCE"
    DATA_SHARING = "DATA_SHARING"
    COMMITMENT = "COMMITMENT"
    ONLINE_AUTHORISATION = "ONLINE_AUTHORISATION"
    FORM_PREFILL = "FORM_PREFILL"


@dataclass(frozen=True, slots=True)
class MaterialOffered:
    """One material of the item's list, and how the applicant meets it. `ref` names the content (`sha256:…`)."""

    material: str
    how: How
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Defect:
    """A material of the item's list, and what is wrong with it or that it is missing."""

    material: str
    problem: str


@dataclass(frozen=True, slots=True)
class SubmitApplication:
    """File an application for a service item.

    `delivery` is how the result is to arrive (default: online, else as the item delivers it), `district` where
    (default: the officer's own), `renews` the licence that is to be renewed, `mandate` what an agent acts by.
    """

    item: str
    applicant: UUID
    channel: Channel
    answers: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    materials: tuple[MaterialOffered, ...] = ()
    draft: UUID | None = None
    delivery: Means | None = None
    district: str | None = None
    renews: UUID | None = None
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class FileSubCase:
    """File one part of a bundle. Asked by a policy only, which knows the applicant's evidence already.

    `item_version` is the version that was in force when the bundle was filed, `promised` the limit within the bundle.
    """

    case_id: UUID
    bundle: UUID
    item: str
    applicant: UUID
    channel: Channel
    answers: dict[str, Any]
    form: dict[str, Any]
    evidence: tuple[Evidence, ...]
    gates: tuple[Gate, ...]
    delivery: Means = Means.ONLINE
    district: str | None = None
    item_version: int | None = None
    promised: Limit | None = None


@dataclass(frozen=True, slots=True)
class ReceiveMaterials:
    """Record that materials sent by post arrived (收件)."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class PassPreCheck:
    """Say that an online application looks complete (预审)."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class ReturnPreCheck:
    """Advise the applicant what to mend in an online application (预审)."""

    case_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class CorrectOnSpot:
    """Mend an error at the window, together with the applicant (当场更正)."""

    case_id: UUID
    materials: tuple[MaterialOffered, ...] = ()
    form: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestCorrection:
    """Tell the applicant all defects at once (补正一次性告知)."""

    case_id: UUID
    defects: tuple[Defect, ...]


@dataclass(frozen=True, slots=True)
class NotifyDefects:
    """Put a sub-case's noted defects into effect as part of its bundle's one notice. Asked by a policy only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class SubmitCorrection:
    """Mend what the correction notice named."""

    case_id: UUID
    materials: tuple[MaterialOffered, ...] = ()
    form: dict[str, Any] = field(default_factory=dict)
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class PassOnCorrection:
    """Hand a sub-case its share of its bundle's correction. Asked by a policy only, which knows the evidence."""

    case_id: UUID
    evidence: tuple[Evidence, ...]
    form: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ObtainMaterial:
    """Get a material from where the government holds it instead of asking the applicant."""

    case_id: UUID
    material: str


@dataclass(frozen=True, slots=True)
class SupplementMaterial:
    """Bring what was promised at acceptance (容缺后补)."""

    case_id: UUID
    materials: tuple[MaterialOffered, ...]
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class AcceptApplication:
    """Accept the application (受理): by an acceptor of the lead department.

    `tolerate` names the materials that may follow, on the applicant's written promise (容缺受理).
    """

    case_id: UUID
    tolerate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeemAccepted:
    """Record that the law accepted the case, no notice having come in time. Asked by a timer only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class RefuseAcceptance:
    """Refuse to accept (不予受理), with reason and remedy."""

    case_id: UUID
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ClaimCase:
    """Take a branch out of the queue; `main` is the lead department's part."""

    case_id: UUID
    branch: str


@dataclass(frozen=True, slots=True)
class ReleaseCase:
    """Put a claimed branch back into the queue."""

    case_id: UUID
    branch: str


@dataclass(frozen=True, slots=True)
class ReassignCase:
    """Give a branch to an officer of the same department: by its head."""

    case_id: UUID
    branch: str
    officer: str


@dataclass(frozen=True, slots=True)
class RecordOpinion:
    """Give the opinion of one branch: by a reviewer of that department."""

    case_id: UUID
    branch: str
    opinion: Opinion
    text: str = ""


@dataclass(frozen=True, slots=True)
class RequestConsult:
    """Ask a department that is no branch of the case."""

    case_id: UUID
    department: str
    question: str


@dataclass(frozen=True, slots=True)
class AnswerConsult:
    """Answer what the lead department asked."""

    case_id: UUID
    department: str
    text: str


@dataclass(frozen=True, slots=True)
class ScheduleInspection:
    """Plan an on-site check (现场核查) for one branch or several."""

    case_id: UUID
    branches: tuple[str, ...]
    inspectors: tuple[str, ...]
    day: date


@dataclass(frozen=True, slots=True)
class RecordInspection:
    """Record an on-site check (现场核查) that served one branch or several."""

    case_id: UUID
    branches: tuple[str, ...]
    inspectors: tuple[str, ...]
    result: Opinion
    text: str = ""


@dataclass(frozen=True, slots=True)
class RecordJointInspection:
    """Enter a bundle's joint inspection into one of its sub-cases. Asked by a policy only."""

    case_id: UUID
    inspectors: tuple[str, ...]
    result: Opinion
    text: str


@dataclass(frozen=True, slots=True)
class StartSpecialProcedure:
    """Stop the clock for a special procedure (特别程序), having told the applicant in writing how long it takes.

    `branch` None: for the whole case. `inspectors` for INSPECTION_TEST, `chair` and `held_on` for HEARING.
    """

    case_id: UUID
    branch: str | None
    kind: Procedure
    working_days: int
    notice: str
    inspectors: tuple[str, ...] = ()
    chair: str | None = None
    held_on: date | None = None


@dataclass(frozen=True, slots=True)
class EndSpecialProcedure:
    """Let the clock run again."""

    case_id: UUID
    branch: str | None


@dataclass(frozen=True, slots=True)
class OfferHearing:
    """Tell the applicant of the right to a hearing (行政许可法 art. 47)."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class RequestHearing:
    """Ask for a hearing, within five working days of being told."""

    case_id: UUID
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class ExtendDeadline:
    """Extend the decision's deadline once: by the head of the lead department."""

    case_id: UUID
    working_days: int
    reason: str


@dataclass(frozen=True, slots=True)
class RecomputeDeadlines:
    """Reckon the deadlines by the calendar in force. Asked by a timer only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class RequestFee:
    """Ask for a fee whose amount is worked out for each case (`80.00`)."""

    case_id: UUID
    amount: str


@dataclass(frozen=True, slots=True)
class RecordPayment:
    """Record that the fee was paid, with the payment provider's reference."""

    case_id: UUID
    amount: str
    provider_ref: str


@dataclass(frozen=True, slots=True)
class RecordRefund:
    """Record that the fee was paid back, with the payment provider's reference."""

    case_id: UUID
    provider_ref: str


@dataclass(frozen=True, slots=True)
class SignCommitment:
    """Choose the way of notification and commitment (告知承诺)."""

    case_id: UUID
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class WithdrawCommitment:
    """Go back to the ordinary way, before the decision."""

    case_id: UUID
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Say that what a step of a sub-case waited for has come. Asked by a policy only."""

    case_id: UUID
    gate: str


@dataclass(frozen=True, slots=True)
class CloseDependant:
    """Close a sub-case whose condition can no longer come. Asked by a policy only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class CloseRevoked:
    """Close a case whose grant was revoked before its licence was made. Asked by a policy only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class GrantApproval:
    """Grant (准予): by a decider of the lead department, when every branch has passed it."""

    case_id: UUID
    text: str = ""


@dataclass(frozen=True, slots=True)
class DeemRenewed:
    """Record that the law renewed the licence, no decision having come before it expired. Asked by a timer only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class DenyApproval:
    """Deny (不予), with reason and remedy: by a decider of the lead department."""

    case_id: UUID
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class IssueLicence:
    """Make the licence of a granted case. Without dates it runs from today for as long as its type says."""

    case_id: UUID
    valid_from: date | None = None
    valid_to: date | None = None
    face: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfirmDelivery:
    """Record that the result reached the applicant (送达回证), or who collected it under the mandate that is named."""

    case_id: UUID
    means: Means
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class WithdrawApplication:
    """Withdraw the application, before the decision."""

    case_id: UUID
    reason: str
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class WithdrawPart:
    """Withdraw a sub-case with its bundle, where the applicant said why. Asked by a policy only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class LapseCase:
    """Record that the applicant let a date pass. Asked by a timer only."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class ArchiveCase:
    """Put the file of a closed case into the archive."""

    case_id: UUID


CaseCommand = (
    ReceiveMaterials
    | PassPreCheck
    | ReturnPreCheck
    | CorrectOnSpot
    | RequestCorrection
    | NotifyDefects
    | SubmitCorrection
    | PassOnCorrection
    | ObtainMaterial
    | SupplementMaterial
    | AcceptApplication
    | DeemAccepted
    | RefuseAcceptance
    | ClaimCase
    | ReleaseCase
    | ReassignCase
    | RecordOpinion
    | RequestConsult
    | AnswerConsult
    | ScheduleInspection
    | RecordInspection
    | RecordJointInspection
    | StartSpecialProcedure
    | EndSpecialProcedure
    | OfferHearing
    | RequestHearing
    | ExtendDeadline
    | RecomputeDeadlines
    | RequestFee
    | RecordPayment
    | RecordRefund
    | SignCommitment
    | WithdrawCommitment
    | OpenGate
    | CloseDependant
    | CloseRevoked
    | GrantApproval
    | DeemRenewed
    | DenyApproval
    | IssueLicence
    | ConfirmDelivery
    | WithdrawApplication
    | WithdrawPart
    | LapseCase
    | ArchiveCase
)
