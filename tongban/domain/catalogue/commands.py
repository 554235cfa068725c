"""What may be asked of a service item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class DraftItem:
    """Put down a definition of a service item as a draft, in place of the draft before. Nothing is in force by it."""

    item: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublishItem:
    """Publish a service item, or a new version of it. Open cases keep the version they were filed under.

    With `item` null the draft of `item_id` is published. `effective_from` is the first day of the version, by default
    the day of publication.
    """

    item: dict[str, Any] | None = None
    item_id: str | None = None
    effective_from: date | None = None


@dataclass(frozen=True, slots=True)
class WithdrawItem:
    """Take nothing new under a service item, from a day on (by default today). Open cases go on."""

    item_id: str
    from_: date | None = None
