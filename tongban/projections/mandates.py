"""Who may act for whom? One row per mandate (`mandate_view`). Whether it is in force today is the reader's to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, assert_never, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.mandate.events import MandateEvent, MandateGranted, MandateRevoked
from tongban.domain.recorded import Recorded
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, selecting

MOST = 100
"""Mandates of one party that are shown, the newest first."""


class MandateRow(NamedTuple):
    """A mandate; both days are inclusive, `items` and `steps` None mean all. `granted_by` is the actor's id."""

    id: UUID
    principal: UUID
    agent: UUID
    kind: str
    items: Sequence[str] | None
    steps: Sequence[str] | None
    valid_from: date
    valid_to: date
    document: str | None
    granted_at: datetime
    granted_by: str
    revoked_at: datetime | None
    version: int
    position: int


def fold(row: MandateRow | None, recorded: Recorded) -> MandateRow:
    """The mandate after one more event."""
    event: MandateEvent = recorded.event
    envelope = recorded.envelope
    match event:
        case MandateGranted():
            return MandateRow(
                id=envelope.stream,
                principal=event.principal,
                agent=event.agent,
                kind=event.kind,
                items=event.items,
                steps=event.steps,
                valid_from=event.valid_from,
                valid_to=event.valid_to,
                document=event.document,
                granted_at=envelope.effective_at,
                granted_by=envelope.actor.id,
                revoked_at=None,
                version=envelope.version,
                position=recorded.position,
            )
        case MandateRevoked():
            assert row is not None, "a mandate begins with its grant"
            return row._replace(revoked_at=envelope.effective_at, version=envelope.version, position=recorded.position)
        case _:
            assert_never(event)


MANDATES = StreamTable(name="mandate_view", row=MandateRow, events=get_args(MandateEvent), fold=fold)

_SELECT = selecting("mandate_view", MandateRow)
_OF = (
    sql.SQL("SELECT wanted.party, given.* FROM unnest(%s::uuid[]) AS wanted (party) CROSS JOIN LATERAL (")
    + _SELECT
    + sql.SQL(
        " WHERE principal = wanted.party OR agent = wanted.party ORDER BY granted_at DESC, id DESC LIMIT %s"
        ") AS given ORDER BY given.granted_at DESC, given.id DESC"
    )
)


def mandates_by_ids(cursor: Cursor[Any], mandate_ids: Sequence[UUID]) -> dict[UUID, MandateRow]:
    """Those of the mandates that the reader may see."""
    rows = fetch(cursor, MandateRow, _SELECT + sql.SQL(" WHERE id = ANY(%s)"), (list(mandate_ids),))
    return {row.id: row for row in rows}


def mandates_of(cursor: Cursor[Any], parties: Sequence[UUID]) -> dict[UUID, list[MandateRow]]:
    """Party → the mandates it gave and was given, newest first, MOST of them at most."""
    cursor.execute(_OF, (list(parties), MOST))
    found: dict[UUID, list[MandateRow]] = {}
    for party, *columns in cursor.fetchall():
        found.setdefault(party, []).append(MandateRow(*columns))
    return found
