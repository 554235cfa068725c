"""What decisions need to know of a case, and who holds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, assert_never, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.case.events import (
    ApplicationAccepted,
    ApplicationSubmitted,
    ApprovalDenied,
    ApprovalGranted,
    CaseClosed,
    CaseEvent,
    LicenceIssued,
    Opinion,
    OpinionRecorded,
)
from tongban.domain.recorded import NO_RULES, ItemVersion, Rules

MAIN = "main"
NOBODY = "none"


class Status(StrEnum):
    """Where a case stands (办件状态)."""

    NOT_FILED = "NOT_FILED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    GRANTED = "GRANTED"
    DENIED = "DENIED"
    CLOSED = "CLOSED"


class Case(NamedTuple):
    """A case as decisions see it. `opinions` maps each branch that spoke to its opinion and when it took effect."""

    status: Status = Status.NOT_FILED
    number: str = ""
    item: ItemVersion | None = None
    lead: str = ""
    branches: tuple[str, ...] = ()
    promised: bool = False
    licence_type: str | None = None
    applicant: UUID | None = None
    submitted_at: datetime | None = None
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    opinions: Mapping[str, tuple[Opinion, datetime]] = MappingProxyType({})
    decided_at: datetime | None = None
    granted: bool = False
    licence_issued: bool = False

    @property
    def outstanding(self) -> tuple[str, ...]:
        """The branches that have not spoken yet, in the item's order."""
        return tuple(branch for branch in self.branches if branch not in self.opinions)

    @property
    def failed(self) -> tuple[str, ...]:
        """The branches that are against it."""
        return tuple(branch for branch, (opinion, _) in self.opinions.items() if opinion is Opinion.FAIL)


def evolve(case: Case, event: CaseEvent, at: datetime) -> Case:
    """The case after an event that took effect at `at`."""
    match event:
        case ApplicationSubmitted():
            return Case(
                status=Status.SUBMITTED,
                number=event.number,
                item=ItemVersion(event.item_id, event.item_version),
                lead=event.lead,
                branches=event.branches,
                promised=event.promised,
                licence_type=event.licence_type,
                applicant=event.applicant,
                submitted_at=at,
            )
        case ApplicationAccepted():
            return case._replace(status=Status.ACCEPTED, accepted_by=event.accepted_by, accepted_at=at)
        case OpinionRecorded():
            return case._replace(opinions={**case.opinions, event.branch: (event.opinion, at)})
        case ApprovalGranted():
            return case._replace(status=Status.GRANTED, decided_at=at, granted=True)
        case ApprovalDenied():
            return case._replace(status=Status.DENIED, decided_at=at)
        case LicenceIssued():
            return case._replace(licence_issued=True)
        case CaseClosed():
            return case._replace(status=Status.CLOSED)
        case _:
            assert_never(event)


def holders(case: Case) -> Mapping[str, str]:
    """Who holds each branch now (持有方): the lead department, or side by side every branch that has yet to speak."""
    match case.status:
        case Status.NOT_FILED | Status.CLOSED:
            return {MAIN: NOBODY}
        case Status.ACCEPTED if outstanding := case.outstanding:
            return {branch: f"dept:{branch}" for branch in outstanding}
        case _:
            return {MAIN: f"dept:{case.lead}"}


def rules(case: Case) -> Rules:
    """The item version the case was filed under."""
    return Rules(item=case.item) if case.item else NO_RULES


def correlation(case: Case) -> UUID | None:
    """The bundle the case was filed in, if it was."""
    return getattr(case, "bundle", None)


CASE = Aggregate(
    category="case",
    events=get_args(CaseEvent),
    initial=Case(),
    evolve=evolve,
    holders=holders,
    rules=rules,
    correlation=correlation,
)
