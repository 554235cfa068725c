"""Which promises are to be checked, and what was found? One row per promise (`commitment_view`), from its stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.commitment.events import CommitmentChecked, CommitmentCheckOpened, CommitmentEvent
from tongban.domain.recorded import Recorded
from tongban.projections.ledgers import clock_as_json
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, selecting


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
    ledger = clock_as_json(clock)
    return row._replace(due=clock.due, clock=ledger, version=envelope.version, position=recorded.position)


COMMITMENTS = StreamTable(name="commitment_view", row=CommitmentRow, events=get_args(CommitmentEvent), fold=fold)

_SELECT = selecting("commitment_view", CommitmentRow)


def commitments_of(cursor: Cursor[Any], case_ids: Sequence[UUID]) -> dict[UUID, CommitmentRow]:
    """Case → the check of its promise, where there is one that the reader may see."""
    rows = fetch(cursor, CommitmentRow, _SELECT + sql.SQL(" WHERE case_id = ANY(%s)"), (list(case_ids),))
    return {row.case_id: row for row in rows}
