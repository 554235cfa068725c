"""What a simulation did, in numbers: no names, no ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tongban.domain.case.state import Status
from tongban.simulate.client import Reply
from tongban.simulate.plan import CasePlan

# Where a case stands after an event of this type.
_STATUS: Mapping[str, Status] = {
    "case.ApplicationSubmitted": Status.SUBMITTED,
    "case.MaterialsReceived": Status.RECEIVED,
    "case.CorrectionSubmitted": Status.RECEIVED,
    "case.CorrectionRequested": Status.CORRECTING,
    "case.ApplicationAccepted": Status.ACCEPTED,
    "case.CaseDeemedAccepted": Status.ACCEPTED,
    "case.OpinionRecorded": Status.REVIEWING,
    "case.ConsultRequested": Status.REVIEWING,
    "case.InspectionScheduled": Status.REVIEWING,
    "case.InspectionDone": Status.REVIEWING,
    "case.SpecialProcedureStarted": Status.REVIEWING,
    "case.ApprovalGranted": Status.GRANTED,
    "case.ApprovalDenied": Status.DENIED,
    "case.LicenceIssued": Status.ISSUING,
    "case.ApplicationWithdrawn": Status.ENDING,
    "case.CaseClosed": Status.CLOSED,
    "case.CaseArchived": Status.ARCHIVED,
}
_IN_REVIEW = frozenset({Status.ACCEPTED, Status.REVIEWING})
_OF_CORRECTIONS = frozenset({"case.CorrectionRequested", "case.CorrectionSubmitted"})

# What a case went through besides the straight path, by the event that says so.
_PATHS: Mapping[str, str] = {
    "mandate.MandateGranted": "by_agent",
    "case.PreCheckPassed": "pre_checked",
    "case.PreCheckReturned": "pre_check_returned",
    "case.ErrorCorrectedOnSpot": "corrected_on_spot",
    "case.CorrectionRequested": "correction_requested",
    "case.CorrectionSubmitted": "correction_submitted",
    "case.MaterialExempted": "material_obtained",
    "case.ExemptionFailed": "source_failed",
    "case.MaterialSupplemented": "tolerated_and_supplemented",
    "case.CaseDeemedAccepted": "deemed_accepted",
    "case.CaseClaimed": "claimed",
    "case.CaseReleased": "released",
    "case.CaseReassigned": "reassigned",
    "case.ConsultRequested": "consulted",
    "case.InspectionDone": "inspected",
    "case.SpecialProcedureStarted": "suspended",
    "case.SpecialProcedureEnded": "resumed",
    "case.HearingOffered": "hearing_offered",
    "case.DeadlineExtended": "extended",
    "case.FeePaid": "fee_paid",
    "case.FeeRefunded": "fee_refunded",
    "case.CommitmentSigned": "committed",
    "commitment.CommitmentChecked": "commitment_checked",
    "revocation.DecisionRevoked": "revoked",
    "case.CaseArchived": "archived",
    "bundle.BundleSubmitted": "bundle",
    "bundle.JointInspectionDone": "bundle_inspected_jointly",
    "bundle.BundleCorrected": "bundle_corrected",
    "bundle.BundleWithdrawn": "bundle_withdrawn",
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
    batches: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    bundles: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
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

    def count_batch(self) -> None:
        """One more batch was given; its commands are counted one by one."""
        with self.lock:
            self.batches += 1

    def count_party(self) -> None:
        """One more party is registered."""
        with self.lock:
            self.parties += 1

    def count_case(self, plan: CasePlan, events: Collection[str], grade: int | None, *, whole: bool) -> None:
        """One case went as far as it goes; `events` are the types of all its events, `grade` its rating.

        `whole`: nothing of its plan was refused.
        """
        with self.lock:
            self.cases += 1
            (self.bundles if plan.bundle else self.items)[plan.item] += 1
            self.channels[plan.channel] += 1
            if not plan.bundle:
                self.states[state_after(events)] += 1
            self.endings[str(plan.ending) if whole else "CUT_SHORT"] += 1
            self.paths.update({path for event, path in _PATHS.items() if event in events})
            self.paths.update(["overdue"] * (plan.overdue and whole))
            if grade is not None:
                self.grades[grade] += 1

    def summary(self, *, seed: int, seconds: float) -> dict[str, Any]:
        """The JSON summary. `repeated` commands had been done by an earlier run with this seed.

        Cases, parties and states count those, too; `events` are new ones. `by_ending` is how far cases come (LAPSED:
        as soon as the timers have seen them), `side_paths` how many cases went through what.
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
                "batches": self.batches,
            },
            "events": self.events,
            "exemptions_failed": self.fallbacks,
            "by_ending": dict(self.endings.most_common()),
            "side_paths": dict(self.paths.most_common()),
            "by_state": dict(sorted(self.states.items())),
            "by_channel": dict(self.channels.most_common()),
            "by_item": dict(self.items.most_common()),
            "by_bundle": dict(self.bundles.most_common()),
            "by_grade": {str(grade): number for grade, number in sorted(self.grades.items())},
            "seconds": round(seconds, 3),
            "commands_per_second": round(sent / seconds, 1) if seconds else 0.0,
        }


def state_after(events: Collection[str]) -> Status:
    """Where a case stands after all its events."""
    status = Status.NOT_FILED
    for event in events:
        if event in _OF_CORRECTIONS and status in _IN_REVIEW:
            continue  # a correction on other grounds, in review
        status = _STATUS.get(event, status)
    return status
