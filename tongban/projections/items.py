"""Which service items are published? `item_view`: which version of each is for which days; `item_version_view`: all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from psycopg import Cursor, sql

from tongban.domain.catalogue.events import CatalogueEvent, ItemDrafted, ItemPublished, ItemWithdrawn
from tongban.domain.catalogue.item import read_item
from tongban.domain.catalogue.state import first_day
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Recorded
from tongban.projections.keyset import Keyset, Page, check_first, read_code
from tongban.projections.projection import LogTable, StreamTable
from tongban.projections.selecting import fetch, fetch_one, selecting

ItemName = tuple[str, int]
"""Item id and version."""


class ItemRow(NamedTuple):
    """Which versions an item has and for which days each is; `item_version` and `lead` are of the newest.

    An item that has only been drafted has version 0, no lead and no schedule. `schedule` is a list of objects in order
    of publication: version, starts (first day), ends (first day of the withdrawal, or null).
    """

    id: UUID
    item_id: str
    item_version: int
    lead: str
    schedule: list[dict[str, Any]]
    version: int
    position: int


class ItemVersionRow(NamedTuple):
    """One published version of an item and its first day; `definition` is the entry as it was published."""

    item_id: str
    item_version: int
    name_zh: str
    name_en: str
    lead: str
    published_at: datetime
    effective_from: date
    definition: Mapping[str, Any]
    version: int
    position: int


def fold(row: ItemRow | None, recorded: Recorded) -> ItemRow:
    """The item after one more event."""
    event: CatalogueEvent = recorded.event
    envelope = recorded.envelope
    before = row or ItemRow(envelope.stream, event.item_id, 0, "", [], 0, 0)
    return _after(before, event, envelope.effective_at)._replace(version=envelope.version, position=recorded.position)


def _after(row: ItemRow, event: CatalogueEvent, at: datetime) -> ItemRow:
    match event:
        case ItemDrafted():
            return row
        case ItemPublished():
            starts = first_day(event.effective_from, office_day(at), first=not row.schedule)
            made = {"version": event.item_version, "starts": starts.isoformat(), "ends": None}
            lead = read_item(event.definition).lead
            return row._replace(item_version=event.item_version, lead=lead, schedule=[*row.schedule, made])
        case ItemWithdrawn():
            day = event.withdrawn_from.isoformat()
            return row._replace(
                schedule=[
                    made | {"ends": day if made["ends"] is None else min(made["ends"], day)} for made in row.schedule
                ]
            )
        case _:
            assert_never(event)


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
        effective_from=event.effective_from or office_day(recorded.envelope.effective_at),
        definition=event.definition,
        version=recorded.envelope.version,
        position=recorded.position,
    )


ITEMS = StreamTable(name="item_view", row=ItemRow, events=(ItemDrafted, ItemPublished, ItemWithdrawn), fold=fold)
ITEM_VERSIONS = LogTable(name="item_version_view", row=ItemVersionRow, events=(ItemPublished,), entry=entry)

_SELECT = selecting("item_version_view", ItemVersionRow)
_IN_FORCE = _SELECT + sql.SQL(
    " WHERE (item_id, item_version) IN ("
    "SELECT item.item_id, ruling.version FROM item_view item CROSS JOIN LATERAL ("
    "SELECT made.version FROM jsonb_to_recordset(item.schedule) AS made(version int, starts date, ends date)"
    " WHERE made.starts <= %s AND (made.ends IS NULL OR made.ends > %s)"
    " ORDER BY made.starts DESC, made.version DESC LIMIT 1) ruling)"
)
BY_ID: Keyset[ItemVersionRow] = Keyset("items", lambda row: (row.item_id,), (read_code,))


def item_by_id(cursor: Cursor[Any], item_id: str, *, today: date, version: int | None = None) -> ItemVersionRow | None:
    """A service item in one version, by default the one in force today."""
    if version is None:
        return fetch_one(cursor, ItemVersionRow, _IN_FORCE + sql.SQL(" AND item_id = %s"), (today, today, item_id))
    query = _SELECT + sql.SQL(" WHERE item_id = %s AND item_version = %s")
    return fetch_one(cursor, ItemVersionRow, query, (item_id, version))


def items_by_names(cursor: Cursor[Any], names: Iterable[ItemName]) -> dict[ItemName, ItemVersionRow]:
    """The named versions."""
    pairs = list(names)
    query = _SELECT + sql.SQL(" WHERE (item_id, item_version) IN (SELECT * FROM unnest(%s::text[], %s::int[]))")
    wanted = ([item_id for item_id, _ in pairs], [version for _, version in pairs])
    rows = fetch(cursor, ItemVersionRow, query, wanted)
    return {(row.item_id, row.item_version): row for row in rows}


def items_in_force_of(cursor: Cursor[Any], item_ids: Sequence[str], *, today: date) -> list[ItemVersionRow]:
    """The named items, each in the version in force today; those that are not in force are left out."""
    query = _IN_FORCE + sql.SQL(" AND item_id = ANY(%s)")
    return fetch(cursor, ItemVersionRow, query, (today, today, list(item_ids)))


def schedules_of(cursor: Cursor[Any], item_ids: Sequence[str]) -> dict[str, ItemRow]:
    """The versions of the named items with their days."""
    query = selecting("item_view", ItemRow) + sql.SQL(" WHERE item_id = ANY(%s)")
    return {row.item_id: row for row in fetch(cursor, ItemRow, query, (list(item_ids),))}


def version_ruling(row: ItemRow, day: str) -> int | None:
    """The version in force on a day (ISO 8601)."""
    ruling = [
        (made["starts"], made["version"])
        for made in row.schedule
        if made["starts"] <= day and (made["ends"] is None or day < made["ends"])
    ]
    return max(ruling)[1] if ruling else None


def items_in_force(
    cursor: Cursor[Any],
    *,
    today: date,
    first: int,
    after: str | None = None,
    department: str | None = None,
    search: str | None = None,
) -> Page[ItemVersionRow]:
    """The service items in force today, by id; of one lead department, with a text in a name, if that is asked.

    Raises BadCursor, BadPageSize.
    """
    query = _IN_FORCE
    parameters: list[Any] = [today, today]
    if department is not None:
        query += sql.SQL(" AND lead = %s")
        parameters.append(department)
    if search is not None:
        query += sql.SQL(" AND strpos(lower(concat_ws(' ', item_id, name_zh, name_en)), lower(%s)) > 0")
        parameters.append(search)
    if after is not None:
        query += sql.SQL(" AND item_id > %s")
        parameters += BY_ID.decode(after)
    query += sql.SQL(" ORDER BY item_id LIMIT %s")
    return BY_ID.page(fetch(cursor, ItemVersionRow, query, [*parameters, check_first(first) + 1]), first)
