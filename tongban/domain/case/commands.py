"""What may be asked of a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from tongban.domain.case.events import Channel, Opinion


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
class SubmitApplication:
    """File an application for a service item: for oneself, or for another under the mandate that is named."""

    item: str
    applicant: UUID
    channel: Channel
    answers: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    materials: tuple[MaterialOffered, ...] = ()
    draft: UUID | None = None
    mandate: UUID | None = None


@dataclass(frozen=True, slots=True)
class AcceptApplication:
    """Accept the application (受理): by an acceptor of the lead department."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class RecordOpinion:
    """Give the opinion of one branch: by a reviewer of that department."""

    case_id: UUID
    branch: str
    opinion: Opinion
    text: str = ""


@dataclass(frozen=True, slots=True)
class GrantApproval:
    """Grant (准予): by a decider of the lead department, when every branch has passed it."""

    case_id: UUID
    text: str = ""


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


CaseCommand = AcceptApplication | RecordOpinion | GrantApproval | DenyApproval | IssueLicence
