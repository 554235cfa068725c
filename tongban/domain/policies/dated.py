"""A command with its own moment, for policies whose commands do not take effect when their event did."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple


class Dated(NamedTuple):
    """`command`, in effect since `effective_at` (UTC, not in the future)."""

    command: Any
    effective_at: datetime
