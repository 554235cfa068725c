"""Which licences does a party hold? One row per licence in the library (`licence_view`), from its own stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.licence.events import LicenceCollected, LicenceEvent
from tongban.domain.licence.state import LicenceStatus
from tongban.domain.recorded import Recorded
from tongban.projections.keyset import Keyset, Page, check_first, read_moment, read_uuid
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, selecting


class LicenceRow(NamedTuple):
    """A licence; its dates are inclusive, `valid_to` None means without end. Its face is sealed."""

    id: UUID
    case_id: UUID
    licence_type: str
    number: str
    holder: UUID
    valid_from: date
    valid_to: date | None
    collected_at: datetime
    status: str
    sealed: Sequence[Mapping[str, Any]]
    version: int
    position: int


def fold(row: LicenceRow | None, recorded: Recorded) -> LicenceRow:
    """The licence after one more event."""
    event: LicenceEvent = recorded.event
    envelope = recorded.envelope
    if isinstance(event, LicenceCollected):
        return LicenceRow(
            id=envelope.stream,
            case_id=event.case_id,
            licence_type=event.licence_type,
            number=event.licence_number,
            holder=event.holder,
            valid_from=event.valid_from,
            valid_to=event.valid_to,
            collected_at=envelope.effective_at,
            status=LicenceStatus.VALID,
            sealed=recorded.sealed,
            version=envelope.version,
            position=recorded.position,
        )
    assert row is not None, "a licence begins with its collection"
    return row._replace(status=LicenceStatus.REVOKED, version=envelope.version, position=recorded.position)


LICENCES = StreamTable(name="licence_view", row=LicenceRow, events=get_args(LicenceEvent), fold=fold)

_SELECT = selecting("licence_view", LicenceRow)
NEWEST_FIRST: Keyset[LicenceRow] = Keyset("licences", lambda row: (row.collected_at, row.id), (read_moment, read_uuid))


def licences_by_ids(cursor: Cursor[Any], licence_ids: Sequence[UUID]) -> dict[UUID, LicenceRow]:
    """Those of the licences that the reader may see."""
    rows = fetch(cursor, LicenceRow, _SELECT + sql.SQL(" WHERE id = ANY(%s)"), (list(licence_ids),))
    return {row.id: row for row in rows}


def licences_of(cursor: Cursor[Any], holder: UUID, *, first: int, after: str | None = None) -> Page[LicenceRow]:
    """The licences of a holder, newest first. Raises BadCursor, BadPageSize."""
    query = _SELECT + sql.SQL(" WHERE holder = %s")
    parameters: list[Any] = [holder]
    if after is not None:
        query += sql.SQL(" AND (collected_at, id) < (%s, %s)")
        parameters += NEWEST_FIRST.decode(after)
    query += sql.SQL(" ORDER BY collected_at DESC, id DESC LIMIT %s")
    return NEWEST_FIRST.page(fetch(cursor, LicenceRow, query, [*parameters, check_first(first) + 1]), first)
