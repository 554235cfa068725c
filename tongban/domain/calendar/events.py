"""What has happened to the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class CalendarImported:
    """The holiday notice (节假日安排) of a year was entered: days off, and weekend days worked instead (调休)."""

    calendar_version: int
    year: int
    off: tuple[date, ...]
    worked: tuple[date, ...]
    source: str
