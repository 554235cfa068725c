"""The catalogue: service items in the version in force, and in every earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from tongban.domain.office_time import office_day
from tongban.graphql.connection import After, Connection, First, Node, connect
from tongban.graphql.context import Info, Lang
from tongban.graphql.ids import askable
from tongban.projections.items import ItemName, ItemVersionRow, item_by_id, items_in_force

Language = Annotated[Lang, strawberry.argument(description="The language of the name.")]


@strawberry.type(description="A service item (政务服务事项) in one published version.")
class ServiceItem(Node):
    """One version of an item."""

    row: strawberry.Private[ItemVersionRow]
    version: int = strawberry.field(description="The published version, from 1.")
    department: str = strawberry.field(description="The code of the department that decides.")
    published_at: datetime = strawberry.field(description="When this version was published (UTC).")

    @strawberry.field(description="The name of the item.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return self.row.name_en if lang is Lang.EN else self.row.name_zh

    @strawberry.field(description="The whole entry as it was published: materials, time limits, conditions, sources.")
    def definition(self) -> JSON:
        """As published."""
        return self.row.definition  # type: ignore[return-value]


def _today() -> date:
    return office_day(datetime.now(UTC))


def service_item(row: ItemVersionRow) -> ServiceItem:
    """The GraphQL object of a row."""
    return ServiceItem(
        id=strawberry.ID(row.item_id),
        row=row,
        version=row.item_version,
        department=row.lead,
        published_at=row.published_at,
    )


def service_item_of(info: Info, name: ItemName) -> ServiceItem | None:
    """A named version, read together with those of its siblings."""
    row = info.context.items.get(name)
    return service_item(row) if row else None


def find_item(info: Info, text: str, version: int | None) -> ServiceItem | None:
    """An item by its catalogue id, in one version, by default the one in force."""
    if not askable(text):
        return None
    row = item_by_id(info.context.cursor, text, today=_today(), version=version)
    return service_item(row) if row else None


def resolve_items(
    info: Info, first: First, after: After = None, department: str | None = None
) -> Connection[ServiceItem]:
    """The items in force."""
    if department is not None and not askable(department):
        department = ""
    page = items_in_force(info.context.cursor, today=_today(), first=first, after=after, department=department)
    return connect(page, after, service_item)


def announce_items(info: Info, names: Sequence[ItemName]) -> None:
    """Items that are likely to be asked for."""
    info.context.items.want(names)
