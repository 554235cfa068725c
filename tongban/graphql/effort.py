"""What a case cost: what the reform saved the applicant, and whose time its time was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from tongban.domain.lights import working_days_used
from tongban.domain.waiting import Held, WaitingLedger, waiting_ledger
from tongban.graphql.context import Info
from tongban.graphql.deadlines import calendar_of_clock
from tongban.graphql.parts import brought
from tongban.projections.cases import CaseRow
from tongban.projections.ledgers import clock_from_json


@strawberry.type(description="A figure before the reform, and in this case.")
class Reduction:
    """A pair of figures."""

    baseline: int | None = strawberry.field(description="What the item took before; null: not known.")
    actual: int | None = strawberry.field(description="What this case took so far; null: not known yet.")


@strawberry.type(description="What this case took, beside what its item took before it was reformed (四减).")
class Reductions:
    """By the item version's own figures."""

    materials: Reduction = strawberry.field(description="减材料: papers that the applicant brought himself.")
    steps: Reduction = strawberry.field(
        description="减环节: steps that the applicant had to take: filing, corrections, payments and the like."
    )
    working_days: Reduction = strawberry.field(
        description="减时限: net working days from the acceptance to the decision, without special procedures."
    )
    visits: Reduction = strawberry.field(description="减跑动: days on which the applicant had to come.")


@strawberry.type(description="How long somebody held a part of the case.")
class Waited:
    """A line of the ledger."""

    holder: str = strawberry.field(description="Who held it: `applicant`, `dept:CODE`, `suspended:KIND`.")
    branch: str = strawberry.field(description="The part: `main`, or the code of a branch's department.")
    minutes: int = strawberry.field(description="Minutes by the clock.")
    working_minutes: int = strawberry.field(description="Those of them in office hours of working days.")
    critical: bool = strawberry.field(
        description="Whether the case waited for it: of parts side by side, the one that is held longest."
    )


@strawberry.type(
    name="WaitingLedger",
    description="Whose time the case's time was. The minutes of critical entries add up to `totalMinutes`.",
)
class Waiting:
    """A ledger."""

    total_minutes: int = strawberry.field(description="Minutes from the filing to the end of the case, or to now.")
    entries: list[Waited] = strawberry.field(description="Who held which part how long.")


def reductions(info: Info, row: CaseRow, before: Mapping[str, Any]) -> Reductions:
    """By the figures of `before` in the item's definition."""
    return Reductions(
        materials=Reduction(baseline=before.get("materials"), actual=brought(row)),
        steps=Reduction(baseline=before.get("steps"), actual=row.applicant_steps),
        working_days=Reduction(baseline=before.get("workingDays"), actual=_working_days(info, row)),
        visits=Reduction(baseline=before.get("visits"), actual=len(row.visits)),
    )


def _working_days(info: Info, row: CaseRow) -> int | None:
    written = row.clocks.get("PROMISED") or row.clocks.get("LEGAL")
    if written is None or row.decided_at is None:
        return None
    clock = clock_from_json(written)
    return working_days_used(clock, calendar_of_clock(info, clock))


def waiting(info: Info, row: CaseRow) -> Waiting:
    """From the holders that every event of the case names."""
    context = info.context
    held: list[Held] = context.holdings.get(row.id) or []
    ledger: WaitingLedger = waiting_ledger(held, context.now, context.calendar, context.measures.hours)
    return Waiting(
        total_minutes=ledger.total_minutes,
        entries=[
            Waited(
                holder=entry.holder,
                branch=entry.branch,
                minutes=entry.minutes,
                working_minutes=entry.working_minutes,
                critical=entry.critical,
            )
            for entry in ledger.entries
        ],
    )
