"""What waits at a department? One row per department and case it holds work of now (`department_queue`).

Derived from the case's row alone: since when, and for which branches, stands in its `holders`; the deadline is that of
its clocks. No row knows what day it is: the light of a deadline is told when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.clock import Light
from tongban.domain.lights import MOST_WARNED, Thresholds
from tongban.projections.cases import CASES, CaseRow, clock_worked_against
from tongban.projections.keyset import Keyset, Page, check_first, read_moment, read_uuid
from tongban.projections.ledgers import days_given
from tongban.projections.projection import DerivedTable
from tongban.projections.selecting import fetch, selecting

_DEPARTMENT = "dept:"


class QueueRow(NamedTuple):
    """`department` holds `branches` of the case, the first of them since `since`.

    `state` is the case's. `due` is the deadline it is worked against now, `clock` the name of that deadline, `days` how
    many working days it gives: which light it shows depends on the day. `claimed_by` is the officer who took it.
    Version and position are those of the event that gave it the last of them.
    """

    department: str
    case_id: UUID
    since: datetime
    branches: Sequence[str]
    state: str
    clock: str | None
    due: date | None
    days: int
    claimed_by: str | None
    version: int
    position: int


def queue_rows(case: CaseRow) -> Iterable[QueueRow]:
    """The queue entries of one case."""
    held: dict[str, list[str]] = {}
    for branch, entry in case.holders.items():
        if entry["holder"].startswith(_DEPARTMENT):
            held.setdefault(entry["holder"].removeprefix(_DEPARTMENT), []).append(branch)
    if not held:
        return
    written = clock_worked_against(case)
    # Of the clock only what a row says: this runs twice for every event of a case.
    clock, due, days = (None, None, 0)
    if written is not None:
        clock, due, days = written["name"], date.fromisoformat(written["due"]), days_given(written)
    for department, branches in held.items():
        entries = [case.holders[branch] for branch in branches]
        yield QueueRow(
            department=department,
            case_id=case.id,
            since=min(datetime.fromisoformat(entry["since"]) for entry in entries),
            branches=sorted(branches),
            state=case.status,
            clock=clock,
            due=due,
            days=days,
            claimed_by=next((case.claims[branch] for branch in sorted(branches) if branch in case.claims), None),
            version=max(entry["version"] for entry in entries),
            position=max(entry["position"] for entry in entries),
        )


QUEUE = DerivedTable(
    name="department_queue", row=QueueRow, key=("department", "case_id"), source=CASES, rows=queue_rows
)


class Order(StrEnum):
    """In which order a queue is read."""

    SINCE = "SINCE"
    DUE = "DUE"


class Claim(StrEnum):
    """Who has taken a piece of work."""

    NOBODY = "NOBODY"
    ME = "ME"
    OTHERS = "OTHERS"


class Lights(NamedTuple):
    """By which days lights are told, made once per request: see `domain.lights`."""

    today: date
    green: Sequence[date]
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a queue is asked for; None: whatever it is. `reader` is the officer who asks."""

    state: str | None = None
    light: Light | None = None
    claim: Claim | None = None
    reader: str = ""


class Counter(NamedTuple):
    """How many pieces of work stand in a state with a light (None: no deadline)."""

    state: str
    light: str | None
    cases: int


_SELECT = selecting("department_queue", QueueRow)
_NO_DEADLINE = date(9999, 12, 31)
OLDEST_FIRST: Keyset[QueueRow] = Keyset("queue", lambda row: (row.since, row.case_id), (read_moment, read_uuid))
DUE_FIRST: Keyset[QueueRow] = Keyset(
    "queue-due",
    lambda row: (row.due or _NO_DEADLINE, row.since, row.case_id),
    (date.fromisoformat, read_moment, read_uuid),
)
_KEYS = {
    Order.SINCE: (OLDEST_FIRST, sql.SQL("since, case_id")),
    Order.DUE: (DUE_FIRST, sql.SQL("COALESCE(due, DATE '9999-12-31'), since, case_id")),
}
# The same question as domain.lights.standing asks of one clock; the casts are for parameters of unknown type.
_LIGHT = sql.SQL(
    """CASE WHEN due IS NULL THEN NULL
    WHEN due < %(today)s::date THEN 'RED'
    WHEN due < (%(green)s::date[])[1 + least(greatest(days * %(share)s::int / 100, %(days)s::int), %(most)s::int)]
    THEN 'YELLOW' ELSE 'GREEN' END"""
)
# Says nothing new, but in the words of the index by deadline.
_DUE = "COALESCE(due, DATE '9999-12-31')"
_BOUNDS = {
    Light.RED: sql.SQL(f" AND {_DUE} < %(today)s::date"),
    Light.YELLOW: sql.SQL(f" AND {_DUE} >= %(today)s::date AND {_DUE} < (%(green)s::date[])[1 + %(most)s::int]"),
    Light.GREEN: sql.SQL(f" AND {_DUE} >= %(today)s::date"),
}
_CLAIMS = {
    Claim.NOBODY: sql.SQL(" AND claimed_by IS NULL"),
    Claim.ME: sql.SQL(" AND claimed_by = %(reader)s"),
    Claim.OTHERS: sql.SQL(" AND claimed_by <> %(reader)s"),
}


def _by_light(lights: Lights) -> dict[str, Any]:
    return {
        "today": lights.today,
        "green": list(lights.green),
        "share": lights.thresholds.share,
        "days": lights.thresholds.days,
        "most": MOST_WARNED,
    }


def queue_of(
    cursor: Cursor[Any],
    department: str,
    *,
    first: int,
    after: str | None = None,
    order: Order = Order.SINCE,
    wanted: Wanted | None = None,
    lights: Lights | None = None,
) -> Page[QueueRow]:
    """What a department holds: longest held first, or next deadline first. Raises BadCursor, BadPageSize.

    `lights` is needed where a light is wanted.
    """
    keyset, key = _KEYS[order]
    wanted = wanted or Wanted()
    query = _SELECT + sql.SQL(" WHERE department = %(department)s")
    parameters: dict[str, Any] = {"department": department, "reader": wanted.reader, "first": check_first(first) + 1}
    if wanted.state is not None:
        query += sql.SQL(" AND state = %(state)s")
        parameters["state"] = wanted.state
    if wanted.claim is not None:
        query += _CLAIMS[wanted.claim]
    if wanted.light is not None:
        assert lights is not None, "a light needs a day"
        query += sql.SQL(" AND ({}) = %(light)s").format(_LIGHT) + _BOUNDS[wanted.light]
        parameters |= {"light": wanted.light, **_by_light(lights)}
    if after is not None:
        given = keyset.decode(after)
        names = [f"after{index}" for index in range(len(given))]
        query += sql.SQL(" AND ({}) > ({})").format(key, sql.SQL(", ").join(map(sql.Placeholder, names)))
        parameters |= dict(zip(names, given, strict=True))
    query += sql.SQL(" ORDER BY {} LIMIT %(first)s").format(key)
    return keyset.page(fetch(cursor, QueueRow, query, parameters), first)


def counters_of(cursor: Cursor[Any], department: str, lights: Lights) -> list[Counter]:
    """How much a department holds, by state and light."""
    query = sql.SQL(
        "SELECT state, ({}) AS light, count(*) FROM department_queue WHERE department = %(department)s"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    ).format(_LIGHT)
    return fetch(cursor, Counter, query, {"department": department, **_by_light(lights)})
