"""What has happened to a service item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ItemPublished:
    """A version of an implementation list (实施清单) was published. `definition` is the entry as it was given."""

    item_id: str
    item_version: int
    definition: dict[str, Any]
