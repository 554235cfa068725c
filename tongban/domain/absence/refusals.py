"""The rules that registering an absence can break."""

from __future__ import annotations

from tongban.domain.errors import Forbidden, RuleBroken


class NotYourAbsence(Forbidden):
    """An absence is registered and ended by the officer himself or by the head of his department."""

    zh = "缺勤只能由本人或本部门负责人登记、撤销。"


class CoverIsAbsent(RuleBroken):
    """Nobody covers for himself."""

    zh = "代岗人不能是缺勤人本人。"


class AbsenceTooLong(RuleBroken):
    """An absence cannot be covered that long: reassign the work instead."""

    zh = "缺勤代岗期限过长, 请改派办件。"


class AbsenceOverlaps(RuleBroken):
    """The officer is registered as absent on some of these days already: end that absence first."""

    zh = "该时段已登记缺勤, 请先撤销。"
