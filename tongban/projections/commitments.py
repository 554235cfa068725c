"""Which promises are to be checked, and what was found? One row per promise (`commitment_view`), from its stream."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

import orjson

from tongban.domain.commitment.events import CommitmentChecked, CommitmentCheckOpened, CommitmentEvent
from tongban.domain.recorded import Recorded
from tongban.projections.projection import StreamTable


class CommitmentRow(NamedTuple):
    """A promise whose check is due or was made. `clock` is its ledger (see `domain.clock`)."""

    id: UUID
    case_id: UUID
    item_id: str
    department: str
    due: date
    clock: Mapping[str, Any]
    result: str | None
    checked_at: datetime | None
    version: int
    position: int


def fold(row: CommitmentRow | None, recorded: Recorded) -> CommitmentRow:
    """The promise after one more event."""
    event: CommitmentEvent = recorded.event
    envelope = recorded.envelope
    clock = event.clocks[-1]
    if isinstance(event, CommitmentCheckOpened):
        row = CommitmentRow(
            id=envelope.stream,
            case_id=event.case_id,
            item_id=event.item_id,
            department=event.department,
            due=clock.due,
            clock={},
            result=None,
            checked_at=None,
            version=0,
            position=0,
        )
    assert row is not None, "a promise is checked after the check was opened"
    if isinstance(event, CommitmentChecked):
        row = row._replace(result=event.result, checked_at=envelope.effective_at)
    ledger = orjson.loads(orjson.dumps(clock))
    return row._replace(due=clock.due, clock=ledger, version=envelope.version, position=recorded.position)


COMMITMENTS = StreamTable(name="commitment_view", row=CommitmentRow, events=get_args(CommitmentEvent), fold=fold)
