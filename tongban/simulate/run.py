"""One case on its way through its plan: what is known of it so far, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tongban.domain.ids import sub_case_stream
from tongban.simulate.client import Reply
from tongban.simulate.plan import CasePlan
from tongban.simulate.script import Step

_FILINGS = frozenset({"SubmitApplication", "SubmitBundle"})


@dataclass(slots=True)
class CaseRun:
    """The steps of `plan` from `done` on are still to come.

    `case` is the id of its case, or of its bundle; `agent` and `mandate` are ids, where somebody acts.
    """

    plan: CasePlan
    party: str
    agent: str | None = None
    mandate: str | None = None
    case: str | None = None
    done: int = 0
    events: list[str] = field(default_factory=list)
    grade: int | None = None
    refused: bool = False

    @property
    def next(self) -> Step | None:
        """The step to be taken, None at the end or after a refusal."""
        if self.refused or self.done == len(self.plan.steps):
            return None
        return self.plan.steps[self.done]

    def named(self, step: Step) -> dict[str, Any]:
        """What a step's body says of this case and its parties."""
        about: dict[str, Any] = {"bundle_id" if self.plan.bundle else "case_id": self.case}
        if step.command == "GrantMandate":
            about = {"principal": self.party, "agent": self.agent}
        elif step.command in _FILINGS:
            about = {"applicant": self.party}
        elif step.part is not None and self.case is not None:
            about = {"case_id": str(sub_case_stream(UUID(self.case), step.part))}
        return {**about, **({"mandate": self.mandate} if step.mandated else {})}

    def answered(self, step: Step, reply: Reply) -> None:
        """A step was answered for good."""
        if reply.code is not None:
            self.refused = True
            return
        self.done += 1
        self.events.extend(reply.events)
        self.grade = step.body.get("grade", self.grade)
        if step.command == "GrantMandate":
            self.mandate = reply.id
        elif step.command in _FILINGS:
            self.case = reply.id
