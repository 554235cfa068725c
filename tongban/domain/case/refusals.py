"""The rules of the case: what a decision refuses, and why."""

from __future__ import annotations

from tongban.domain.errors import NotFound, RuleBroken


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
