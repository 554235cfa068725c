"""The rules of the case: what a decision refuses, and why."""

from __future__ import annotations

from tongban.domain.errors import Conflict, NotFound, RuleBroken


class UnknownCase(NotFound):
    """There is no case with this id."""

    zh = "没有该办件。"


class ItemNotPublished(NotFound):
    """No service item with this id is published."""

    zh = "该事项未发布。"


class ApplicantNotRegistered(NotFound):
    """The applicant is not a registered party: register the party first."""

    zh = "申请人尚未登记, 请先登记。"


class ApplicantNotServed(RuleBroken):
    """This service item is not for this kind of applicant."""

    zh = "该事项不面向此类申请人。"


class UnknownMaterial(RuleBroken):
    """A material is not in the published guide of the item (上海市优化营商环境条例 art. 24)."""

    zh = "材料不在办事指南清单内。"


class MaterialRepeated(RuleBroken):
    """A material is given twice."""

    zh = "同一材料重复提交。"


class CaseClosedAlready(RuleBroken):
    """The case is closed."""

    zh = "办件已办结。"


class NotAccepted(RuleBroken):
    """The application has not been accepted yet: there is no review or decision without acceptance."""

    zh = "申请尚未受理, 不得审查或决定。"


class NotABranch(RuleBroken):
    """This department is not one of the case's branches."""

    zh = "该部门不是本办件的审查部门。"


class OpinionAlreadyGiven(RuleBroken):
    """This branch has already given another opinion."""

    zh = "该部门已出具不同意见。"


class OpinionsOutstanding(RuleBroken):
    """Some branches have not given their opinion yet."""

    zh = "尚有部门未出具意见。"


class OpinionsAgainst(RuleBroken):
    """Some branches are against it: a grant needs every branch to pass."""

    zh = "有部门意见为不通过, 不得准予。"


class AlreadyDecided(RuleBroken):
    """The case is decided already."""

    zh = "办件已作出决定。"


class SameOfficer(RuleBroken):
    """Who accepted a promised item may not decide it."""

    zh = "承诺件的受理人不得作出决定。"


class ReasonAndRemedyRequired(RuleBroken):
    """A denial needs its reason and the remedy open to the applicant (行政许可法 art. 38)."""

    zh = "不予决定须说明理由并告知救济途径。"


class NotGranted(RuleBroken):
    """There is no grant to issue a licence for."""

    zh = "未作出准予决定, 不得制证。"


class LicenceAlreadyIssued(RuleBroken):
    """The licence of this grant is issued already."""

    zh = "该决定的证照已制发。"


class NoLicenceResults(RuleBroken):
    """This service item does not result in a licence."""

    zh = "该事项不产生证照。"


class InvalidValidity(RuleBroken):
    """The licence would end before it begins, or after the year 9999."""

    zh = "证照有效期止早于有效期起, 或晚于9999年。"


class HowNotAllowed(RuleBroken):
    """This material cannot be met in this way: upload it, or use the way its guide names."""

    zh = "该材料不能以此方式提交。"


class NotRenewable(RuleBroken):
    """The licence to renew is not one of this item and this applicant, or is no longer valid."""

    zh = "拟延续的证照与本事项或申请人不符, 或已失效。"


class NotReceived(RuleBroken):
    """The materials have not arrived yet."""

    zh = "申请材料尚未收到。"


class MaterialsMissing(RuleBroken):
    """Materials this applicant needs are missing: obtain them, ask for a correction, or tolerate what may follow."""

    zh = "尚缺必要材料。"


class NotTolerable(RuleBroken):
    """Only a missing material that the guide marks as one that may follow can be tolerated (容缺受理)."""

    zh = "仅限清单标注“容缺后补”且未提交的材料。"


class ToleratedOutstanding(RuleBroken):
    """Materials that were promised at acceptance are not in yet: there is no decision before they are."""

    zh = "容缺材料尚未补齐, 不得作出决定。"


class NothingToSupplement(RuleBroken):
    """This material was not promised at acceptance."""

    zh = "该材料不在容缺后补清单内。"


class AcceptedByLaw(RuleBroken):
    """No notice came in time, so the case counts as accepted since its receipt (行政许可法 art. 32(4))."""

    zh = "逾期未告知, 自收到申请材料之日起即为受理。"


class AlreadyAccepted(RuleBroken):
    """The application has been accepted already."""

    zh = "申请已受理。"


class ApplicantBarred(RuleBroken):
    """The applicant may not file for this item until the day named (行政许可法 art. 78, 79)."""

    zh = "申请人在限制申请期内, 应不予受理。"


class DefectsRequired(RuleBroken):
    """A correction notice names at least one defect, each material once and with its problem."""

    zh = "补正告知须逐项列明材料及问题。"


class AskedOutsideGuide(RuleBroken):
    """Only what the guide asks of this applicant may be asked for (上海市优化营商环境条例 art. 24)."""

    zh = "不得要求提交办事指南以外的材料。"


class AskedForExempt(RuleBroken):
    """This material is exempt: the office gets it from its source (国务院令716号 art. 7)."""

    zh = "可通过共享或电子证照获取的材料, 不得要求申请人提交。"


class AlreadyCorrected(RuleBroken):
    """The one correction notice was given already (行政许可法 art. 32(4): once, and all defects)."""

    zh = "补正只能一次性告知。"


class SameGrounds(RuleBroken):
    """A further correction in review must rest on other grounds: these materials were asked for before."""

    zh = "审查中的补正须基于新的事由。"


class CorrectionOutstanding(RuleBroken):
    """The applicant has not mended what the notice named yet."""

    zh = "申请人尚未补正。"


class NoCorrectionAsked(RuleBroken):
    """No correction is asked for."""

    zh = "未要求补正。"


class CorrectionTooLate(RuleBroken):
    """The time to mend the application is over."""

    zh = "补正期限已过。"


class DefectsRemain(RuleBroken):
    """The correction must bring everything the notice named."""

    zh = "须一次补齐告知的全部材料。"


class BranchDone(RuleBroken):
    """This branch has given its opinion already."""

    zh = "该部门已出具意见。"


class ClaimedByOther(Conflict):
    """Another officer has claimed this branch: ask for its release, or the head to reassign it."""

    zh = "该环节已由其他工作人员领办。"


class NotClaimed(RuleBroken):
    """Nobody has claimed this branch."""

    zh = "该环节无人领办。"


class AlreadyConsulted(RuleBroken):
    """This department is a branch of the case, or was asked already."""

    zh = "该部门已参与审查或已被征求意见。"


class NotConsulted(RuleBroken):
    """This department was not asked."""

    zh = "未征求该部门意见。"


class TwoInspectors(RuleBroken):
    """An inspection is made by two officers or more (行政许可法 art. 34, 55)."""

    zh = "核查须由两名以上工作人员进行。"


class InspectionOutstanding(RuleBroken):
    """These branches still need an inspection that was passed."""

    zh = "尚有部门未完成或未通过核查。"


class NotASpecialProcedure(RuleBroken):
    """Only the kinds of 行政许可法 art. 45, or those of the item itself, stop the clock."""

    zh = "仅法定特别程序可以中止计时。"


class NoticeRequired(RuleBroken):
    """The time needed must be told to the applicant in writing (行政许可法 art. 45)."""

    zh = "特别程序所需时间须书面告知申请人。"


class ProcedureRunning(RuleBroken):
    """A special procedure is running here: end it first."""

    zh = "特别程序尚在进行中。"


class ProceduresOverlap(RuleBroken):
    """Special procedures of one branch may not overlap in time."""

    zh = "特别程序时间不得重叠。"


class NoProcedureRunning(RuleBroken):
    """No special procedure is running here."""

    zh = "没有正在进行的特别程序。"


class HearingNotice(RuleBroken):
    """A hearing needs its chair and a day at least seven working days after the notice (行政许可法 art. 48)."""

    zh = "听证须确定主持人, 并于七日前通知。"


class ReviewerChairs(RuleBroken):
    """Who reviews the case may not chair its hearing (行政许可法 art. 48)."""

    zh = "审查人员不得主持听证。"


class HearingOutstanding(RuleBroken):
    """The hearing, or the time to ask for it, is not over yet."""

    zh = "听证尚未结束, 或申请听证期限未满。"


class NoHearingOffered(RuleBroken):
    """No hearing was offered, or the time to ask for it is over."""

    zh = "未告知听证权利, 或申请期限已过。"


class ExtensionNotAllowed(RuleBroken):
    """The law of this item allows no extension, or not for so long."""

    zh = "该事项不得延期, 或超过可延长期限。"


class AlreadyExtended(RuleBroken):
    """The deadline was extended already: once only (行政许可法 art. 42)."""

    zh = "审批期限只能延长一次。"


class TooLateToExtend(RuleBroken):
    """The deadline has passed: it could only be extended before."""

    zh = "期限已届满, 不得延长。"


class NoFeeDue(RuleBroken):
    """No fee is due in this case."""

    zh = "本办件无应缴费用。"


class WrongAmount(RuleBroken):
    """The amount is not the one that was asked for."""

    zh = "金额与缴费通知不符。"


class FeeUnpaid(RuleBroken):
    """The fee is not paid yet: nothing is issued before it is."""

    zh = "费用未缴, 不得发证。"


class NothingToRefund(RuleBroken):
    """There is nothing to pay back in this case."""

    zh = "本办件无应退费用。"


class NotOffered(RuleBroken):
    """This item is not open to notification and commitment (告知承诺)."""

    zh = "该事项不适用告知承诺。"


class NotCommitted(RuleBroken):
    """No commitment was signed in this case."""

    zh = "未签署承诺。"


class GateClosed(RuleBroken):
    """This step waits for another part of the bundle."""

    zh = "须待一件事中其他环节完成。"


class DeliveryOtherMeans(RuleBroken):
    """The applicant chose another way of delivery."""

    zh = "送达方式与申请人选择不符。"


class NotClosed(RuleBroken):
    """The case is not closed yet."""

    zh = "办件尚未办结。"


class NotASourceMaterial(RuleBroken):
    """No source of the government holds this material: the applicant brings it."""

    zh = "该材料不能从政府部门获取, 由申请人提交。"


class DeliveryNotOffered(RuleBroken):
    """The result of this item is not delivered in this way: choose one that its guide names."""

    zh = "该事项不提供此送达方式, 请按办事指南选择。"
