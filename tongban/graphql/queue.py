"""A department and the work it holds."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from tongban.domain import clock as clocks
from tongban.graphql.case import Case, CaseState, announce, case
from tongban.graphql.connection import After, First, PageInfo, page_info
from tongban.graphql.context import Info, Lang, enum_value
from tongban.graphql.deadlines import Deadline, Light, deadline_of
from tongban.graphql.ids import askable
from tongban.graphql.terms import Language
from tongban.projections.absences import absences_of
from tongban.projections.keyset import check_first
from tongban.projections.queue import Claim, Order, Wanted, counters_of, queue_of


@strawberry.type(description="One place in a queue: a case of which the department holds a part now.")
class QueueEdge:
    """An edge; what is said of the place in the queue stands here, what is said of the case in `node`."""

    clock: strawberry.Private[str | None]
    cursor: str = strawberry.field(description="The cursor of this place.")
    node: Case = strawberry.field(description="The case.")
    since: datetime = strawberry.field(description="Since when the department holds it (UTC).")
    branches: list[str] = strawberry.field(description="Which parts it holds: `main`, or codes of branches.")
    claimed_by: str | None = strawberry.field(description="领办人: the officer who took it; null: anybody may.")

    @strawberry.field(
        description="The deadline it is worked against: of the decision, before the acceptance of the correction "
        "notice, after the decision of the delivery; null: none runs."
    )
    def due(self) -> Deadline | None:
        """The running clock that the queue is put in order by."""
        return deadline_of(self.node.row, self.clock) if self.clock else None


@strawberry.type(description="A page of a queue, in the order that was asked for.")
class QueueConnection:
    """A connection."""

    edges: list[QueueEdge] = strawberry.field(description="The places of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")


@strawberry.type(description="An officer who is away, and who covers for him (代岗).")
class OfficerAbsence:
    """An absence."""

    officer: str = strawberry.field(description="Who is away.")
    cover: str = strawberry.field(description="Who may do what he has claimed.")
    first: date = strawberry.field(description="The first day.")
    last: date = strawberry.field(description="The last day.")


@strawberry.enum(description="The order of a queue.")
class QueueOrder(Enum):
    """The orders of the projection."""

    SINCE = enum_value("SINCE", "Longest held first.")
    DUE = enum_value("DUE", "Next deadline first; what has none comes last.")


@strawberry.enum(description="Who has taken a piece of work (领办).")
class QueueClaim(Enum):
    """As the projection tells it."""

    NOBODY = enum_value("NOBODY", "待领办: nobody yet.")
    ME = enum_value("ME", "The caller.")
    OTHERS = enum_value("OTHERS", "Somebody else.")


@strawberry.type(description="How many pieces of work stand in a state with a light.")
class QueueCounter:
    """A counter."""

    state: CaseState = strawberry.field(description="Where the cases stand.")
    light: Light | None = strawberry.field(description="The light they show today; null: no deadline runs.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="A department that decides or reviews.")
class Department:
    """A department."""

    code: str = strawberry.field(description="Its code in the catalogue.")

    @strawberry.field(description="Its name.")
    def name(self, info: Info, lang: Language = Lang.ZH) -> str:
        """By the catalogue."""
        return info.context.names.department(self.code, lang.value) or self.code

    @strawberry.field(
        description="Its officers' absences that were not ended, by officer; none for who may not see it."
    )
    def absences(self, info: Info, first: First = 20) -> list[OfficerAbsence]:
        """As registered, over or still to come included."""
        rows = absences_of(info.context.cursor, self.code)
        return [
            OfficerAbsence(
                officer=row.officer,
                cover=absence["cover"],
                first=date.fromisoformat(absence["first"]),
                last=date.fromisoformat(absence["last"]),
            )
            for row in rows
            for absence in row.standing
            if absence["department"] == self.code
        ][: check_first(first)]

    @strawberry.field(description="部门待办: what it holds now; empty for who may not see it.")
    def queue(
        self,
        info: Info,
        first: First,
        after: After = None,
        state: Annotated[CaseState | None, strawberry.argument(description="Only cases that stand there.")] = None,
        light: Annotated[Light | None, strawberry.argument(description="Only what shows this light today.")] = None,
        claim: Annotated[QueueClaim | None, strawberry.argument(description="Only what is taken by whom.")] = None,
        order_by: Annotated[
            QueueOrder, strawberry.argument(description="The order; a cursor belongs to one order.")
        ] = QueueOrder.SINCE,
    ) -> QueueConnection:
        """A page of the queue, with its cases read together."""
        context = info.context
        wanted = Wanted(
            state=None if state is None else state.name,
            light=None if light is None else clocks.Light(light.name),
            claim=None if claim is None else Claim(claim.name),
            reader=context.actor.id.replace("\0", "") if context.actor else "",
        )
        page = queue_of(
            context.cursor,
            self.code,
            first=first,
            after=after,
            order=Order(order_by.name),
            wanted=wanted,
            lights=context.lights if light is not None else None,
        )
        context.cases.want(row.case_id for _, row in page.rows)
        found = {row.case_id: context.cases.get(row.case_id) for _, row in page.rows}
        announce(info, [row for row in found.values() if row is not None])
        edges = []
        for cursor, place in page.rows:
            row = found[place.case_id]
            # Both rows are written together; who sees the one sees the other.
            if row is not None:
                edges.append(
                    QueueEdge(
                        cursor=cursor,
                        node=case(row),
                        since=place.since,
                        branches=list(place.branches),
                        claimed_by=place.claimed_by,
                        clock=place.clock,
                    )
                )
        return QueueConnection(edges=edges, page_info=page_info(page, after))

    @strawberry.field(description="How much it holds, by state and light; empty for who may not see it.")
    def counters(self, info: Info) -> list[QueueCounter]:
        """Counted when it is asked for."""
        context = info.context
        return [
            QueueCounter(
                state=CaseState[counter.state],
                light=Light[counter.light] if counter.light else None,
                count=counter.cases,
            )
            for counter in counters_of(context.cursor, self.code, context.lights)
        ]


def find_department(info: Info, code: str) -> Department | None:
    """A department of the catalogue."""
    if not askable(code) or info.context.names.department(code, Lang.ZH.value) is None:
        return None
    return Department(code=code)
