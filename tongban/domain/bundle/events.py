"""What has happened to a bundle that was applied for.

The first event carries the whole plan along, so that an open bundle never looks its definition up again. Its parts are
cases with streams of their own; what happens to them is noted here, and what follows for the others is written down as
an event that policies turn into commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from tongban.domain.bundle.definition import Kind
from tongban.domain.case.events import Channel, Gate, Means, Opinion, Result
from tongban.domain.clock import Clock, Limit
from tongban.domain.personal import Personal, PersonalObject, PersonalText
from tongban.domain.recorded import Evidence

ALL_DECIDED = "ALL_DECIDED"
"""The gate that opens when every part of the bundle is decided (统一发证)."""


class Noted(StrEnum):
    """What became of a sub-case."""

    FILED = "FILED"
    DEFECTS = "DEFECTS"
    CORRECTED = "CORRECTED"
    ACCEPTED = "ACCEPTED"
    COMMITTED = "COMMITTED"
    GRANTED = "GRANTED"
    DENIED = "DENIED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    ISSUED = "ISSUED"
    CLOSED = "CLOSED"


class Ground(StrEnum):
    """Why a part is not filed any more."""

    NOT_STARTED = "NOT_STARTED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Wait:
    """What a part waits for: another part or a shared task."""

    kind: Kind
    before: str


@dataclass(frozen=True, slots=True)
class SubMaterial:
    """A material of a part, and the name it is asked for by in the bundle.

    `asked_as` None: it is not asked for, because another part (`sister`) results in it.
    """

    material: str
    asked_as: str | None
    licence_type: str | None
    sister: str | None = None


@dataclass(frozen=True, slots=True)
class SubItem:
    """One part as it was planned at the filing.

    `case_id` is the stream its case will have; `promised` its limit within the bundle (None: the item's own);
    `answer_within` how long the office has to say what is missing (0: on the spot), `correct_within` how long its
    applicant has to mend; `city_wide` whether any window may act; `gates` the steps of its case that wait; `fields` and
    `questions` what of the shared form and of the answers it gets (None: all of it).
    """

    item: str
    item_version: int
    case_id: UUID
    lead: str
    departments: tuple[str, ...]
    licence_type: str | None
    promised: Limit | None
    answer_within: Limit
    correct_within: Limit
    city_wide: bool
    waits: tuple[Wait, ...]
    gates: tuple[Gate, ...]
    materials: tuple[SubMaterial, ...]
    withheld_fields: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SharedTask:
    """What is done once for several parts, such as one joint inspection (联合核查). `within`: working days."""

    id: str
    participants: tuple[str, ...]
    serves: tuple[str, ...]
    within: int | None


@dataclass(frozen=True, slots=True)
class BundleSubmitted:
    """一件事申请: one application for several items, under one number.

    `items` are the parts that the answers chose. `evidence` (written in the envelope) names materials as the bundle
    asks for them. `limit` is the promise for the whole.
    """

    number: str
    bundle_id: str
    bundle_version: int
    label: str
    lead: str
    items: tuple[SubItem, ...]
    tasks: tuple[SharedTask, ...]
    limit: Limit
    applicant: UUID
    channel: Channel
    draft: UUID | None
    delivery: Means
    district: str | None
    evidence: tuple[Evidence, ...]
    answers: Annotated[PersonalObject, Personal("applicant")]
    form: Annotated[PersonalObject, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class SubItemStarted:
    """What a part waited for is there: its case is to be filed. `evidence` (in the envelope) names its own materials.

    `told_in` are the versions of this stream that hold what the applicant filled in.
    """

    item: str
    case_id: UUID
    told_in: tuple[int, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class SubItemCancelled:
    """A part that was not filed never will be: what it waited for was not granted (`because`), or all was withdrawn."""

    item: str
    ground: Ground
    because: str | None


@dataclass(frozen=True, slots=True)
class SubCaseNoted:
    """What became of a sub-case. `materials` and `problems` are those of DEFECTS, `licence_id` of ISSUED.

    With the first defects the clock NOTICE begins: the last day on which the one notice is in time for all of them.
    """

    item: str
    case_id: UUID
    what: Noted
    result: Result | None
    licence_id: UUID | None
    materials: tuple[str, ...]
    applicant: UUID
    problems: Annotated[PersonalObject | None, Personal("applicant")]
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class BundleAccepted:
    """The first part was accepted: the clock of joint handling runs (行政许可法 art. 26, 42), and the bundle's promise.

    Once more when the law is found to have accepted a part earlier.
    """

    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class SharedTaskReady:
    """All that a shared task serves is accepted: it can be done."""

    task: str
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class JointInspectionDone:
    """联合核查: one visit for several parts, by two officers or more (行政许可法 art. 34)."""

    task: str
    cases: tuple[UUID, ...]
    inspectors: tuple[str, ...]
    result: Opinion
    applicant: UUID
    text: Annotated[PersonalText, Personal("applicant")]
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class GateReached:
    """What a step of a sub-case waited for has come."""

    item: str
    case_id: UUID
    gate: str


@dataclass(frozen=True, slots=True)
class DependantClosed:
    """A sub-case depends on one that was not granted (`because`): it is to be closed with that reason."""

    item: str
    case_id: UUID
    because: str


@dataclass(frozen=True, slots=True)
class OwnMaterials:
    """Materials of one part, by their own names."""

    item: str
    materials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskedMaterial:
    """One material of the notice, by the name the applicant knows, and what of each part it is about."""

    material: str
    parts: tuple[OwnMaterials, ...]


@dataclass(frozen=True, slots=True)
class BundleCorrectionRequested:
    """合并补正告知: one notice for the defects of all parts. What is wrong stands in what was noted of each.

    `cases` are the sub-cases whose defects it tells.
    """

    materials: tuple[AskedMaterial, ...]
    cases: tuple[UUID, ...]
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class PartCorrection:
    """What of a correction is for one sub-case, by the names of its own materials."""

    case_id: UUID
    evidence: tuple[Evidence, ...]
    withheld_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BundleCorrected:
    """合并补正: everything the one notice named. `evidence` (in the envelope) names materials as the bundle does."""

    parts: tuple[PartCorrection, ...]
    applicant: UUID
    evidence: tuple[Evidence, ...]
    form: Annotated[PersonalObject, Personal("applicant")]
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class BundleDeadlineExtended:
    """The joint clock has more time: once, approved on behalf of the government (行政许可法 art. 42(2))."""

    working_days: int
    approved_by: str
    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class BundleDeadlinesRecomputed:
    """The deadlines under a newer working-day calendar."""

    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class BundleWithdrawn:
    """撤回: all parts that are not decided; what was decided stands."""

    applicant: UUID
    reason: Annotated[PersonalText, Personal("applicant")]


@dataclass(frozen=True, slots=True)
class SubItemWithdrawn:
    """A sub-case is to be withdrawn with its bundle."""

    item: str
    case_id: UUID


@dataclass(frozen=True, slots=True)
class BundleDecided:
    """Every part is decided or ended; the clocks of the decision stop."""

    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """How one part ended."""

    item: str
    result: Result


@dataclass(frozen=True, slots=True)
class BundleCompleted:
    """Every part is over; each with a result of its own."""

    results: tuple[ItemResult, ...]
    clocks: tuple[Clock, ...]


BundleEvent = (
    BundleSubmitted
    | SubItemStarted
    | SubItemCancelled
    | SubCaseNoted
    | BundleAccepted
    | SharedTaskReady
    | JointInspectionDone
    | GateReached
    | DependantClosed
    | BundleCorrectionRequested
    | BundleCorrected
    | BundleDeadlineExtended
    | BundleDeadlinesRecomputed
    | BundleWithdrawn
    | SubItemWithdrawn
    | BundleDecided
    | BundleCompleted
)
