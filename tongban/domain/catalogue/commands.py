"""What may be asked of a service item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PublishItem:
    """Publish a service item, or a new version of it. Open cases keep the version they were filed under."""

    item: dict[str, Any]
