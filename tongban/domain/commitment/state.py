"""What decisions need to know of a commitment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, assert_never, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.clock import Clock
from tongban.domain.commitment.events import CheckResult, CommitmentChecked, CommitmentCheckOpened, CommitmentEvent
from tongban.domain.recorded import Rules


class Commitment(NamedTuple):
    """`clock` is None until the check is due, `result` until it was made."""

    applicant: UUID | None = None
    item_id: str = ""
    department: str = ""
    opened_at: datetime | None = None
    clock: Clock | None = None
    result: CheckResult | None = None


def evolve(commitment: Commitment, event: CommitmentEvent, at: datetime) -> Commitment:
    """The commitment after an event."""
    match event:
        case CommitmentCheckOpened():
            return Commitment(event.applicant, event.item_id, event.department, at, event.clocks[-1])
        case CommitmentChecked():
            return commitment._replace(result=event.result, clock=event.clocks[-1])
        case _:
            assert_never(event)


def holders(commitment: Commitment) -> Mapping[str, str]:
    """The department holds the check until it is made."""
    return {"check": "none" if commitment.result else f"dept:{commitment.department}"}


def rules(commitment: Commitment) -> Rules:
    """The calendar the time of the check was reckoned by."""
    return Rules(calendar=commitment.clock.calendar if commitment.clock else None)


COMMITMENT = Aggregate(
    category="commitment",
    events=get_args(CommitmentEvent),
    initial=Commitment(),
    evolve=evolve,
    holders=holders,
    rules=rules,
)
