"""What a case does as part of a bundle and nowhere else. Asked by policies, so that what is past changes nothing."""

from __future__ import annotations

from tongban.domain.aggregate import Circumstances
from tongban.domain.case.acceptance import corrected
from tongban.domain.case.commands import PassOnCorrection, WithdrawApplication, WithdrawPart
from tongban.domain.case.ending import withdraw_application
from tongban.domain.case.events import CaseEvent
from tongban.domain.case.guards import CaseFacts
from tongban.domain.case.state import BEFORE_ACCEPTANCE, IN_REVIEW, Case, Status


def pass_on_correction(
    command: PassOnCorrection, circumstances: Circumstances, case: Case, facts: CaseFacts
) -> list[CaseEvent]:
    """补正 of this sub-case's share: whole and in time, or the bundle refused it. Nothing if it is mended or over.

    What was asked for before a withdrawal, a lapse or a decision stays asked; it is no open case any more.
    """
    brought = {found.material for found in command.evidence}
    waits = case.asked and (case.status is Status.CORRECTING or case.status in IN_REVIEW)
    if not waits or not brought.issuperset(case.asked):
        return []
    return [corrected(case, command.evidence, command.form, circumstances, facts)]


def withdraw_part(command: WithdrawPart, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """撤回 with the bundle, unless it is decided. Why, stands in the bundle."""
    if case.status not in BEFORE_ACCEPTANCE and case.status not in IN_REVIEW:
        return []
    return withdraw_application(WithdrawApplication(command.case_id, ""), circumstances, case, facts)
