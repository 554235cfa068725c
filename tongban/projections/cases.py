"""Which cases are there, and where does each stand? One row per case (`case_view`), from its own stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.actor import OFFICER_ROLES, Role
from tongban.domain.case import events as e
from tongban.domain.case.state import MAIN, Fee, Status
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Evidence, Recorded
from tongban.projections.keyset import Keyset, Page, check_first, read_moment, read_uuid
from tongban.projections.ledgers import clock_as_json
from tongban.projections.projection import StreamTable
from tongban.projections.selecting import fetch, fetch_one, selecting


class CaseRow(NamedTuple):
    """A case. Times are UTC. Form and texts are not here: they stand once, in the timeline.

    `branches`: [{department, opinion, at}] in the item's order; `holders`: {branch: {holder, since, version,
    position}}, where the last three say since which event; `clocks`: {name: clock} with each ledger whole (see
    `domain.clock`); `suspensions`: [{branch, kind, start, end, declared, held_on}]; `claims`: {branch: officer};
    `materials`: {material: {how, source, source_version, ref}}. `asked` and `tolerated` are materials the applicant
    owes. `result` is there once no other end is possible but the closing. `work`: what else decisions look at (see
    `EMPTY_WORK`).
    `applicant_steps` counts what the applicant had to do, `visits` are the days on which he had to come for it.
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
    fee_amount: str | None
    fee_currency: str | None
    work: Mapping[str, Any]
    applicant_steps: int
    visits: Sequence[str]
    version: int
    position: int


EMPTY_WORK: Mapping[str, Any] = {
    "accepted_by": None,
    "asked_before": [],
    "chairs": [],
    "consults": {},
    "corrections": 0,
    "failed_sources": [],
    "gates": [],
    "inspections": {},
    "noted": [],
    "pre_checked": False,
    "reviewers": [],
}
"""`consults`: {department: answered}, `inspections`: {branch: result}, `gates`: [{name, holds}] that are still closed;
`reviewers` and `chairs` are officers, `noted`, `asked_before` and `failed_sources` materials."""


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
            fee_amount=None,
            fee_currency=None,
            work={**EMPTY_WORK, "gates": [{"name": gate.name, "holds": gate.holds} for gate in event.gates]},
            applicant_steps=0,
            visits=(),
            version=0,
            position=0,
        )
    assert row is not None, "a case begins with its application"
    held = _holders(row.holders, recorded)
    changes = _changes(row, event, at)
    before = row.work or EMPTY_WORK
    if work := _work(before, event):
        changes["work"] = {**before, **work}
    if event.__class__ in _BY_APPLICANT:
        changes["applicant_steps"] = row.applicant_steps + 1
    if _is_visit(event, envelope.actor.role) and (day := office_day(at).isoformat()) not in row.visits:
        changes["visits"] = [*row.visits, day]
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


_BY_APPLICANT = frozenset(
    {
        e.ApplicationSubmitted,
        e.ErrorCorrectedOnSpot,
        e.CorrectionSubmitted,
        e.MaterialSupplemented,
        e.FeePaid,
        e.CommitmentSigned,
        e.HearingRequested,
    }
)
_AT_A_WINDOW = frozenset({e.Channel.COUNTER, e.Channel.KIOSK})


def _is_visit(event: e.CaseEvent, role: Role) -> bool:
    """Whether the applicant had to come: to file or to be handed the result at a counter, or to do it through a clerk.

    Money comes by other ways than over the counter, whoever enters it.
    """
    match event:
        case e.ApplicationSubmitted():
            return event.channel in _AT_A_WINDOW
        case e.LicenceDelivered():
            return event.means is e.Means.COUNTER
        case e.FeePaid():
            return False
        case _:
            return event.__class__ in _BY_APPLICANT and role in OFFICER_ROLES


def _work(work: Mapping[str, Any], event: e.CaseEvent) -> dict[str, Any]:
    """What an event changes of what decisions look at."""
    match event:
        case e.PreCheckPassed():
            return {"pre_checked": True}
        case e.DefectsNoted():
            return {"noted": event.materials}
        case e.CorrectionRequested():
            counted = {} if event.in_review else {"corrections": work["corrections"] + 1}
            return {"asked_before": sorted({*work["asked_before"], *event.materials}), "noted": (), **counted}
        case e.ExemptionFailed():
            return {"failed_sources": sorted({*work["failed_sources"], event.material})}
        case e.ApplicationAccepted():
            return {"accepted_by": event.accepted_by, "noted": ()}
        case e.CaseDeemedAccepted():
            return {"noted": ()}
        case e.OpinionRecorded() if event.given_by:
            return {"reviewers": sorted({*work["reviewers"], event.given_by})}
        case e.ConsultRequested():
            return {"consults": {**work["consults"], event.department: False}}
        case e.ConsultAnswered():
            return {"consults": {**work["consults"], event.department: True}}
        case e.InspectionDone():
            return {"inspections": {**work["inspections"], **dict.fromkeys(event.branches, event.result)}}
        case e.SpecialProcedureStarted() if event.chair:
            return {"chairs": sorted({*work["chairs"], event.chair})}
        case e.GateOpened():
            return {"gates": [gate for gate in work["gates"] if gate["name"] != event.gate]}
        case _:
            return {}


_RESULT: Mapping[type, e.Result] = {
    e.AcceptanceRefused: e.Result.NOT_ACCEPTED,
    e.ApplicationWithdrawn: e.Result.WITHDRAWN,
    e.CaseLapsed: e.Result.LAPSED,
}


def _changes(row: CaseRow, event: e.CaseEvent, at: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if status := _STATUS.get(event.__class__):
        changes["status"] = status
    if fee := _FEE.get(event.__class__):
        changes["fee"] = fee
    if clocks := getattr(event, "clocks", ()):
        changes["clocks"] = {**row.clocks, **{clock.name: clock_as_json(clock) for clock in clocks}}
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
            held_on = event.held_on.isoformat() if event.held_on else None
            begun = {"branch": event.branch, "kind": event.kind, "start": event.on.isoformat(), "end": None}
            begun["held_on"] = held_on
            return {"suspensions": [*row.suspensions, {**begun, "declared": event.working_days}]}
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
        case e.ConditionFailed():
            return {"claims": {}, "result": event.result}
        case e.AcceptanceRefused() | e.ApplicationWithdrawn() | e.CaseLapsed():
            return {"claims": {}, "result": _RESULT[event.__class__]}
        case e.FeeRequested():
            return {"fee_amount": event.amount, "fee_currency": event.currency}
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


_WORKED_AGAINST = ("PROMISED", "LEGAL", "DELIVERY", "CORRECTION")


def clock_worked_against(case: CaseRow) -> Mapping[str, Any] | None:
    """The clock, in JSON, by which the office is to have done its next step; None while none runs."""
    clocks = case.clocks
    return next((clocks[name] for name in _WORKED_AGAINST if name in clocks and clocks[name]["stopped"] is None), None)


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A branch of the review. `state`: WAITING, REVIEWING, PASSED, FAILED, DROPPED; `claimed_by` an officer.

    `suspended`: the kind of the special procedure that stops it now.
    """

    department: str
    holder: str | None
    state: str
    opinion: str | None
    at: datetime | None
    claimed_by: str | None
    suspended: str | None


def branch_states(case: CaseRow) -> list[BranchRow]:
    """Where each branch of a case stands, in the item's order."""
    states: list[BranchRow] = []
    stopped = {found["branch"]: found["kind"] for found in case.suspensions if found["end"] is None}
    if case.decided_at is not None or case.closed_at is not None:
        stopped = {}
    for branch in case.branches:
        department, opinion = branch["department"], branch["opinion"]
        held = case.holders.get(department)
        if opinion is not None:
            state = "PASSED" if opinion == e.Opinion.PASS else "FAILED"
        elif held is not None:
            state = "REVIEWING"
        else:
            over = case.decided_at is not None or case.result is not None
            state = "DROPPED" if over else "WAITING"
        states.append(
            BranchRow(
                department=department,
                holder=held["holder"] if held else None,
                state=state,
                opinion=opinion,
                at=datetime.fromisoformat(branch["at"]) if branch["at"] else None,
                claimed_by=case.claims.get(department),
                suspended=None if opinion is not None else stopped.get(None) or stopped.get(department),
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
