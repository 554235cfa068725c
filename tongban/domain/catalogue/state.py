"""What decisions need to know of a service item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from tongban.domain.aggregate import Aggregate
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.item import ItemDefinition, read_item
from tongban.domain.recorded import ItemVersion, Rules


class Item(NamedTuple):
    """The latest published version (0: none yet), its definition as published and as read."""

    version: int = 0
    definition: Mapping[str, Any] | None = None
    read: ItemDefinition | None = None


def evolve(item: Item, event: ItemPublished, at: datetime) -> Item:
    """The item after an event."""
    return Item(version=event.item_version, definition=event.definition, read=read_item(event.definition))


def rules(item: Item) -> Rules:
    """A publication is made under the version it makes."""
    return Rules(item=ItemVersion(item.read.id, item.version) if item.read else None)


ITEM = Aggregate(category="catalogue", events=(ItemPublished,), initial=Item(), evolve=evolve, rules=rules)
