"""What the system does when a time comes: which command, of whom, and when. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from tongban.domain.bundle.commands import SendDueNotice
from tongban.domain.bundle.follow import NOTICE
from tongban.domain.case.commands import DeemAccepted, DeemRenewed, LapseCase
from tongban.domain.office_time import OFFICE_TIME

CommandOf = Callable[[UUID], Any]
"""Stream → the command that its timer gives."""

RENEWAL = "RENEWAL"
CLOCK_TIMERS: Mapping[str, CommandOf] = {
    "CORRECTION": DeemAccepted,
    "APPLICANT_CORRECTION": LapseCase,
    "TOLERATED": LapseCase,
}
"""By the name of the clock whose last day is over."""
BUNDLE_TIMERS: Mapping[str, CommandOf] = {NOTICE: SendDueNotice}
"""As above, of a bundle's clock, but when its last day begins: what the timer sends must arrive on it."""
TIMERS: Mapping[str, CommandOf] = {**CLOCK_TIMERS, **BUNDLE_TIMERS, RENEWAL: DeemRenewed}
"""Kind → command. A kind is part of command ids, so it never changes. The command judges by itself whether the time has
come: what a read table says is only why it is asked.
"""


def after(day: date) -> datetime:
    """The moment at which the last day in time is over: midnight in the offices (民法典 art. 203)."""
    return datetime.combine(day + timedelta(days=1), time.min, OFFICE_TIME)


def timer_command(stream: UUID, kind: str, due_at: datetime) -> UUID:
    """The id of the command that a timer gives: the same however often it is found due."""
    return uuid5(stream, f"timer:{kind}:{due_at.astimezone(OFFICE_TIME).isoformat()}")


def recomputation(case_id: UUID, calendar_version: int, turn: int) -> UUID:
    """The id of the command that has a case's deadlines reckoned by a version of the calendar, at the turn-th look."""
    return uuid5(case_id, f"calendar:{calendar_version}:{turn}")
