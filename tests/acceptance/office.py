"""Offices of the city at work on given days: late entries, so that weeks of work are done in a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.acceptance.conftest import Caller
from tongban.domain.office_time import OFFICE_TIME


def moment(day: date, hour: int = 10, minute: int = 0) -> str:
    """A moment of an office day, as `effective_at` takes it."""
    return datetime.combine(day, time(hour, minute), OFFICE_TIME).isoformat()


@dataclass(frozen=True, slots=True)
class Office:
    """Officers of a department: one for each task, so that who accepts does not decide."""

    caller: Caller
    department: str

    def does(self, command: str, role: str, at: str | None = None, **body: Any) -> Any:
        """Give a command as the officer of that role, in effect `at` (default now)."""
        late = {} if at is None else {"effective_at": at}
        return self.caller.command(command, {**body, **late}, role, f"{self.department}-{role}", self.department)

    def accept(self, case: str, at: str | None = None) -> None:
        """受理."""
        self.does("AcceptApplication", "acceptor", at, case_id=case)

    def pass_(self, case: str, at: str | None = None) -> None:
        """The opinion of this department's branch."""
        said = {"branch": self.department, "opinion": "PASS", "text": "符合条件, 同意"}
        self.does("RecordOpinion", "reviewer", at, case_id=case, **said)

    def grant(self, case: str, at: str | None = None) -> None:
        """准予."""
        self.does("GrantApproval", "decider", at, case_id=case, text="准予")

    def issue(self, case: str, at: str | None = None) -> Any:
        """制证, by the window."""
        return self.does("IssueLicence", "clerk", at, case_id=case, face={})


LABOUR_DAY = {**{date(2026, 5, day): True for day in range(1, 6)}, date(2026, 5, 9): False}
"""What the notice for 2026 says of May: day → whether it is a rest day."""


def working_days(first: date, last: date, rest: Mapping[date, bool]) -> int:
    """Working days after `first` up to `last`, counted one by one: Monday to Friday but for what `rest` says."""
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return sum(not rest.get(day, day.weekday() > 4) for day in days)


def day_of(told: str) -> date:
    """The office day of a moment that the system told."""
    return datetime.fromisoformat(told).astimezone(OFFICE_TIME).date()
