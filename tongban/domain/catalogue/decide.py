"""What a publication leads to."""

from __future__ import annotations

from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.item import check_item, read_item
from tongban.domain.catalogue.state import Item


def publish_item(command: PublishItem, item: Item) -> list[ItemPublished]:
    """Publish the next version, or nothing if the definition is the one in force. Raises InvalidItem."""
    check_item(command.item)
    if item.definition == command.item:
        return []
    return [ItemPublished(item_id=read_item(command.item).id, item_version=item.version + 1, definition=command.item)]
