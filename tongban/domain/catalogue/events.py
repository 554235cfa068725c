"""What has happened to a service item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class ItemDrafted:
    """A definition was put down as a draft, in place of the draft before. It is not in force and may be unfinished."""

    item_id: str
    definition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ItemPublished:
    """A version of an implementation list (实施清单) was published. `definition` is the entry as it was given.

    It is in force from the day `effective_from`; null: from the day of its publication.
    """

    SCHEMA: ClassVar[int] = 2

    item_id: str
    item_version: int
    definition: dict[str, Any]
    effective_from: date | None


@dataclass(frozen=True, slots=True)
class ItemWithdrawn:
    """From this day on nothing new is filed under the item; open cases keep their version."""

    item_id: str
    withdrawn_from: date


CatalogueEvent = ItemDrafted | ItemPublished | ItemWithdrawn
