"""What a draft, a publication and a withdrawal lead to, and which version a filing falls under."""

from __future__ import annotations

from datetime import date

from tongban.domain.aggregate import Circumstances
from tongban.domain.catalogue.checks import check_item, item_id_of
from tongban.domain.catalogue.commands import DraftItem, PublishItem, WithdrawItem
from tongban.domain.catalogue.events import CatalogueEvent, ItemDrafted, ItemPublished, ItemWithdrawn
from tongban.domain.catalogue.refusals import (
    EffectiveFromInPast,
    InvalidItem,
    ItemNotInForce,
    NothingDrafted,
    UnknownItem,
)
from tongban.domain.catalogue.state import Item
from tongban.domain.office_time import office_day


def draft_item(command: DraftItem, item: Item) -> list[CatalogueEvent]:
    """Keep a draft; it needs an id only. Raises InvalidItem."""
    item_id = item_id_of(command.item)
    return [] if item.draft == command.item else [ItemDrafted(item_id=item_id, definition=command.item)]


def publish_item(command: PublishItem, circumstances: Circumstances, item: Item) -> list[CatalogueEvent]:
    """Publish the next version, or nothing if from that day on the same definition is in force already.

    Raises InvalidItem, NothingDrafted, EffectiveFromInPast.
    """
    definition = item.draft if command.item is None else command.item
    if definition is None:
        raise NothingDrafted(item=command.item_id)
    check_item(definition)
    if command.item_id is not None and command.item_id != definition["id"]:
        raise InvalidItem(at="/id", problem="the entry has another id than item_id")
    today = office_day(circumstances.effective_at)
    first_day = _not_past(command.effective_from, today)
    ruling = item.version_in_force(first_day)
    if ruling is not None and ruling.ends is None and ruling.definition == definition:
        return []
    return [
        ItemPublished(
            item_id=definition["id"],
            item_version=item.version + 1,
            definition=dict(definition),
            effective_from=command.effective_from,
        )
    ]


def withdraw_item(command: WithdrawItem, circumstances: Circumstances, item: Item) -> list[CatalogueEvent]:
    """Withdraw every version from a day on. A version published later puts the item in force again.

    Raises UnknownItem, EffectiveFromInPast.
    """
    if not item.versions:
        raise UnknownItem(item=command.item_id)
    first_day = _not_past(command.from_, office_day(circumstances.effective_at))
    if all(entry.ends is not None and entry.ends <= first_day for entry in item.versions):
        return []
    return [ItemWithdrawn(item_id=command.item_id, withdrawn_from=first_day)]


def item_for_filing(item: Item, item_id: str, day: date) -> Item:
    """The item as an application of this day is filed under it. Raises ItemNotInForce; never published: as it is."""
    found = item.as_of(day)
    if item.versions and not found.version:
        raise ItemNotInForce(item=item_id, day=day)
    return found


def _not_past(asked: date | None, today: date) -> date:
    if asked is not None and asked < today:
        raise EffectiveFromInPast(asked=asked, today=today)
    return asked or today
