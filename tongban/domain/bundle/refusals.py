"""What a bundle can refuse with, beside what its cases refuse with."""

from __future__ import annotations

from tongban.domain.errors import NotFound, RuleBroken


class InvalidBundle(RuleBroken):
    """The bundle's definition is not complete or not consistent; `at` says where (JSON pointer)."""

    zh = "“一件事”定义不完整或不一致。"


class CircularBundle(RuleBroken):
    """Parts of the bundle would wait for each other for ever."""

    zh = "“一件事”各事项之间存在循环依赖。"


class PromiseOverItem(RuleBroken):
    """A limit within the bundle is longer than what the item promises when it stands alone."""

    zh = "“一件事”内的办理时限超过单个事项的承诺时限。"


class BundleNotPublished(NotFound):
    """No such bundle, or no such version of it, is in force."""

    zh = "没有生效的该“一件事”或该版本。"


class UnknownBundle(NotFound):
    """No such bundle was filed."""

    zh = "没有该“一件事”办件。"


class AnswersOpen(RuleBroken):
    """These questions must be answered first: they choose the parts of the bundle."""

    zh = "请先回答确定办理事项的问题。"


class NothingChosen(RuleBroken):
    """By these answers the bundle has no part."""

    zh = "根据回答, 没有需要办理的事项。"


class PreconditionNotMet(RuleBroken):
    """What the bundle builds on is not there, such as a valid business licence."""

    zh = "不具备“一件事”的前提条件, 如有效的营业执照。"


class UnknownTask(RuleBroken):
    """The bundle has no such shared task."""

    zh = "该“一件事”没有此联合环节。"


class TaskNotReady(RuleBroken):
    """The joint inspection begins once the parts it serves are accepted."""

    zh = "联合核查须在相关事项受理后进行。"


class TaskDone(RuleBroken):
    """The joint inspection was passed, or nothing waits for it any more."""

    zh = "联合核查已完成, 或已无事项需要核查。"


class NothingToWithdraw(RuleBroken):
    """Every part of the bundle is decided or ended."""

    zh = "各事项均已决定或办结, 不能撤回。"


class NoDefectsNoted(RuleBroken):
    """No part of the bundle has noted a defect that the applicant was not told of."""

    zh = "没有尚未告知的补正内容。"
