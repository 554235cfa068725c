"""What may be asked about an officer's absence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class RegisterAbsence:
    """Name who covers for an officer, from one day to another: by the officer, or by the head of his department."""

    officer: str
    cover: str
    from_: date
    to: date


@dataclass(frozen=True, slots=True)
class EndAbsence:
    """End the cover for an officer who is back, and of absences that are still to come: by him, or by the head."""

    officer: str
