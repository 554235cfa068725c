"""The catalogue: service items in the version in force, and in every other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry.scalars import JSON

from tongban.domain.catalogue.item import ItemDefinition, read_item
from tongban.graphql.connection import After, Connection, First, Node, connect
from tongban.graphql.context import Info, Lang, enum_value
from tongban.graphql.ids import askable
from tongban.graphql.terms import (
    Fee,
    ItemMaterial,
    Language,
    LicenceTypeRef,
    MaterialSource,
    Necessity,
    Question,
    TimeLimit,
    licence_type_ref,
    met_by,
    question,
    time_limit,
)
from tongban.projections.items import ItemName, ItemRow, ItemVersionRow, item_by_id, items_in_force, version_ruling


@strawberry.enum(description="Where a version of an item stands today.")
class ItemState(Enum):
    """By its days and those of its siblings."""

    PLANNED = enum_value("PLANNED", "Its first day is still to come.")
    IN_FORCE = enum_value("IN_FORCE", "What is filed today falls under it.")
    SUPERSEDED = enum_value("SUPERSEDED", "A later version took its place; open cases keep it.")
    WITHDRAWN = enum_value("WITHDRAWN", "The item was withdrawn: nothing is filed under it; open cases keep it.")


@strawberry.type(description="A version of an item with its days.")
class ItemVersionDays:
    """One of several."""

    version: int = strawberry.field(description="The published version, from 1.")
    effective_from: date | None = strawberry.field(description="Its first day; null: it has no beginning.")
    withdrawn_from: date | None = strawberry.field(description="The first day of its withdrawal.")
    state: ItemState = strawberry.field(description="Where it stands today.")


@strawberry.type(description="A service item (政务服务事项) in one published version.")
class ServiceItem(Node):
    """One version of an item."""

    row: strawberry.Private[ItemVersionRow]
    read: strawberry.Private[ItemDefinition]
    version: int = strawberry.field(description="The published version, from 1.")
    department: str = strawberry.field(description="The code of the department that decides.")
    published_at: datetime = strawberry.field(description="When this version was published (UTC).")
    effective_from: date = strawberry.field(description="Its first day.")
    legal_limit: TimeLimit | None = strawberry.field(description="法定办结时限; null: no law sets one.")
    promised_limit: TimeLimit | None = strawberry.field(description="承诺办结时限: never later than the legal one.")
    extension: TimeLimit | None = strawberry.field(description="By how much the legal limit can be extended, once.")
    immediate: bool = strawberry.field(description="即办件: decided on the spot.")
    promised: bool = strawberry.field(description="承诺件: who accepts may not decide.")
    visits: int = strawberry.field(description="到办事现场次数.")
    fully_online: bool = strawberry.field(description="全程网办: no visit, and the result comes online, too.")
    online_depth: int | None = strawberry.field(description="网上办理深度, 1 to 7 (GB/T 39046).")
    city_wide: bool = strawberry.field(description="全市通办: any window in the city takes it.")
    in_person: bool = strawberry.field(description="The law wants the applicant to come himself.")
    tolerant: bool = strawberry.field(description="容缺受理: a material may follow after acceptance.")
    commitment: bool = strawberry.field(description="告知承诺: a promise of the applicant is enough to decide on.")
    commitment_check_within: TimeLimit | None = strawberry.field(description="In what time the promise is checked.")
    inspection: bool = strawberry.field(description="Whether somebody comes to inspect, where its condition holds.")
    procedures: list[str] = strawberry.field(description="特别程序 that may be held; they stop the clock.")
    fee: Fee | None = strawberry.field(description="Null: free of charge.")
    result_licence: LicenceTypeRef | None = strawberry.field(description="The licence that a grant results in.")
    delivery: list[str] = strawberry.field(description="How the result is handed over: ONLINE, COUNTER, COURIER.")
    legal_basis: list[str] = strawberry.field(description="设定依据.")
    accept_conditions: list[str] = strawberry.field(description="受理条件, each by name.")
    serves: list[str] = strawberry.field(description="服务对象.")
    branches: list[str] = strawberry.field(description="The codes of the departments that give an opinion.")

    @strawberry.field(description="The name of the item.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return self.row.name_en if lang is Lang.EN else self.row.name_zh

    @strawberry.field(description="Where this version stands today.")
    def state(self, info: Info) -> ItemState:
        """Read together with its siblings'."""
        row = info.context.schedules.get(self.row.item_id)
        return _state(row, self.version, info.context.today) if row else ItemState.SUPERSEDED

    @strawberry.field(description="All versions of the item, in order of publication.")
    def versions(self, info: Info) -> list[ItemVersionDays]:
        """Read together with its siblings'."""
        row = info.context.schedules.get(self.row.item_id)
        return [_days(row, made, info.context.today) for made in row.schedule] if row else []

    @strawberry.field(description="All that may be asked of an applicant; `guide` says what is asked of one.")
    def materials(self) -> list[ItemMaterial]:
        """In the order of the entry."""
        return [_material(self.read, each) for each in self.row.definition["materials"]]

    @strawberry.field(description="What is asked to find out which steps and materials are needed.")
    def questions(self) -> list[Question]:
        """In the order of the entry."""
        return [question(each) for each in self.read.questions]

    @strawberry.field(description="The whole entry as it was published.")
    def definition(self) -> JSON:
        """As published."""
        return self.row.definition  # type: ignore[return-value]


def service_item(row: ItemVersionRow) -> ServiceItem:
    """The GraphQL object of a row."""
    entry = row.definition
    read = read_item(entry)
    terms = read.terms
    return ServiceItem(
        id=strawberry.ID(row.item_id),
        row=row,
        read=read,
        version=row.item_version,
        department=row.lead,
        published_at=row.published_at,
        effective_from=row.effective_from,
        legal_limit=time_limit(terms["legal"]),
        promised_limit=time_limit(terms["promised"]),
        extension=time_limit(terms["extension"]),
        immediate=terms["immediate"],
        promised=read.promised,
        visits=read.visits,
        fully_online=bool(entry.get("fullyOnline")),
        online_depth=entry.get("onlineDepth"),
        city_wide=terms["city_wide"],
        in_person=read.in_person,
        tolerant=terms["tolerant"] is not None,
        commitment=terms["commitment"] is not None,
        commitment_check_within=time_limit((terms["commitment"] or {}).get("check_within")),
        inspection=terms["inspection"],
        procedures=terms["procedures"],
        fee=_fee(terms["fee"], entry.get("fee") or {}),
        result_licence=licence_type_ref(read.licence_type),
        delivery=terms["delivery"],
        legal_basis=list(entry.get("legalBasis") or ()),
        accept_conditions=list(entry.get("acceptanceConditions") or ()),
        serves=sorted(read.serves),
        branches=list(read.branches),
    )


def _fee(fee: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> Fee | None:
    return Fee(amount=fee["amount"], currency=fee["currency"], basis=entry.get("basis")) if fee else None


def _material(read: ItemDefinition, entry: Mapping[str, Any]) -> ItemMaterial:
    name = entry["materialId"]
    terms = read.terms["materials"][name]
    return ItemMaterial(
        called=read.material_names[name],
        id=name,
        necessity=Necessity(terms["necessity"]),
        source=MaterialSource(entry["sourceType"]) if entry.get("sourceType") else None,
        met=met_by(terms["exempt_by"]),
        licence_type=licence_type_ref(terms["licence_type"]),
        basis=read.bases.get(name),
        conditional=name in read.conditions or terms["necessity"] == "CONDITIONAL",
    )


def _days(row: ItemRow, made: Mapping[str, Any], today: date) -> ItemVersionDays:
    starts = date.fromisoformat(made["starts"])
    return ItemVersionDays(
        version=made["version"],
        effective_from=None if starts == date.min else starts,
        withdrawn_from=date.fromisoformat(made["ends"]) if made["ends"] else None,
        state=_state(row, made["version"], today),
    )


def _state(row: ItemRow, version: int, today: date) -> ItemState:
    day = today.isoformat()
    made = next(each for each in row.schedule if each["version"] == version)
    if made["starts"] > day:
        return ItemState.PLANNED
    if version_ruling(row, day) == version:
        return ItemState.IN_FORCE
    return ItemState.WITHDRAWN if made["ends"] is not None and made["ends"] <= day else ItemState.SUPERSEDED


def service_item_of(info: Info, name: ItemName) -> ServiceItem | None:
    """A named version, read together with those of its siblings."""
    row = info.context.items.get(name)
    return _announced(info, row) if row else None


def find_item(info: Info, text: str, version: int | None) -> ServiceItem | None:
    """An item by its catalogue id, in one version, by default the one in force."""
    if not askable(text):
        return None
    row = item_by_id(info.context.cursor, text, today=info.context.today, version=version)
    return _announced(info, row) if row else None


def _announced(info: Info, row: ItemVersionRow) -> ServiceItem:
    info.context.schedules.want([row.item_id])
    return service_item(row)


def resolve_items(
    info: Info, first: First, after: After = None, department: str | None = None, search: str | None = None
) -> Connection[ServiceItem]:
    """The items in force."""
    if not askable(department or "") or not askable(search or ""):
        department, search = "", None  # no department has this code: nothing is found
    page = items_in_force(
        info.context.cursor, today=info.context.today, first=first, after=after, department=department, search=search
    )
    return connect(page, after, lambda row: _announced(info, row))


def announce_items(info: Info, names: Sequence[ItemName]) -> None:
    """Items that are likely to be asked for."""
    info.context.items.want(names)
