"""Which cases are there, and where does each stand? One row per case (`case_view`), from its own stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, assert_never, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.case.events import (
    ApplicationAccepted,
    ApplicationSubmitted,
    ApprovalDenied,
    ApprovalGranted,
    CaseClosed,
    CaseEvent,
    LicenceIssued,
    Opinion,
    OpinionRecorded,
)
from tongban.domain.case.state import Status
from tongban.domain.recorded import Recorded
from tongban.projections.keyset import Keyset, Page, check_first, read_moment, read_uuid
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, fetch_one, selecting


class CaseRow(NamedTuple):
    """A case. Times are UTC. Form, texts and materials are not here: they stand once, in the timeline.

    `branches`: [{department, opinion, at}] in the item's order; `holders`: {branch: {holder, since, version,
    position}}, where the last three say since which event.
    """

    id: UUID
    number: str
    item_id: str
    item_version: int
    lead: str
    departments: Sequence[str]
    applicant: UUID
    filed_by: str
    mandate: UUID | None
    channel: str
    submitted_at: datetime
    status: str
    branches: Sequence[Mapping[str, Any]]
    holders: Mapping[str, Mapping[str, Any]]
    accepted_at: datetime | None
    decided_at: datetime | None
    closed_at: datetime | None
    result: str | None
    licence_id: UUID | None
    version: int
    position: int


def fold(row: CaseRow | None, recorded: Recorded) -> CaseRow:
    """The case after one more event."""
    event: CaseEvent = recorded.event
    envelope = recorded.envelope
    at = envelope.effective_at
    if isinstance(event, ApplicationSubmitted):
        row = CaseRow(
            id=envelope.stream,
            number=event.number,
            item_id=event.item_id,
            item_version=event.item_version,
            lead=event.lead,
            departments=sorted({event.lead, *event.branches}),
            applicant=event.applicant,
            filed_by=envelope.actor.id,
            mandate=envelope.actor.mandate,
            channel=event.channel,
            submitted_at=at,
            status=Status.SUBMITTED,
            branches=[{"department": branch, "opinion": None, "at": None} for branch in event.branches],
            holders={},
            accepted_at=None,
            decided_at=None,
            closed_at=None,
            result=None,
            licence_id=None,
            version=0,
            position=0,
        )
    assert row is not None, "a case begins with its application"
    held = _holders(row.holders, recorded)
    changes = _changes(row, event, at)
    return row._replace(version=envelope.version, position=recorded.position, holders=held, **changes)


def _changes(row: CaseRow, event: CaseEvent, at: datetime) -> dict[str, Any]:
    match event:
        case ApplicationSubmitted():
            return {}
        case ApplicationAccepted():
            return {"status": Status.ACCEPTED, "accepted_at": at}
        case OpinionRecorded():
            spoken = {"department": event.branch, "opinion": event.opinion, "at": at.isoformat()}
            return {"branches": [spoken if b["department"] == event.branch else b for b in row.branches]}
        case ApprovalGranted():
            return {"status": Status.GRANTED, "decided_at": at}
        case ApprovalDenied():
            return {"status": Status.DENIED, "decided_at": at}
        case LicenceIssued():
            return {"licence_id": event.licence_id}
        case CaseClosed():
            return {"status": Status.CLOSED, "closed_at": at, "result": event.result}
        case _:
            assert_never(event)


def _holders(before: Mapping[str, Mapping[str, Any]], recorded: Recorded) -> dict[str, Mapping[str, Any]]:
    """Who holds each branch; one who held it before holds it since then."""
    after: dict[str, Mapping[str, Any]] = {}
    for branch, holder in recorded.envelope.holders.items():
        held = before.get(branch)
        if held is None or held["holder"] != holder:
            held = {
                "holder": holder,
                "since": recorded.envelope.effective_at.isoformat(),
                "version": recorded.envelope.version,
                "position": recorded.position,
            }
        after[branch] = held
    return after


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A branch of the review. `state`: WAITING, REVIEWING, PASSED, FAILED, DROPPED."""

    department: str
    holder: str | None
    state: str
    opinion: str | None
    at: datetime | None


def branch_states(case: CaseRow) -> list[BranchRow]:
    """Where each branch of a case stands, in the item's order."""
    states: list[BranchRow] = []
    for branch in case.branches:
        department, opinion = branch["department"], branch["opinion"]
        held = case.holders.get(department)
        if opinion is not None:
            state = "PASSED" if opinion == Opinion.PASS else "FAILED"
        elif held is not None:
            state = "REVIEWING"
        else:
            state = "WAITING" if case.decided_at is None else "DROPPED"
        states.append(
            BranchRow(
                department=department,
                holder=held["holder"] if held else None,
                state=state,
                opinion=opinion,
                at=datetime.fromisoformat(branch["at"]) if branch["at"] else None,
            )
        )
    return states


CASES = StreamTable(name="case_view", row=CaseRow, events=get_args(CaseEvent), fold=fold)

_SELECT = selecting("case_view", CaseRow)
BY_SUBMISSION: Keyset[CaseRow] = Keyset("cases", lambda row: (row.submitted_at, row.id), (read_moment, read_uuid))


def case_by_id(cursor: Cursor[Any], case_id: UUID) -> CaseRow | None:
    """The case, if the reader may see it."""
    return fetch_one(cursor, CaseRow, _SELECT + sql.SQL(" WHERE id = %s"), (case_id,))


def case_by_number(cursor: Cursor[Any], number: str) -> CaseRow | None:
    """The case with a human number, if the reader may see it."""
    return fetch_one(cursor, CaseRow, _SELECT + sql.SQL(" WHERE number = %s"), (number,))


def cases_by_ids(cursor: Cursor[Any], case_ids: Sequence[UUID]) -> dict[UUID, CaseRow]:
    """Those of the cases that the reader may see."""
    rows = fetch(cursor, CaseRow, _SELECT + sql.SQL(" WHERE id = ANY(%s)"), (list(case_ids),))
    return {row.id: row for row in rows}


def cases_of(
    cursor: Cursor[Any], applicant: UUID, *, first: int, after: str | None = None, status: str | None = None
) -> Page[CaseRow]:
    """The cases of an applicant, newest first. Raises BadCursor, BadPageSize."""
    query, values = _SELECT + sql.SQL(" WHERE applicant = %s"), [applicant]
    parameters: list[Any] = list(values)
    if status is not None:
        query += sql.SQL(" AND status = %s")
        parameters.append(status)
    if after is not None:
        query += sql.SQL(" AND (submitted_at, id) < (%s, %s)")
        parameters += BY_SUBMISSION.decode(after)
    query += sql.SQL(" ORDER BY submitted_at DESC, id DESC LIMIT %s")
    return BY_SUBMISSION.page(fetch(cursor, CaseRow, query, [*parameters, check_first(first) + 1]), first)


def cases_under(cursor: Cursor[Any], mandate: UUID, *, first: int, after: str | None = None) -> Page[CaseRow]:
    """The cases filed under a mandate, newest first. Raises BadCursor, BadPageSize."""
    query = _SELECT + sql.SQL(" WHERE mandate = %s")
    parameters: list[Any] = [mandate]
    if after is not None:
        query += sql.SQL(" AND (submitted_at, id) < (%s, %s)")
        parameters += BY_SUBMISSION.decode(after)
    query += sql.SQL(" ORDER BY submitted_at DESC, id DESC LIMIT %s")
    return BY_SUBMISSION.page(fetch(cursor, CaseRow, query, [*parameters, check_first(first) + 1]), first)
