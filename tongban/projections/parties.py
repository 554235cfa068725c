"""Who is a party? One row per registered party (`party_view`); its name and identifier stay sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.party.events import (
    ApplicantBarred,
    PartyEvent,
    PartyRegistered,
    PromiseBroken,
    TrustRepaired,
)
from tongban.domain.recorded import Recorded
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, selecting


class PartyRow(NamedTuple):
    """A party. `kind` and `identifier_kind` are codes of the domain.

    `bars`: {item: last day (ISO 8601) on which it may not be filed for}; `broken_promises`: cases, rising.
    """

    id: UUID
    kind: str
    identifier_kind: str
    registered_at: datetime
    bars: Mapping[str, str]
    broken_promises: Sequence[str]
    sealed: Sequence[Mapping[str, Any]]
    version: int
    position: int


def fold(row: PartyRow | None, recorded: Recorded) -> PartyRow:
    """The party after one more event."""
    event: PartyEvent = recorded.event
    envelope = recorded.envelope
    if isinstance(event, PartyRegistered):
        return PartyRow(
            id=envelope.stream,
            kind=event.kind,
            identifier_kind=event.identifier_kind,
            registered_at=envelope.effective_at,
            bars={},
            broken_promises=(),
            sealed=recorded.sealed,
            version=envelope.version,
            position=recorded.position,
        )
    assert row is not None, "a party begins with its registration"
    row = row._replace(version=envelope.version, position=recorded.position)
    match event:
        case ApplicantBarred():
            return row._replace(bars={**row.bars, event.item_id: event.until.isoformat()})
        case PromiseBroken():
            return row._replace(broken_promises=sorted({*row.broken_promises, str(event.case_id)}))
        case TrustRepaired():
            return row._replace(broken_promises=())


PARTIES = StreamTable(name="party_view", row=PartyRow, events=get_args(PartyEvent), fold=fold)

_SELECT = selecting("party_view", PartyRow)


def parties_by_ids(cursor: Cursor[Any], party_ids: Sequence[UUID]) -> dict[UUID, PartyRow]:
    """Those of the parties that the reader may see."""
    rows = fetch(cursor, PartyRow, _SELECT + sql.SQL(" WHERE id = ANY(%s)"), (list(party_ids),))
    return {row.id: row for row in rows}
