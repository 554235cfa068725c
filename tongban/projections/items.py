"""Which service items are published? `item_view`: the version in force of each; `item_version_view`: every version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.item import read_item
from tongban.domain.recorded import Recorded
from tongban.projections.keyset import Keyset, Page, check_first, read_code
from tongban.projections.projection import LogTable, StreamTable
from tongban.projections.selecting import fetch, fetch_one, selecting

ItemName = tuple[str, int]
"""Item id and version."""


class ItemRow(NamedTuple):
    """Which version of an item is in force, and which department leads it."""

    id: UUID
    item_id: str
    item_version: int
    lead: str
    version: int
    position: int


class ItemVersionRow(NamedTuple):
    """One published version of an item; `definition` is the entry as it was published."""

    item_id: str
    item_version: int
    name_zh: str
    name_en: str
    lead: str
    published_at: datetime
    definition: Mapping[str, Any]
    version: int
    position: int


def fold(_: ItemRow | None, recorded: Recorded) -> ItemRow:
    """The item after one more publication."""
    event: ItemPublished = recorded.event
    return ItemRow(
        id=recorded.envelope.stream,
        item_id=event.item_id,
        item_version=event.item_version,
        lead=read_item(event.definition).lead,
        version=recorded.envelope.version,
        position=recorded.position,
    )


def entry(recorded: Recorded) -> ItemVersionRow:
    """The version that one publication makes."""
    event: ItemPublished = recorded.event
    read = read_item(event.definition)
    return ItemVersionRow(
        item_id=event.item_id,
        item_version=event.item_version,
        name_zh=read.name_zh,
        name_en=read.name_en,
        lead=read.lead,
        published_at=recorded.envelope.effective_at,
        definition=event.definition,
        version=recorded.envelope.version,
        position=recorded.position,
    )


ITEMS = StreamTable(name="item_view", row=ItemRow, events=(ItemPublished,), fold=fold)
ITEM_VERSIONS = LogTable(name="item_version_view", row=ItemVersionRow, events=(ItemPublished,), entry=entry)

_SELECT = selecting("item_version_view", ItemVersionRow)
_IN_FORCE = _SELECT + sql.SQL(" WHERE (item_id, item_version) IN (SELECT item_id, item_version FROM item_view)")
BY_ID: Keyset[ItemVersionRow] = Keyset("items", lambda row: (row.item_id,), (read_code,))


def item_by_id(cursor: Cursor[Any], item_id: str, version: int | None = None) -> ItemVersionRow | None:
    """A service item in one version, by default the one in force."""
    if version is None:
        return fetch_one(cursor, ItemVersionRow, _IN_FORCE + sql.SQL(" AND item_id = %s"), (item_id,))
    query = _SELECT + sql.SQL(" WHERE item_id = %s AND item_version = %s")
    return fetch_one(cursor, ItemVersionRow, query, (item_id, version))


def items_by_names(cursor: Cursor[Any], names: Iterable[ItemName]) -> dict[ItemName, ItemVersionRow]:
    """The named versions."""
    pairs = list(names)
    query = _SELECT + sql.SQL(" WHERE (item_id, item_version) IN (SELECT * FROM unnest(%s::text[], %s::int[]))")
    wanted = ([item_id for item_id, _ in pairs], [version for _, version in pairs])
    rows = fetch(cursor, ItemVersionRow, query, wanted)
    return {(row.item_id, row.item_version): row for row in rows}


def items_in_force(
    cursor: Cursor[Any], *, first: int, after: str | None = None, department: str | None = None
) -> Page[ItemVersionRow]:
    """The service items in force, by id; of one lead department if it is named. Raises BadCursor, BadPageSize."""
    query = _IN_FORCE
    parameters: list[Any] = []
    if department is not None:
        query += sql.SQL(" AND lead = %s")
        parameters.append(department)
    if after is not None:
        query += sql.SQL(" AND item_id > %s")
        parameters += BY_ID.decode(after)
    query += sql.SQL(" ORDER BY item_id LIMIT %s")
    return BY_ID.page(fetch(cursor, ItemVersionRow, query, [*parameters, check_first(first) + 1]), first)
