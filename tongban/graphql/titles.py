"""What each event of a case is called, for people: Chinese as on the paper it stands for, and English."""

from __future__ import annotations

from collections.abc import Mapping

TITLES: Mapping[str, tuple[str, str]] = {
    "case.ApplicationSubmitted": ("申请", "application filed"),
    "case.MaterialsReceived": ("收件", "materials received"),
    "case.PreCheckPassed": ("预审通过", "pre-check passed"),
    "case.PreCheckReturned": ("预审退回", "pre-check returned with advice"),
    "case.ErrorCorrectedOnSpot": ("当场更正", "corrected on the spot"),
    "case.DefectsNoted": ("记录待补正事项", "defects noted for the one notice"),
    "case.CorrectionRequested": ("补正告知", "corrections asked for"),
    "case.CorrectionSubmitted": ("补正材料", "corrections submitted"),
    "case.MaterialExempted": ("免于提交", "material obtained by the office"),
    "case.ExemptionFailed": ("免于提交未成", "source did not give the material"),
    "case.MaterialSupplemented": ("容缺后补", "promised material brought"),
    "case.ApplicationAccepted": ("受理", "accepted"),
    "case.CaseDeemedAccepted": ("视为受理", "accepted by law"),
    "case.AcceptanceRefused": ("不予受理", "acceptance refused"),
    "case.CaseClaimed": ("领办", "claimed"),
    "case.CaseReleased": ("退回待办", "released"),
    "case.CaseReassigned": ("转办", "reassigned"),
    "case.OpinionRecorded": ("审查意见", "opinion given"),
    "case.ConsultRequested": ("征求意见", "department consulted"),
    "case.ConsultAnswered": ("答复征求意见", "consultation answered"),
    "case.InspectionScheduled": ("安排现场核查", "on-site check planned"),
    "case.InspectionDone": ("现场核查", "on-site check"),
    "case.SpecialProcedureStarted": ("特别程序开始", "special procedure begun: the clock stops"),
    "case.SpecialProcedureEnded": ("特别程序结束", "special procedure over: the clock runs"),
    "case.HearingOffered": ("告知听证权利", "right to a hearing told"),
    "case.HearingRequested": ("申请听证", "hearing asked for"),
    "case.DeadlineExtended": ("延长审批", "deadline extended"),
    "case.DeadlinesRecomputed": ("期限重新计算", "deadlines reckoned anew"),
    "case.FeeRequested": ("缴费通知", "fee asked for"),
    "case.FeePaid": ("缴费", "fee paid"),
    "case.FeeRefunded": ("退费", "fee refunded"),
    "case.CommitmentOffered": ("告知承诺事项", "commitment offered"),
    "case.CommitmentSigned": ("签署承诺", "commitment signed"),
    "case.CommitmentWithdrawn": ("撤回承诺", "commitment withdrawn"),
    "case.ConditionFailed": ("前置条件未成就", "what it depended on was not granted"),
    "case.GateOpened": ("前置条件满足", "what was waited for has come"),
    "case.ApprovalGranted": ("准予决定", "granted"),
    "case.ApprovalDeemedGranted": ("视为准予延续", "renewed by law"),
    "case.ApprovalDenied": ("不予决定", "denied"),
    "case.LicenceIssued": ("制证", "licence issued"),
    "case.LicenceDelivered": ("送达", "result delivered"),
    "case.ApplicationWithdrawn": ("撤回申请", "application withdrawn"),
    "case.CaseLapsed": ("视为撤回", "lapsed"),
    "case.CaseClosed": ("办结", "closed"),
    "case.CaseArchived": ("归档", "archived"),
    "licence.LicenceCollected": ("证照归集", "licence collected"),
    "licence.LicenceRevoked": ("证照撤销", "licence revoked"),
    "commitment.CommitmentCheckOpened": ("承诺核查待办", "check of the commitment due"),
    "commitment.CommitmentChecked": ("承诺核查", "commitment checked"),
    "revocation.DecisionRevoked": ("撤销决定", "decision revoked"),
    "rating.CaseRated": ("评价", "rated"),
}
"""Type name → Chinese, English."""


def title_of(event_type: str, *, english: bool) -> str:
    """What an event is called; its type where it has no name."""
    chinese, named = TITLES.get(event_type, (event_type, event_type))
    return named if english else chinese
