"""What waits at a department? One row per department and case it holds work of now (`department_queue`).

Derived from the case's row alone: since when, and for which branches, stands in its `holders`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor, sql

from tongban.projections.cases import CASES, CaseRow
from tongban.projections.keyset import Keyset, Page, check_first, read_moment, read_uuid
from tongban.projections.projection import DerivedTable
from tongban.projections.selecting import fetch, selecting

_DEPARTMENT = "dept:"


class QueueRow(NamedTuple):
    """`department` holds `branches` of the case, the first of them since `since`.

    Version and position are those of the event that gave it the last of them.
    """

    department: str
    case_id: UUID
    since: datetime
    branches: Sequence[str]
    version: int
    position: int


def queue_rows(case: CaseRow) -> Iterable[QueueRow]:
    """The queue entries of one case."""
    held: dict[str, list[str]] = {}
    for branch, entry in case.holders.items():
        if entry["holder"].startswith(_DEPARTMENT):
            held.setdefault(entry["holder"].removeprefix(_DEPARTMENT), []).append(branch)
    for department, branches in held.items():
        entries = [case.holders[branch] for branch in branches]
        yield QueueRow(
            department=department,
            case_id=case.id,
            since=min(datetime.fromisoformat(entry["since"]) for entry in entries),
            branches=sorted(branches),
            version=max(entry["version"] for entry in entries),
            position=max(entry["position"] for entry in entries),
        )


QUEUE = DerivedTable(
    name="department_queue", row=QueueRow, key=("department", "case_id"), source=CASES, rows=queue_rows
)

_SELECT = selecting("department_queue", QueueRow)
OLDEST_FIRST: Keyset[QueueRow] = Keyset("queue", lambda row: (row.since, row.case_id), (read_moment, read_uuid))


def queue_of(cursor: Cursor[Any], department: str, *, first: int, after: str | None = None) -> Page[QueueRow]:
    """What a department holds, longest held first. Raises BadCursor, BadPageSize."""
    query = _SELECT + sql.SQL(" WHERE department = %s")
    parameters: list[Any] = [department]
    if after is not None:
        query += sql.SQL(" AND (since, case_id) > (%s, %s)")
        parameters += OLDEST_FIRST.decode(after)
    query += sql.SQL(" ORDER BY since, case_id LIMIT %s")
    return OLDEST_FIRST.page(fetch(cursor, QueueRow, query, [*parameters, check_first(first) + 1]), first)
