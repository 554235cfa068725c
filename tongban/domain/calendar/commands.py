"""What may be asked of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ImportCalendar:
    """Import the published working days of one year, or correct them. Each import is a new version of the calendar."""

    year: int
    off: tuple[date, ...]
    worked: tuple[date, ...]
    source: str
