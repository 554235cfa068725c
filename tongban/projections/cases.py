"""Which cases are there, and where does each stand? One row per case (`case_view`), from its own stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

import orjson
from psycopg import Cursor, sql

from tongban.domain.case import events as e
from tongban.domain.case.state import MAIN, Fee, Status
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Evidence, Recorded
from tongban.projections.keyset import Keyset, Page, check_first, read_moment, read_uuid
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, fetch_one, selecting


class CaseRow(NamedTuple):
    """A case. Times are UTC. Form and texts are not here: they stand once, in the timeline.

    `branches`: [{department, opinion, at}] in the item's order; `holders`: {branch: {holder, since, version,
    position}}, where the last three say since which event; `clocks`: {name: clock} with each ledger whole (see
    `domain.clock`); `suspensions`: [{branch, kind, start, end}]; `claims`: {branch: officer}; `materials`: {material:
    {how, source, source_version, ref}}. `asked` and `tolerated` are materials the applicant owes.
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
    received_on: date | None
    needed: Sequence[str]
    materials: Mapping[str, Any]
    asked: Sequence[str]
    tolerated: Sequence[str]
    claims: Mapping[str, str]
    suspensions: Sequence[Mapping[str, Any]]
    clocks: Mapping[str, Any]
    fee: str
    committed: bool
    delivery: str
    district: str | None
    bundle: UUID | None
    renews_until: date | None
    version: int
    position: int


def fold(row: CaseRow | None, recorded: Recorded) -> CaseRow:
    """The case after one more event."""
    event: e.CaseEvent = recorded.event
    envelope = recorded.envelope
    at = envelope.effective_at
    if isinstance(event, e.ApplicationSubmitted):
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
            received_on=None,
            needed=event.needed,
            materials=_materials({}, event.evidence),
            asked=(),
            tolerated=(),
            claims={},
            suspensions=[],
            clocks={},
            fee=Fee.NONE,
            committed=False,
            delivery=event.delivery,
            district=event.district,
            bundle=event.bundle,
            renews_until=event.renews_until,
            version=0,
            position=0,
        )
    assert row is not None, "a case begins with its application"
    held = _holders(row.holders, recorded)
    changes = _changes(row, event, at)
    return row._replace(version=envelope.version, position=recorded.position, holders=held, **changes)


_STATUS: Mapping[type, Status] = {
    e.MaterialsReceived: Status.RECEIVED,
    e.AcceptanceRefused: Status.ENDING,
    e.ApplicationAccepted: Status.ACCEPTED,
    e.CaseDeemedAccepted: Status.ACCEPTED,
    e.OpinionRecorded: Status.REVIEWING,
    e.ConsultRequested: Status.REVIEWING,
    e.InspectionScheduled: Status.REVIEWING,
    e.InspectionDone: Status.REVIEWING,
    e.SpecialProcedureStarted: Status.REVIEWING,
    e.ApprovalGranted: Status.GRANTED,
    e.ApprovalDeemedGranted: Status.GRANTED,
    e.ApprovalDenied: Status.DENIED,
    e.LicenceIssued: Status.ISSUING,
    e.ApplicationWithdrawn: Status.ENDING,
    e.CaseLapsed: Status.ENDING,
    e.ConditionFailed: Status.ENDING,
    e.CaseClosed: Status.CLOSED,
    e.CaseArchived: Status.ARCHIVED,
}
_FEE: Mapping[type, Fee] = {e.FeeRequested: Fee.ASKED, e.FeePaid: Fee.PAID, e.FeeRefunded: Fee.REFUNDED}


def _changes(row: CaseRow, event: e.CaseEvent, at: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if status := _STATUS.get(event.__class__):
        changes["status"] = status
    if fee := _FEE.get(event.__class__):
        changes["fee"] = fee
    if clocks := getattr(event, "clocks", ()):
        changes["clocks"] = {**row.clocks, **{clock.name: orjson.loads(orjson.dumps(clock)) for clock in clocks}}
    if evidence := getattr(event, "evidence", ()):
        changes["materials"] = _materials(row.materials, evidence)
    return changes | _own_changes(row, event, at)


def _own_changes(row: CaseRow, event: e.CaseEvent, at: datetime) -> dict[str, Any]:  # noqa: PLR0912 - one per event
    match event:
        case e.MaterialsReceived():
            return {"received_on": event.received_on}
        case e.CorrectionRequested():
            return {"asked": event.materials} | ({} if event.in_review else {"status": Status.CORRECTING})
        case e.CorrectionSubmitted():
            before = row.status == Status.CORRECTING
            return {"asked": ()} | ({"status": Status.RECEIVED, "received_on": office_day(at)} if before else {})
        case e.ApplicationAccepted():
            return {"accepted_at": at, "tolerated": event.tolerated, "asked": (), "claims": _unclaimed(row, MAIN)}
        case e.CaseDeemedAccepted():
            return {"accepted_at": at, "asked": (), "claims": _unclaimed(row, MAIN)}
        case e.MaterialSupplemented():
            return {"tolerated": event.outstanding}
        case e.CaseClaimed() | e.CaseReassigned():
            return {"claims": {**row.claims, event.branch: event.officer}}
        case e.CaseReleased():
            return {"claims": _unclaimed(row, event.branch)}
        case e.OpinionRecorded():
            spoken = {"department": event.branch, "opinion": event.opinion, "at": at.isoformat()}
            branches = [spoken if b["department"] == event.branch else b for b in row.branches]
            return {"branches": branches, "claims": _unclaimed(row, event.branch)}
        case e.SpecialProcedureStarted():
            begun = {"branch": event.branch, "kind": event.kind, "start": event.on.isoformat(), "end": None}
            return {"suspensions": [*row.suspensions, begun]}
        case e.SpecialProcedureEnded():
            return {"suspensions": [_ended(found, event) for found in row.suspensions]}
        case e.CommitmentSigned():
            return {"committed": True}
        case e.CommitmentWithdrawn():
            return {"committed": False}
        case e.ApprovalGranted() | e.ApprovalDeemedGranted() | e.ApprovalDenied():
            return {"decided_at": at, "claims": {}}
        case e.LicenceIssued():
            return {"licence_id": event.licence_id}
        case e.AcceptanceRefused() | e.ApplicationWithdrawn() | e.CaseLapsed() | e.ConditionFailed():
            return {"claims": {}}
        case e.CaseClosed():
            return {"closed_at": at, "result": event.result, "claims": {}}
        case _:
            return {}


def _materials(before: Mapping[str, Any], evidence: Iterable[Evidence]) -> dict[str, Any]:
    found = {
        each.material: {
            "how": each.how,
            "source": each.source,
            "source_version": each.source_version,
            "ref": each.ref,
        }
        for each in evidence
    }
    return {**before, **found}


def _unclaimed(row: CaseRow, branch: str) -> Mapping[str, str]:
    return {claimed: officer for claimed, officer in row.claims.items() if claimed != branch}


def _ended(suspension: Mapping[str, Any], event: e.SpecialProcedureEnded) -> Mapping[str, Any]:
    if suspension["end"] is None and suspension["branch"] == event.branch:
        return {**suspension, "end": event.on.isoformat()}
    return suspension


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
            state = "PASSED" if opinion == e.Opinion.PASS else "FAILED"
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


CASES = StreamTable(name="case_view", row=CaseRow, events=get_args(e.CaseEvent), fold=fold)

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
