"""The timeline of a case: every event of it, with personal fields opened for who may see the case."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from tongban.graphql.connection import PageInfo, page_info
from tongban.graphql.context import Info, Lang
from tongban.graphql.terms import Language
from tongban.graphql.titles import title_of
from tongban.projections.timeline import TimelineRow, timeline_of


@strawberry.type(description="Who acted, as he was then.")
class EventActor:
    """An actor."""

    id: str = strawberry.field(description="Officer id, or party id of an applicant.")
    role: str = strawberry.field(description="The role acted in.")
    department: str | None = strawberry.field(description="The department acted for.")
    on_behalf_of: str | None = strawberry.field(
        description="The party it was done for: by an agent, or by a clerk at the counter (帮办); null: for oneself."
    )
    mandate: str | None = strawberry.field(description="The mandate it was done under; null: under none.")


@strawberry.type(description="One event of a case: of its own stream, its licence's or its rating's.")
class CaseEvent:
    """A line of the timeline."""

    row: strawberry.Private[TimelineRow]
    event_id: str = strawberry.field(description="The id of the event.")
    type: str = strawberry.field(description="The stable name of its type, such as `case.OpinionRecorded`.")
    stream: str = strawberry.field(description="The stream it belongs to.")
    version: int = strawberry.field(description="Its version in that stream, from 1.")
    effective_at: datetime = strawberry.field(description="When it took effect in law (UTC).")
    recorded_at: datetime = strawberry.field(description="When it was written (UTC).")
    actor: EventActor = strawberry.field(description="Who acted.")

    @strawberry.field(description="What the event is called.")
    def title(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return title_of(self.row.type, english=lang is Lang.EN)

    @strawberry.field(description="Who holds each branch after this event, as {branch: holder}.")
    def holders(self) -> JSON:
        """As the envelope says."""
        return self.row.holders  # type: ignore[return-value]

    @strawberry.field(description="The event's clear fields.")
    def data(self) -> JSON:
        """As stored."""
        return self.row.data  # type: ignore[return-value]

    @strawberry.field(
        description="The event's personal fields (texts, forms), opened; null if there are none or they were erased."
    )
    def personal(self, info: Info) -> JSON | None:
        """Opened together with the other lines of the page."""
        values, _ = info.context.unsealed.open(self.row.sealed)
        return values or None  # type: ignore[return-value]

    @strawberry.field(description="Whether personal fields of this event were erased for good.")
    def erased(self, info: Info) -> bool:
        """Known once the boxes were opened."""
        return info.context.unsealed.open(self.row.sealed)[1]


@strawberry.type(description="One place in a timeline.")
class EventEdge:
    """An edge."""

    cursor: str = strawberry.field(description="The cursor of this place.")
    node: CaseEvent = strawberry.field(description="The event.")


@strawberry.type(description="A page of a timeline, oldest first.")
class EventConnection:
    """A connection."""

    edges: list[EventEdge] = strawberry.field(description="The places of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")


def resolve_timeline(info: Info, case_id: UUID, first: int, after: str | None) -> EventConnection:
    """A page of events, whose boxes are opened together if they are asked for."""
    page = timeline_of(info.context.cursor, case_id, first=first, after=after)
    info.context.unsealed.want([box for _, line in page.rows for box in line.sealed])
    edges = [EventEdge(cursor=cursor, node=case_event(line)) for cursor, line in page.rows]
    return EventConnection(edges=edges, page_info=page_info(page, after))


def case_event(row: TimelineRow) -> CaseEvent:
    """The GraphQL object of a line."""
    return CaseEvent(
        row=row,
        event_id=str(row.id),
        type=row.type,
        stream=str(row.stream),
        version=row.version,
        effective_at=row.effective_at,
        recorded_at=row.recorded_at,
        actor=EventActor(
            id=row.actor_id,
            role=row.actor_role,
            department=row.actor_department,
            on_behalf_of=_text(row.on_behalf_of),
            mandate=_text(row.mandate),
        ),
    )


def _text(identity: UUID | None) -> str | None:
    return None if identity is None else str(identity)
