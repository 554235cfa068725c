"""What has happened to an officer's absences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class AbsenceRegistered:
    """代岗: on both days and all between, `cover` may do the work that `officer` has claimed in this department."""

    officer: str
    cover: str
    department: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class AbsenceEnded:
    """销假: the officer is back before the last day, or does not go; his cover ends now."""

    officer: str
    cover: str
    department: str
    first: date


AbsenceEvent = AbsenceRegistered | AbsenceEnded
