"""How old a stored event is, for the lag in seconds that metrics show."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson


def age_of(state: bytes) -> float:
    """Seconds since an event was recorded; 0 where that cannot be read or lies in the future."""
    try:
        recorded_at = datetime.fromisoformat(orjson.loads(state)["recorded_at"])
        return max(0.0, (datetime.now(UTC) - recorded_at).total_seconds())
    except (ValueError, KeyError, TypeError):
        return 0.0
