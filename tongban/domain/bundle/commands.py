"""What may be asked of a bundle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tongban.domain.bundle.events import Noted
from tongban.domain.case.commands import MaterialOffered
from tongban.domain.case.events import Channel, Means, Opinion, Result


@dataclass(frozen=True, slots=True)
class SubmitBundle:
    """Apply for a bundle (一件事): one form and one set of materials for all its parts.

    `version` is a label of the definition (`2019`), by default the latest in force.
    """

    bundle: str
    applicant: UUID
    channel: Channel
    answers: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    materials: tuple[MaterialOffered, ...] = ()
    version: str | None = None
    draft: UUID | None = None
    delivery: Means = Means.ONLINE
    district: str | None = None
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class NoteSubCase:
    """Note what became of a sub-case. Asked by a policy only."""

    bundle_id: UUID
    case_id: UUID
    what: Noted
    result: Result | None = None
    licence_id: UUID | None = None
    materials: tuple[str, ...] = ()
    problems: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordBundleInspection:
    """Record the joint inspection (联合核查): by an inspector of a department that takes part in it."""

    bundle_id: UUID
    task: str
    inspectors: tuple[str, ...]
    result: Opinion
    text: str = ""


@dataclass(frozen=True, slots=True)
class SendCorrectionNotice:
    """Send the one notice of all defects that were noted, before every part has been looked at."""

    bundle_id: UUID


@dataclass(frozen=True, slots=True)
class SendDueNotice:
    """Send the one notice on its last day. Asked by a timer only."""

    bundle_id: UUID


@dataclass(frozen=True, slots=True)
class SubmitBundleCorrection:
    """Mend what the one notice named."""

    bundle_id: UUID
    materials: tuple[MaterialOffered, ...] = ()
    form: dict[str, Any] = field(default_factory=dict)
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class ExtendBundleDeadline:
    """Extend the joint clock once: approved by the head of the government, entered by the head of the lead."""

    bundle_id: UUID
    working_days: int
    reason: str


@dataclass(frozen=True, slots=True)
class RecomputeBundleDeadlines:
    """Reckon the deadlines by the calendar in force. Asked by a timer only."""

    bundle_id: UUID


@dataclass(frozen=True, slots=True)
class WithdrawBundle:
    """Withdraw every part of the bundle that is not decided."""

    bundle_id: UUID
    reason: str
    mandate: UUID | None = None


BundleCommand = (
    NoteSubCase
    | RecordBundleInspection
    | SendCorrectionNotice
    | SendDueNotice
    | SubmitBundleCorrection
    | ExtendBundleDeadline
    | RecomputeBundleDeadlines
    | WithdrawBundle
)
