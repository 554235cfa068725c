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
