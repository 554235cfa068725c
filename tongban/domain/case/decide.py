"""What each command to a filed case leads to: guards first, then the events; `[]` means it is so already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tongban.domain.aggregate import Circumstances
from tongban.domain.case import acceptance, bundled, commands, deadlines, decision, ending, filing, review
from tongban.domain.case.commands import CaseCommand
from tongban.domain.case.events import CaseEvent
from tongban.domain.case.guards import CaseFacts
from tongban.domain.case.refusals import UnknownCase
from tongban.domain.case.state import Case, Status

Decide = Callable[[Any, Circumstances, Case, CaseFacts], list[CaseEvent]]

DECISIONS: Mapping[type, Decide] = {
    commands.ReceiveMaterials: filing.receive_materials,
    commands.PassPreCheck: filing.pass_pre_check,
    commands.ReturnPreCheck: filing.return_pre_check,
    commands.CorrectOnSpot: acceptance.correct_on_spot,
    commands.RequestCorrection: acceptance.request_correction,
    commands.NotifyDefects: acceptance.notify_defects,
    commands.SubmitCorrection: acceptance.submit_correction,
    commands.PassOnCorrection: bundled.pass_on_correction,
    commands.ObtainMaterial: acceptance.obtain_material,
    commands.SupplementMaterial: acceptance.supplement_material,
    commands.AcceptApplication: acceptance.accept_application,
    commands.DeemAccepted: acceptance.deem_accepted,
    commands.RefuseAcceptance: acceptance.refuse_acceptance,
    commands.ClaimCase: review.claim_case,
    commands.ReleaseCase: review.release_case,
    commands.ReassignCase: review.reassign_case,
    commands.RecordOpinion: review.record_opinion,
    commands.RequestConsult: review.request_consult,
    commands.AnswerConsult: review.answer_consult,
    commands.ScheduleInspection: review.schedule_inspection,
    commands.RecordInspection: review.record_inspection,
    commands.RecordJointInspection: review.record_joint_inspection,
    commands.StartSpecialProcedure: deadlines.start_special_procedure,
    commands.EndSpecialProcedure: deadlines.end_special_procedure,
    commands.OfferHearing: deadlines.offer_hearing,
    commands.RequestHearing: deadlines.request_hearing,
    commands.ExtendDeadline: deadlines.extend_deadline,
    commands.RecomputeDeadlines: deadlines.recompute_deadlines,
    commands.RequestFee: ending.request_fee,
    commands.RecordPayment: ending.record_payment,
    commands.RecordRefund: ending.record_refund,
    commands.SignCommitment: decision.sign_commitment,
    commands.WithdrawCommitment: decision.withdraw_commitment,
    commands.OpenGate: ending.open_gate,
    commands.CloseDependant: ending.close_dependant,
    commands.CloseRevoked: ending.close_revoked,
    commands.GrantApproval: decision.grant_approval,
    commands.DeemRenewed: decision.deem_renewed,
    commands.DenyApproval: decision.deny_approval,
    commands.IssueLicence: ending.issue_licence,
    commands.ConfirmDelivery: ending.confirm_delivery,
    commands.WithdrawApplication: ending.withdraw_application,
    commands.WithdrawPart: bundled.withdraw_part,
    commands.LapseCase: ending.lapse_case,
    commands.ArchiveCase: ending.archive_case,
}


def decide(command: CaseCommand, circumstances: Circumstances, case: Case, facts: CaseFacts) -> list[CaseEvent]:
    """What a command to a filed case leads to. Raises DomainError."""
    if case.status is Status.NOT_FILED:
        raise UnknownCase(case_id=command.case_id)
    return DECISIONS[command.__class__](command, circumstances, case, facts)
