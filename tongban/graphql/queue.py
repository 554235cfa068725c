"""A department and the work it holds."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from tongban.graphql.case import Case, announce, case
from tongban.graphql.connection import After, First, PageInfo, page_info
from tongban.graphql.context import Info, Lang
from tongban.graphql.ids import askable
from tongban.graphql.terms import Language
from tongban.projections.absences import absences_of
from tongban.projections.keyset import check_first
from tongban.projections.queue import queue_of


@strawberry.type(description="One place in a queue: a case of which the department holds a part now.")
class QueueEdge:
    """An edge; what is said of the place in the queue stands here, what is said of the case in `node`."""

    cursor: str = strawberry.field(description="The cursor of this place.")
    node: Case = strawberry.field(description="The case.")
    since: datetime = strawberry.field(description="Since when the department holds it (UTC).")
    branches: list[str] = strawberry.field(description="Which parts it holds: `main`, or codes of branches.")


@strawberry.type(description="A page of a queue, longest held first.")
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

    @strawberry.field(description="What it holds now; empty for who may not see it.")
    def queue(self, info: Info, first: First, after: After = None) -> QueueConnection:
        """A page of the queue, with its cases read together."""
        context = info.context
        page = queue_of(context.cursor, self.code, first=first, after=after)
        context.cases.want(row.case_id for _, row in page.rows)
        found = {row.case_id: context.cases.get(row.case_id) for _, row in page.rows}
        announce(info, [row for row in found.values() if row is not None])
        edges = []
        for cursor, place in page.rows:
            row = found[place.case_id]
            # Both rows are written together; who sees the one sees the other.
            if row is not None:
                edges.append(QueueEdge(cursor=cursor, node=case(row), since=place.since, branches=list(place.branches)))
        return QueueConnection(edges=edges, page_info=page_info(page, after))


def find_department(info: Info, code: str) -> Department | None:
    """A department of the catalogue."""
    if not askable(code) or info.context.names.department(code, Lang.ZH.value) is None:
        return None
    return Department(code=code)
