"""Which bundles are there, and how far is each? One row per bundle (`bundle_view`), from its own stream alone.

What its cases report is noted in the bundle, so that one progress can be told without reading them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, get_args
from uuid import UUID

import orjson
from psycopg import Cursor, sql

from tongban.domain.bundle import events as e
from tongban.domain.bundle.events import Noted
from tongban.domain.case.events import Opinion, Result
from tongban.domain.recorded import Recorded
from tongban.domain.timers import BUNDLE_TIMERS, after
from tongban.projections.keyset import Keyset, Page, check_first, read_moment, read_uuid
from tongban.projections.projection import DerivedTable, StreamTable
from tongban.projections.selecting import fetch, fetch_one, selecting
from tongban.projections.timers import TimerRow, timers_of

Part = Mapping[str, Any]


class BundleRow(NamedTuple):
    """A bundle. Times are UTC. Form and texts are not here.

    `state`: SUBMITTED, ACCEPTED, DECIDED, COMPLETED. `parts`: in the definition's order [{item, version, case_id, lead,
    licence_type, promised, waits: [{kind, before}], gates: [{name, holds}], opened, state, accepted, decided, result,
    licence_id, asked}], whose state is WAITING, BEGUN, CORRECTING, ACCEPTED, DECIDED or OVER; `tasks`: [{id,
    participants, serves, ready, result}]; `clocks`: {name: clock} with each ledger whole; `correction`: what the one
    notice asks for, [{material, parts: [{item, materials}]}]; `sealed`: {item: boxes} with what is wrong in each.
    """

    id: UUID
    number: str
    bundle_id: str
    bundle_version: int
    label: str
    lead: str
    departments: Sequence[str]
    applicant: UUID
    mandate: UUID | None
    filed_by: str
    channel: str
    submitted_at: datetime
    accepted_at: datetime | None
    decided_at: datetime | None
    completed_at: datetime | None
    state: str
    withdrawn: bool
    parts: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    clocks: dict[str, Any]
    correction: list[dict[str, Any]]
    sealed: dict[str, Any]
    version: int
    position: int


def fold(row: BundleRow | None, recorded: Recorded) -> BundleRow:
    """The bundle after one more event."""
    event, envelope = recorded.event, recorded.envelope
    if isinstance(event, e.BundleSubmitted):
        row = _submitted(event, recorded)
    assert row is not None, "a bundle begins with its application"
    change = _CHANGES.get(event.__class__)
    if change is not None:
        row = change(row, event, recorded)
    if clocks := getattr(event, "clocks", ()):
        row = row._replace(clocks={**row.clocks, **{clock.name: orjson.loads(orjson.dumps(clock)) for clock in clocks}})
    return row._replace(version=envelope.version, position=recorded.position)


def _submitted(event: e.BundleSubmitted, recorded: Recorded) -> BundleRow:
    envelope = recorded.envelope
    return BundleRow(
        id=envelope.stream,
        number=event.number,
        bundle_id=event.bundle_id,
        bundle_version=event.bundle_version,
        label=event.label,
        lead=event.lead,
        departments=sorted({event.lead, *(name for plan in event.items for name in plan.departments)}),
        applicant=event.applicant,
        mandate=envelope.actor.mandate,
        filed_by=envelope.actor.id,
        channel=event.channel,
        submitted_at=envelope.effective_at,
        accepted_at=None,
        decided_at=None,
        completed_at=None,
        state="SUBMITTED",
        withdrawn=False,
        parts=[_planned(plan) for plan in event.items],
        tasks=[
            {"id": t.id, "participants": list(t.participants), "serves": list(t.serves), "ready": False, "result": None}
            for t in event.tasks
        ],
        clocks={},
        correction=[],
        sealed={},
        version=0,
        position=0,
    )


def _planned(plan: e.SubItem) -> dict[str, Any]:
    return {
        "item": plan.item,
        "version": plan.item_version,
        "case_id": str(plan.case_id),
        "lead": plan.lead,
        "licence_type": plan.licence_type,
        "waits": [{"kind": wait.kind, "before": wait.before} for wait in plan.waits],
        "gates": [{"name": gate.name, "holds": gate.holds} for gate in plan.gates],
        "opened": [],
        "state": "WAITING",
        "decided": False,
        "result": None,
        "licence_id": None,
        "asked": False,
    }


def _with(row: BundleRow, item: str, **changes: Any) -> BundleRow:
    return row._replace(parts=[part | changes if part["item"] == item else part for part in row.parts])


_STATES: Mapping[Noted, Mapping[str, Any]] = {
    Noted.CORRECTED: {"state": "BEGUN", "asked": False},
    Noted.ACCEPTED: {"state": "ACCEPTED", "asked": False},
    Noted.GRANTED: {"state": "DECIDED", "decided": True, "result": Result.GRANTED},
    Noted.DENIED: {"state": "DECIDED", "decided": True, "result": Result.DENIED},
    Noted.NOT_ACCEPTED: {"state": "DECIDED", "decided": True, "result": Result.NOT_ACCEPTED, "asked": False},
    Noted.WITHDRAWN: {"state": "DECIDED", "decided": True, "result": Result.WITHDRAWN, "asked": False},
    Noted.LAPSED: {"state": "DECIDED", "decided": True, "result": Result.LAPSED, "asked": False},
}


def _noted(row: BundleRow, event: e.SubCaseNoted, recorded: Recorded) -> BundleRow:
    if event.what is Noted.DEFECTS:
        return row._replace(sealed={**row.sealed, event.item: [dict(box) for box in recorded.sealed]})
    if event.what is Noted.ISSUED:
        return _with(row, event.item, licence_id=str(event.licence_id))
    if event.what is Noted.CLOSED:
        row = _with(row, event.item, state="OVER", decided=True, result=event.result, asked=False)
    else:
        row = _with(row, event.item, **_STATES.get(event.what, {}))
    return row if event.what in _STAND_BESIDE else _mended(row, {event.item})


_STAND_BESIDE = frozenset({Noted.FILED, Noted.COMMITTED})


def _mended(row: BundleRow, items: set[str]) -> BundleRow:
    """Nothing is wrong with these parts any more; the notice is answered once no part waits for a correction."""
    sealed = {item: boxes for item, boxes in row.sealed.items() if item not in items}
    answered = not any(part["asked"] for part in row.parts)
    return row._replace(sealed=sealed, correction=[] if answered else row.correction)


def _cancelled(row: BundleRow, event: e.SubItemCancelled, _: Recorded) -> BundleRow:
    result = Result.WITHDRAWN if event.ground is e.Ground.WITHDRAWN else Result.NOT_STARTED
    return _with(row, event.item, state="OVER", decided=True, result=result)


def _asked(row: BundleRow, event: e.BundleCorrectionRequested, _: Recorded) -> BundleRow:
    cases = set(map(str, event.cases))
    for part in row.parts:
        if part["case_id"] in cases:
            row = _with(row, part["item"], state="CORRECTING", asked=True)
    asked = [
        {
            "material": each.material,
            "parts": [{"item": own.item, "materials": list(own.materials)} for own in each.parts],
        }
        for each in event.materials
    ]
    return row._replace(correction=asked)


def _corrected(row: BundleRow, event: e.BundleCorrected, _: Recorded) -> BundleRow:
    cases = {str(part.case_id) for part in event.parts}
    items = {part["item"] for part in row.parts if part["case_id"] in cases}
    for item in items:
        row = _with(row, item, state="BEGUN", asked=False)
    return _mended(row, items)


def _gate(row: BundleRow, event: e.GateReached, _: Recorded) -> BundleRow:
    opened = next(part["opened"] for part in row.parts if part["item"] == event.item)
    return _with(row, event.item, opened=[*opened, event.gate])


def _task(row: BundleRow, event: e.SharedTaskReady | e.JointInspectionDone, _: Recorded) -> BundleRow:
    result = event.result if isinstance(event, e.JointInspectionDone) else None
    changes = {"ready": True, "result": result}
    return row._replace(tasks=[task | changes if task["id"] == event.task else task for task in row.tasks])


def _accepted(row: BundleRow, _: e.BundleAccepted, recorded: Recorded) -> BundleRow:
    at = recorded.envelope.effective_at
    return row._replace(state="ACCEPTED", accepted_at=min(row.accepted_at or at, at))


_CHANGES: Mapping[type, Callable[[BundleRow, Any, Recorded], BundleRow]] = {
    e.SubItemStarted: lambda row, event, _: _with(row, event.item, state="BEGUN"),
    e.SubItemCancelled: _cancelled,
    e.SubCaseNoted: _noted,
    e.BundleAccepted: lambda row, _, recorded: row._replace(
        state="ACCEPTED",
        accepted_at=min(row.accepted_at or recorded.envelope.effective_at, recorded.envelope.effective_at),
    ),
    e.SharedTaskReady: _task,
    e.JointInspectionDone: _task,
    e.GateReached: _gate,
    e.BundleCorrectionRequested: _asked,
    e.BundleCorrected: _corrected,
    e.BundleWithdrawn: lambda row, _, __: row._replace(withdrawn=True),
    e.BundleDecided: lambda row, _, recorded: row._replace(state="DECIDED", decided_at=recorded.envelope.effective_at),
    e.BundleCompleted: lambda row, _, recorded: row._replace(
        state="COMPLETED", completed_at=recorded.envelope.effective_at
    ),
}

BUNDLES = StreamTable(name="bundle_view", row=BundleRow, events=get_args(e.BundleEvent), fold=fold)


def timer_rows(bundle: BundleRow) -> Iterable[TimerRow]:
    """The notice of defects that were noted goes out on the last day it can, if it was not sent before."""
    for timer in timers_of(bundle.id, bundle.clocks, BUNDLE_TIMERS):
        last_day = date.fromisoformat(bundle.clocks[timer.kind]["due"])
        yield timer._replace(due_at=after(last_day - timedelta(days=1)))


BUNDLE_TIMERS_TABLE = DerivedTable(
    name="bundle_timer", row=TimerRow, key=("stream", "kind"), source=BUNDLES, rows=timer_rows
)


class Progress(NamedTuple):
    """一体管理: one progress for all parts. `waiting_for`: the applicant, shared tasks, and the departments at work."""

    done: int
    total: int
    waiting_for: Sequence[str]


def progress_of(bundle: BundleRow) -> Progress:
    """How far a bundle is."""
    open_parts = [part for part in bundle.parts if part["state"] != "OVER"]
    waiting: dict[str, None] = {}
    if bundle.correction:
        waiting["applicant"] = None
    for task in bundle.tasks:
        if (
            task["ready"]
            and task["result"] != Opinion.PASS
            and any(not part["decided"] and part["item"] in task["serves"] for part in open_parts)
        ):
            waiting[f"task:{task['id']}"] = None
    for part in open_parts:
        if not part["asked"] and part["state"] != "WAITING":
            waiting[f"dept:{part['lead']}"] = None
    return Progress(len(bundle.parts) - len(open_parts), len(bundle.parts), tuple(waiting))


def waits_of(bundle: BundleRow, part: Part) -> tuple[str, ...]:
    """What one part waits for now: other items, shared tasks, or that all are decided."""
    if part["state"] == "OVER":
        return ()
    if part["state"] == "WAITING":
        there = {other["item"] for other in bundle.parts if _finished(other)}
        return tuple(
            wait["before"]
            for wait in part["waits"]
            if wait["kind"] == "FINISH_TO_START" and wait["before"] not in there
        )
    return tuple(dict.fromkeys(gate["name"] for gate in part["gates"] if gate["name"] not in part["opened"]))


def _finished(part: Part) -> bool:
    granted = part["result"] == Result.GRANTED
    return granted and (part["licence_type"] is None or part["licence_id"] is not None)


_SELECT = selecting("bundle_view", BundleRow)
BY_SUBMISSION: Keyset[BundleRow] = Keyset("bundles", lambda row: (row.submitted_at, row.id), (read_moment, read_uuid))


def bundles_by_ids(cursor: Cursor[Any], ids: Sequence[UUID]) -> dict[UUID, BundleRow]:
    """Those of the bundles that the reader may see."""
    rows = fetch(cursor, BundleRow, _SELECT + sql.SQL(" WHERE id = ANY(%s)"), (list(ids),))
    return {row.id: row for row in rows}


def bundle_by_number(cursor: Cursor[Any], number: str) -> BundleRow | None:
    """The bundle with a human number, if the reader may see it."""
    return fetch_one(cursor, BundleRow, _SELECT + sql.SQL(" WHERE number = %s"), (number,))


def bundles_of(cursor: Cursor[Any], applicant: UUID, *, first: int, after: str | None = None) -> Page[BundleRow]:
    """The bundles of an applicant, newest first. Raises BadCursor, BadPageSize."""
    query, parameters = _SELECT + sql.SQL(" WHERE applicant = %s"), [applicant]
    values: list[Any] = list(parameters)
    if after is not None:
        query += sql.SQL(" AND (submitted_at, id) < (%s, %s)")
        values += BY_SUBMISSION.decode(after)
    query += sql.SQL(" ORDER BY submitted_at DESC, id DESC LIMIT %s")
    return BY_SUBMISSION.page(fetch(cursor, BundleRow, query, [*values, check_first(first) + 1]), first)
