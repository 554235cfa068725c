"""What a publication, a withdrawal or a filing under an item can be refused with."""

from __future__ import annotations

from tongban.domain.errors import NotFound, RuleBroken


class InvalidItem(RuleBroken):
    """The item's definition is not complete or not consistent; `at` says where (JSON pointer)."""

    zh = "事项定义不完整或不一致。"


class EffectiveFromInPast(RuleBroken):
    """A version or a withdrawal takes effect on the day it is published, or later."""

    zh = "事项版本或撤销的生效日期不能早于发布日期。"


class NothingDrafted(RuleBroken):
    """There is no draft of this item to publish."""

    zh = "该事项没有可发布的草稿。"


class UnknownItem(NotFound):
    """No such item is published."""

    zh = "该事项未发布。"


class ItemNotInForce(RuleBroken):
    """No version of the item is in force on the day of filing: it was withdrawn, or takes effect later."""

    zh = "申请当日该事项没有有效版本: 已经撤销或者尚未生效。"


class PromiseOverLegal(RuleBroken):
    """The promised limit is longer than the law allows."""

    zh = "承诺办结时限超过法定办结时限。"


class MaterialWithoutBasis(RuleBroken):
    """A material is asked for without a basis in law or regulation (行政许可法 art. 16; 上海条例 art. 24)."""

    zh = "申请材料没有设定依据。"


class CatchAllCondition(RuleBroken):
    """What is asked must be named: no catch-all such as "other materials as required" (上海条例 art. 24)."""

    zh = "不得设置“其他材料”等兜底条款。"


class FeeWithoutBasis(RuleBroken):
    """A fee is charged without a basis in law or regulation (行政许可法 art. 58)."""

    zh = "收费没有法律、行政法规依据。"


class CommitmentExcluded(RuleBroken):
    """Matters of public safety, ecology, health, life and property, and immediate ones, take no commitment.

    Unless a law orders it, which is then named as the commitment's basis (上海条例 art. 27).
    """

    zh = "直接涉及公共安全、生态环境、健康和生命财产安全的事项以及即办事项, 无法定依据不适用告知承诺。"


class UnknownAnswer(RuleBroken):
    """This is not a question of the item; `at` says where (JSON pointer)."""

    zh = "该事项没有此提问。"


class InvalidAnswer(RuleBroken):
    """This is not an answer to the question; `at` says where (JSON pointer)."""

    zh = "答案不符合提问要求。"
