"""The parts of a case: branches, materials, special procedures, fee, commitment, delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry

from tongban.domain.case.branch_due import branch_clock
from tongban.domain.case.state import Fee as FeeStatus
from tongban.domain.office_time import office_day
from tongban.graphql.context import Info, Lang, enum_value
from tongban.graphql.deadlines import Deadline, calendar_of_clock, deadline, kind_name
from tongban.graphql.terms import Language, TimeUnit
from tongban.projections.cases import BranchRow, CaseRow, branch_states
from tongban.projections.commitments import CommitmentRow
from tongban.projections.ledgers import clock_from_json
from tongban.projections.standing import suspensions_of

_BROUGHT = "UPLOAD"


@strawberry.enum(description="Where a branch of the review stands.")
class BranchState(Enum):
    """Derived from who holds it and whether it has spoken."""

    WAITING = enum_value("WAITING", "Not asked yet.")
    REVIEWING = enum_value("REVIEWING", "The department works on it now, or a special procedure stops it.")
    PASSED = enum_value("PASSED", "The opinion is: pass.")
    FAILED = enum_value("FAILED", "The opinion is: fail.")
    DROPPED = enum_value("DROPPED", "The case went on without its opinion.")


@strawberry.type(description="One department's part of the review (并联审查).")
class Branch:
    """A branch."""

    row: strawberry.Private[CaseRow]
    department: str = strawberry.field(description="The code of the department.")
    holder: str | None = strawberry.field(
        description="Who holds the branch now, such as `dept:fire`, or `suspended:HEARING`; null: nobody."
    )
    state: BranchState = strawberry.field(description="Where the branch stands.")
    opinion: str | None = strawberry.field(description="PASS, FAIL, or null while there is none.")
    at: datetime | None = strawberry.field(description="When the opinion took effect (UTC).")
    claimed_by: str | None = strawberry.field(description="领办人: the officer who took it out of the queue.")
    suspended: str | None = strawberry.field(
        description="The kind of the special procedure (特别程序) that stops it now; null: it runs."
    )

    @strawberry.field(description="The name of the department.")
    def department_name(self, info: Info, lang: Language = Lang.ZH) -> str | None:
        """By the catalogue."""
        return info.context.names.department(self.department, lang.value)

    @strawberry.field(
        description="When the branch is due: the promised deadline, stretched by nothing but what stopped this branch "
        "or the whole case; null before the acceptance."
    )
    def due(self, info: Info) -> date | None:
        """The last day in time."""
        found = self.deadline(info)
        return found.due if found else None

    @strawberry.field(description="That deadline with its explanation.")
    def deadline(self, info: Info) -> Deadline | None:
        """Counted when it is asked for."""
        written = self.row.clocks.get("PROMISED") or self.row.clocks.get("LEGAL")
        if written is None:
            return None
        clock = clock_from_json(written)
        if self.row.suspensions:
            clock = branch_clock(clock, self.department, suspensions_of(self.row), calendar_of_clock(info, clock))
        # A branch has met its part with its opinion, whenever the case is decided.
        return deadline(clock if self.at is None else replace(clock, stopped=office_day(self.at)))


@strawberry.type(description="One material of the item, and where this case stands with it (申请材料).")
class Material:
    """A material."""

    entry: strawberry.Private[Mapping[str, Any]]
    material: str = strawberry.field(description="The material's id in the item.")
    how: str | None = strawberry.field(
        description="How it is met: UPLOAD, E_LICENCE, DATA_SHARING, COMMITMENT, ONLINE_AUTHORISATION or FORM_PREFILL; "
        "null: it is not."
    )
    source: str | None = strawberry.field(description="From whom it came.")
    source_version: str | None = strawberry.field(description="Which version of the source's data was relied on.")
    exempt: bool = strawberry.field(description="免于提交: whether it is met without a paper from the applicant.")
    needed: bool = strawberry.field(description="Whether this applicant needs it.")
    asked: bool = strawberry.field(description="补正: whether the applicant is asked to mend it now.")
    tolerated: bool = strawberry.field(description="容缺: whether it may follow, and has not come yet.")

    @strawberry.field(description="The name of the material.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """As the item version names it."""
        chinese: str = self.entry.get("nameZh") or self.material
        return self.entry.get("nameEn") or chinese if lang is Lang.EN else chinese


@strawberry.type(description="A special procedure (特别程序) that stopped a clock.")
class Suspension:
    """A suspension."""

    branch: str | None = strawberry.field(description="Of which branch; null: of the whole case.")
    kind: str = strawberry.field(description="HEARING, EXPERT_REVIEW and the other kinds of 行政许可法 art. 45.")
    start: date = strawberry.field(description="The first day that does not count.")
    end: date | None = strawberry.field(description="The day of resumption, which counts; null: it lasts.")
    declared: int = strawberry.field(description="The working days that were announced in writing.")

    @strawberry.field(description="The name of the kind.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return kind_name(self.kind, lang)


@strawberry.type(description="Which officer works on a part of the case (领办).")
class Claim:
    """A claim."""

    branch: str = strawberry.field(description="The part: `main`, or the code of a branch's department.")
    officer: str = strawberry.field(description="The officer's id.")


@strawberry.enum(description="What is due of a fee.")
class FeeState(Enum):
    """The states of the domain."""

    ASKED = enum_value("ASKED", "待缴费: asked for.")
    PAID = enum_value("PAID", "已缴费: paid.")
    REFUNDED = enum_value("REFUNDED", "已退费: paid back.")


@strawberry.type(description="The fee of a case (缴费).")
class CaseFee:
    """A fee."""

    amount: str | None = strawberry.field(description="The amount, with two decimals.")
    currency: str | None = strawberry.field(description="Of which currency (ISO 4217).")
    state: FeeState = strawberry.field(description="What is due of it.")


@strawberry.type(
    description="Notification and commitment (告知承诺): deciding on the applicant's promise, to be checked after."
)
class Commitment:
    """The commitment of a case."""

    signed: bool = strawberry.field(description="Whether the applicant has signed it; he is free to.")
    check_within: int = strawberry.field(description="How soon after the decision it is checked.")
    unit: TimeUnit = strawberry.field(description="Of which unit.")
    check_due: Deadline | None = strawberry.field(
        description="承诺核查期限: when it is to be checked, once it was decided on."
    )
    result: str | None = strawberry.field(description="核查结果: PASS or BREACH; null: not checked yet.")
    checked_at: datetime | None = strawberry.field(description="When it was checked (UTC).")


@strawberry.type(description="How the result reaches the applicant (送达).")
class Delivery:
    """The delivery of a case."""

    means: str = strawberry.field(description="ONLINE, COUNTER or COURIER, as the applicant chose.")
    delivered_on: date | None = strawberry.field(description="The day it reached the applicant.")


def branches(row: CaseRow) -> list[Branch]:
    """The branches of a case, in the item's order."""
    return [_branch(row, branch) for branch in branch_states(row)]


def _branch(row: CaseRow, branch: BranchRow) -> Branch:
    return Branch(
        row=row,
        department=branch.department,
        holder=branch.holder,
        state=BranchState[branch.state],
        opinion=branch.opinion,
        at=branch.at,
        claimed_by=branch.claimed_by,
        suspended=branch.suspended,
    )


def materials(row: CaseRow, definition: Mapping[str, Any] | None) -> list[Material]:
    """What the applicant needs and what came besides, in the item's order."""
    entries = {entry["materialId"]: entry for entry in (definition or {}).get("materials", ())}
    concerned = {*row.needed, *row.materials, *row.asked, *row.tolerated}
    order = [name for name in entries if name in concerned] + sorted(concerned - entries.keys())
    return [_material(row, name, entries.get(name, {})) for name in order]


def _material(row: CaseRow, name: str, entry: Mapping[str, Any]) -> Material:
    met = row.materials.get(name)
    return Material(
        entry=entry,
        material=name,
        how=met["how"] if met else None,
        source=met["source"] if met else None,
        source_version=met["source_version"] if met else None,
        exempt=met is not None and met["how"] != _BROUGHT,
        needed=name in row.needed,
        asked=name in row.asked,
        tolerated=name in row.tolerated,
    )


def suspensions(row: CaseRow) -> list[Suspension]:
    """In the order they began."""
    return [
        Suspension(branch=s.branch, kind=s.kind, start=s.start, end=s.end, declared=s.declared)
        for s in suspensions_of(row)
    ]


def claims(row: CaseRow) -> list[Claim]:
    """By branch."""
    return [Claim(branch=branch, officer=officer) for branch, officer in sorted(row.claims.items())]


def fee(row: CaseRow) -> CaseFee | None:
    """The fee, once it is asked for."""
    if row.fee == FeeStatus.NONE:
        return None
    return CaseFee(amount=row.fee_amount, currency=row.fee_currency, state=FeeState[row.fee])


def commitment(row: CaseRow, terms: Mapping[str, Any], check: CommitmentRow | None) -> Commitment | None:
    """The commitment, where the item offers one."""
    offered = terms.get("commitment")
    if not offered:
        return None
    within = offered["check_within"]
    return Commitment(
        signed=row.committed,
        check_within=within["value"],
        unit=TimeUnit[within["unit"]],
        check_due=deadline(clock_from_json(check.clock)) if check else None,
        result=check.result if check else None,
        checked_at=check.checked_at if check else None,
    )


def delivery(row: CaseRow) -> Delivery:
    """How, and whether it has."""
    stopped = row.clocks["DELIVERY"]["stopped"] if "DELIVERY" in row.clocks else None
    return Delivery(means=row.delivery, delivered_on=date.fromisoformat(stopped) if stopped else None)


def brought(row: CaseRow) -> int:
    """How many papers the applicant had to bring."""
    return sum(met["how"] == _BROUGHT for met in row.materials.values())
