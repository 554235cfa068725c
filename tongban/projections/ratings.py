"""How was a case rated? One row per rating (`rating_view`), from its own stream; its text stays sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.rating.events import CaseRated
from tongban.domain.recorded import Recorded
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, selecting


class RatingRow(NamedTuple):
    """A rating. Grade 1 is best, 5 worst."""

    id: UUID
    case_id: UUID
    item_id: str
    department: str
    rater: UUID
    grade: int
    options: Sequence[str]
    anonymous: bool
    rated_at: datetime
    sealed: Sequence[Mapping[str, Any]]
    version: int
    position: int


def fold(_: RatingRow | None, recorded: Recorded) -> RatingRow:
    """The rating after one more event."""
    event: CaseRated = recorded.event
    return RatingRow(
        id=recorded.envelope.stream,
        case_id=event.case_id,
        item_id=event.item_id,
        department=event.department,
        rater=event.rater,
        grade=event.grade,
        options=event.options,
        anonymous=event.anonymous,
        rated_at=recorded.envelope.effective_at,
        sealed=recorded.sealed,
        version=recorded.envelope.version,
        position=recorded.position,
    )


RATINGS = StreamTable(name="rating_view", row=RatingRow, events=(CaseRated,), fold=fold)

_SELECT = selecting("rating_view", RatingRow)


def ratings_of(cursor: Cursor[Any], case_ids: Sequence[UUID]) -> dict[UUID, RatingRow]:
    """Case → its rating, where there is one that the reader may see."""
    rows = fetch(cursor, RatingRow, _SELECT + sql.SQL(" WHERE case_id = ANY(%s)"), (list(case_ids),))
    return {row.case_id: row for row in rows}
