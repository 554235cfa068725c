"""Who is a party? One row per registered party (`party_view`); its name and identifier stay sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.party.events import PartyRegistered
from tongban.domain.recorded import Recorded
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, selecting


class PartyRow(NamedTuple):
    """A party. `kind` and `identifier_kind` are codes of the domain."""

    id: UUID
    kind: str
    identifier_kind: str
    registered_at: datetime
    sealed: Sequence[Mapping[str, Any]]
    version: int
    position: int


def fold(_: PartyRow | None, recorded: Recorded) -> PartyRow:
    """The party after one more event."""
    event: PartyRegistered = recorded.event
    return PartyRow(
        id=recorded.envelope.stream,
        kind=event.kind,
        identifier_kind=event.identifier_kind,
        registered_at=recorded.envelope.effective_at,
        sealed=recorded.sealed,
        version=recorded.envelope.version,
        position=recorded.position,
    )


PARTIES = StreamTable(name="party_view", row=PartyRow, events=(PartyRegistered,), fold=fold)

_SELECT = selecting("party_view", PartyRow)


def parties_by_ids(cursor: Cursor[Any], party_ids: Sequence[UUID]) -> dict[UUID, PartyRow]:
    """Those of the parties that the reader may see."""
    rows = fetch(cursor, PartyRow, _SELECT + sql.SQL(" WHERE id = ANY(%s)"), (list(party_ids),))
    return {row.id: row for row in rows}
