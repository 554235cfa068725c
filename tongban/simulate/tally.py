"""What a simulation did, in numbers: no names, no ids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tongban.domain.case.state import Status
from tongban.simulate.client import Reply
from tongban.simulate.plan import CasePlan

# Where a case stands after an event of this type.
_STATUS = {
    "case.ApplicationSubmitted": Status.SUBMITTED,
    "case.ApplicationAccepted": Status.ACCEPTED,
    "case.ApprovalGranted": Status.GRANTED,
    "case.ApprovalDenied": Status.DENIED,
    "case.CaseClosed": Status.CLOSED,
}


@dataclass(slots=True)
class Tally:
    """Counts while the simulation runs; `summary` at any moment. Thread-safe."""

    accepted: int = 0
    repeated: int = 0
    retried: int = 0
    events: int = 0
    parties: int = 0
    cases: int = 0
    fallbacks: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    grades: Counter[int] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def count(self, reply: Reply) -> None:
        """One command was answered for good."""
        with self.lock:
            self.retried += reply.tries - 1
            if reply.code is None:
                self.accepted += 1
                self.repeated += reply.repeated
                self.events += 0 if reply.repeated else len(reply.events)
            else:
                self.refused[reply.code] += 1

    def count_fallbacks(self, number: int) -> None:
        """So many papers had to be uploaded because a source did not have what it should."""
        with self.lock:
            self.fallbacks += number

    def count_party(self) -> None:
        """One more party is registered."""
        with self.lock:
            self.parties += 1

    def count_case(self, plan: CasePlan, events: list[str], grade: int | None) -> None:
        """One case went as far as it goes; `events` are the types of all its events, `grade` its rating."""
        reached = [_STATUS[event] for event in events if event in _STATUS]
        with self.lock:
            self.cases += 1
            self.items[plan.item] += 1
            self.channels[plan.channel] += 1
            self.states[reached[-1] if reached else Status.NOT_FILED] += 1
            if grade is not None:
                self.grades[grade] += 1

    def summary(self, *, seed: int, seconds: float) -> dict[str, Any]:
        """The JSON summary. `repeated` commands had been done by an earlier run with this seed.

        Cases, parties and states count those, too; `events` are new ones.
        """
        sent = self.accepted + self.refused.total()
        return {
            "seed": seed,
            "cases": self.cases,
            "parties": self.parties,
            "commands": {
                "sent": sent,
                "accepted": self.accepted,
                "repeated": self.repeated,
                "refused": dict(self.refused.most_common()),
                "retries": self.retried,
            },
            "events": self.events,
            "exemptions_failed": self.fallbacks,
            "by_state": dict(sorted(self.states.items())),
            "by_channel": dict(self.channels.most_common()),
            "by_item": dict(self.items.most_common()),
            "by_grade": {str(grade): number for grade, number in sorted(self.grades.items())},
            "seconds": round(seconds, 3),
            "commands_per_second": round(sent / seconds, 1) if seconds else 0.0,
        }
