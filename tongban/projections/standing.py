"""A case as decisions see it, made again from its read row and from what its filing says.

For advice only: which commands would be taken now. Commands themselves are decided on the stream. What only the order
of late entries needs (when which step took effect) is left out, since advice is about acts that take effect now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tongban.domain.case.events import Gate, Means, Opinion, Procedure, Result, Step
from tongban.domain.case.state import Case, Fee, Hearing, Status, Suspension
from tongban.domain.clock import Clock
from tongban.domain.mandate.events import MandateKind
from tongban.domain.mandate.events import Step as ActingStep
from tongban.domain.mandate.state import Mandate
from tongban.domain.recorded import Evidence, ItemVersion
from tongban.projections.cases import EMPTY_WORK, CaseRow
from tongban.projections.ledgers import clock_from_json
from tongban.projections.mandates import MandateRow

_GRANTED = frozenset({Status.GRANTED, Status.ISSUING})
_AFTER_A_GRANT = frozenset({Result.GRANTED, Result.NOT_EFFECTIVE})
_DECISION_CLOCKS = ("LEGAL", "PROMISED")


def suspensions_of(row: CaseRow) -> tuple[Suspension, ...]:
    """The special procedures of a case."""
    return tuple(
        Suspension(
            branch=found["branch"],
            kind=Procedure(found["kind"]),
            start=date.fromisoformat(found["start"]),
            end=date.fromisoformat(found["end"]) if found["end"] else None,
            declared=found.get("declared", 0),
            held_on=date.fromisoformat(found["held_on"]) if found.get("held_on") else None,
        )
        for found in row.suspensions
    )


def clocks_of(row: CaseRow) -> dict[str, Clock]:
    """The clocks of a case by name."""
    return {name: clock_from_json(written) for name, written in row.clocks.items()}


def standing_of(row: CaseRow, filing: Mapping[str, Any]) -> Case:
    """The case; `filing` is the data of its ApplicationSubmitted."""
    work = row.work or EMPTY_WORK
    status = Status(row.status)
    terms = filing.get("terms") or {}
    clocks = clocks_of(row)
    return Case(
        status=status,
        number=row.number,
        item=ItemVersion(row.item_id, row.item_version),
        lead=row.lead,
        branches=tuple(branch["department"] for branch in row.branches),
        promised=filing["promised"],
        licence_type=filing["licence_type"],
        applicant=row.applicant,
        terms=terms,
        needed=tuple(row.needed),
        inspection=filing.get("inspection", False),
        delivery=Means(row.delivery),
        district=row.district,
        bundle=row.bundle,
        gates=tuple(Gate(gate["name"], Step(gate["holds"])) for gate in work["gates"]),
        renews=UUID(filing["renews"]) if filing.get("renews") else None,
        renews_until=row.renews_until,
        barred_until=date.fromisoformat(filing["barred_until"]) if filing.get("barred_until") else None,
        submitted_at=row.submitted_at,
        received_on=row.received_on,
        met={
            material: Evidence(material, met["how"], met["source"], met["source_version"], met["ref"])
            for material, met in row.materials.items()
        },
        failed_sources=frozenset(work["failed_sources"]),
        pre_checked=work["pre_checked"],
        noted=tuple(work["noted"]),
        asked=tuple(row.asked),
        asked_before=frozenset(work["asked_before"]),
        corrections=work["corrections"],
        accepted_by=work["accepted_by"],
        accepted_at=row.accepted_at,
        tolerated=tuple(row.tolerated),
        claims=row.claims,
        opinions={
            branch["department"]: (Opinion(branch["opinion"]), datetime.fromisoformat(branch["at"]))
            for branch in row.branches
            if branch["opinion"] is not None
        },
        reviewers=frozenset(work["reviewers"]),
        consults=work["consults"],
        inspections={branch: Opinion(result) for branch, result in work["inspections"].items()},
        suspensions=suspensions_of(row),
        hearing=_hearing(clocks),
        chairs=frozenset(work["chairs"]),
        extended=any(clocks[name].extensions for name in _DECISION_CLOCKS if name in clocks),
        clocks=clocks,
        fee=Fee(row.fee),
        fee_amount=row.fee_amount or "",
        commitment_offered=bool(terms.get("commitment")),
        committed=row.committed,
        decided_at=row.decided_at,
        granted=status in _GRANTED or row.result in _AFTER_A_GRANT or _withdrawn_after_grant(row),
        licence_id=row.licence_id,
        delivered="DELIVERY" in clocks and clocks["DELIVERY"].stopped is not None,
        result=_result(row, status),
    )


def mandate_standing(row: MandateRow) -> Mandate:
    """A mandate as decisions see it."""
    return Mandate(
        principal=row.principal,
        agent=row.agent,
        kind=MandateKind(row.kind),
        items=None if row.items is None else frozenset(row.items),
        steps=None if row.steps is None else frozenset(map(ActingStep, row.steps)),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        granted_at=row.granted_at,
        revoked_at=row.revoked_at,
    )


def _withdrawn_after_grant(row: CaseRow) -> bool:
    return row.result == Result.WITHDRAWN and row.decided_at is not None


def _hearing(clocks: Mapping[str, Clock]) -> Hearing:
    if "HEARING" in clocks:
        return Hearing.REQUESTED
    return Hearing.OFFERED if "HEARING_REQUEST" in clocks else Hearing.NONE


def _result(row: CaseRow, status: Status) -> Result | None:
    if row.result is not None:
        return Result(row.result)
    if status in _GRANTED:
        return Result.GRANTED
    return Result.DENIED if status is Status.DENIED else None
