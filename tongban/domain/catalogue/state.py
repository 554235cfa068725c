"""What decisions need to know of a service item: every version ever published, and the draft of the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, assert_never

from tongban.domain.aggregate import Aggregate
from tongban.domain.catalogue.events import CatalogueEvent, ItemDrafted, ItemPublished, ItemWithdrawn
from tongban.domain.catalogue.item import ItemDefinition, read_item
from tongban.domain.office_time import office_day
from tongban.domain.recorded import ItemVersion, Rules


class ItemVersionEntry(NamedTuple):
    """One version: its definition as published and as read, and the days it is for.

    `starts` is its first day, `ends` the first day after it was withdrawn. Between two versions that both are for a
    day, the one that started later rules, of two that started together the newer one.
    """

    version: int
    definition: Mapping[str, Any]
    read: ItemDefinition
    starts: date
    ends: date | None


class Item(NamedTuple):
    """`version`, `definition` and `read` are those of the newest version (0: none yet), in force or not."""

    version: int = 0
    definition: Mapping[str, Any] | None = None
    read: ItemDefinition | None = None
    versions: tuple[ItemVersionEntry, ...] = ()
    draft: Mapping[str, Any] | None = None

    def version_in_force(self, day: date) -> ItemVersionEntry | None:
        """The version that a filing of this day falls under; None before the first one and after a withdrawal."""
        in_force = [
            entry for entry in self.versions if entry.starts <= day and (entry.ends is None or day < entry.ends)
        ]
        return max(in_force, key=lambda entry: (entry.starts, entry.version), default=None)

    def as_of(self, day: date) -> Item:
        """The item as a filing of this day sees it: with the version in force as its newest, or with none."""
        entry = self.version_in_force(day)
        return Item(entry.version, entry.definition, entry.read, (entry,)) if entry else Item()


def evolve(item: Item, event: CatalogueEvent, at: datetime) -> Item:
    """The item after an event."""
    match event:
        case ItemDrafted():
            return item._replace(draft=event.definition)
        case ItemPublished():
            return _published(item, event, office_day(at))
        case ItemWithdrawn():
            return item._replace(versions=tuple(_ending(entry, event.withdrawn_from) for entry in item.versions))
        case _:
            assert_never(event)


def _published(item: Item, event: ItemPublished, today: date) -> Item:
    starts = first_day(event.effective_from, today, first=not item.versions)
    read = read_item(event.definition)
    entry = ItemVersionEntry(event.item_version, event.definition, read, starts, None)
    return Item(event.item_version, event.definition, read, (*item.versions, entry))


def first_day(asked: date | None, published: date, *, first: bool) -> date:
    """The first day of a version.

    A first version without a date also rules what was filed before its publication and is entered late.
    """
    return asked or (date.min if first else published)


def _ending(entry: ItemVersionEntry, day: date) -> ItemVersionEntry:
    return entry._replace(ends=day if entry.ends is None else min(entry.ends, day))


def rules(item: Item) -> Rules:
    """A publication is made under the version it makes."""
    return Rules(item=ItemVersion(item.read.id, item.version) if item.read else None)


ITEM = Aggregate(
    category="catalogue",
    events=(ItemDrafted, ItemPublished, ItemWithdrawn),
    initial=Item(),
    evolve=evolve,
    rules=rules,
)
