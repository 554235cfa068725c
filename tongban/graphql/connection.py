"""Connections as the Relay specification wants them, over keyset pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from tongban.projections.keyset import Page

Node_ = TypeVar("Node_")
Row = TypeVar("Row")

First = Annotated[int, strawberry.argument(description="How many at most: 1 to 100.")]
After = Annotated[
    str | None,
    strawberry.argument(description="The cursor after which the page begins (endCursor of the last page)."),
]


@strawberry.interface(description="An object that an id names.")
class Node:
    """Relay's global object identification."""

    id: strawberry.ID = strawberry.field(
        description="The id, the same as in commands and on topics; `node(id)` finds it again."
    )


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether this page was asked for after a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge.")


@strawberry.type(description="One place in a list.")
class Edge(Generic[Node_]):
    """A node with its cursor."""

    cursor: str = strawberry.field(description="The cursor of this place.")
    node: Node_ = strawberry.field(description="What stands at this place.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node_]):
    """Relay's connection."""

    edges: list[Edge[Node_]] = strawberry.field(description="The places of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")


def page_info(page: Page[Any], after: str | None) -> PageInfo:
    """Relay's page information of a keyset page."""
    cursors = [cursor for cursor, _ in page.rows]
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def connect(page: Page[Row], after: str | None, node: Callable[[Row], Node_]) -> Connection[Node_]:
    """The connection of a keyset page."""
    edges = [Edge(cursor=cursor, node=node(row)) for cursor, row in page.rows]
    return Connection(edges=edges, page_info=page_info(page, after))
