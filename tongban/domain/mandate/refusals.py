"""The rules that a mandate, or an act under one, can break."""

from __future__ import annotations

from tongban.domain.errors import Forbidden, NotFound, RuleBroken


class UnknownMandate(NotFound):
    """There is no such mandate."""

    zh = "授权不存在。"


class PartyNotRegistered(RuleBroken):
    """Principal and agent must be registered first."""

    zh = "委托人和受托人须先登记。"


class AgentIsPrincipal(RuleBroken):
    """Nobody needs a mandate for himself."""

    zh = "委托人与受托人不能为同一主体。"


class MandateKindMismatch(RuleBroken):
    """A mandate of this kind is not between such parties.

    An operator is a person who acts for an organisation; guardians and family are persons who act for a person.
    """

    zh = "授权类型与主体类型不符。"


class GuardianshipAtCounter(RuleBroken):
    """A guardianship is entered at a counter, with the document that proves it, and ended at a counter."""

    zh = "监护关系须在窗口凭证明材料登记或解除。"


class PeriodReversed(RuleBroken):
    """The last day lies before the first."""

    zh = "截止日期早于起始日期。"


class PeriodOver(RuleBroken):
    """The last day is over already."""

    zh = "截止日期已过。"


class MandateTooLong(RuleBroken):
    """A mandate cannot run that long: grant a shorter one and renew it."""

    zh = "授权期限过长, 请缩短期限, 到期后续期。"


class ScopeEmpty(RuleBroken):
    """A mandate for no item or no step is none; leave the list out to mean all."""

    zh = "授权范围不能为空; 不填表示全部。"


class ScopeUnknown(RuleBroken):
    """The mandate names items that are not in the catalogue."""

    zh = "授权范围包含未公布的事项。"


class InPersonRequired(RuleBroken):
    """The law wants the applicant to come in person (行政许可法 art. 29): nobody can be sent instead."""

    zh = "该事项依法须由申请人本人到场办理, 不得委托他人。"


class MandateRequired(Forbidden):
    """An agent acts only under a mandate: name it."""

    zh = "代理人须凭有效授权办理, 请指明授权。"


class MandateNotYetValid(Forbidden):
    """The mandate does not run yet."""

    zh = "授权尚未生效。"


class MandateExpired(Forbidden):
    """The mandate's last day is over."""

    zh = "授权已到期。"


class MandateRevokedAlready(Forbidden):
    """The mandate was revoked."""

    zh = "授权已被撤销。"


class OutsideMandate(Forbidden):
    """The mandate does not cover this item or this step."""

    zh = "该事项或步骤不在授权范围内。"
