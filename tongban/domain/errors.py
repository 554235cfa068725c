"""What a decision can refuse with. The class is the rule; its docstring is the English message; the fields say where.

A subclass's `code` is its name in kebab case and never changes once released: problem+json types and GraphQL
`extensions.code` are built from it. HTTP knows nothing of this module; the API maps the four families to statuses.
"""

from __future__ import annotations

import re
from typing import ClassVar


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class DomainError(Exception):
    """A rule was broken."""

    code: ClassVar[str] = "domain-error"
    zh: ClassVar[str] = "违反规则。"

    def __init_subclass__(cls) -> None:
        """Derive the stable code from the class name."""
        cls.code = _kebab(cls.__name__)

    def __init__(self, **fields: object) -> None:
        """Keep the rule's fields, which are named in the refusal."""
        self.fields = fields
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English sentence of the rule (the first paragraph of the docstring)."""
        return (self.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")


class RuleBroken(DomainError):
    """A rule of the procedure was broken."""

    zh = "违反办理规则。"


class Forbidden(DomainError):
    """The caller may not do this."""

    zh = "无权执行此操作。"


class NotFound(DomainError):
    """No such thing exists."""

    zh = "所查对象不存在。"


class Conflict(DomainError):
    """The thing changed in the meantime."""

    zh = "数据已被他人更新。"


class StaleVersion(Conflict):
    """The version named in If-Match is not the current one: look at what changed, then ask again."""

    zh = "版本已更新, 请查看最新内容后重试。"


class EffectiveTimeInFuture(RuleBroken):
    """effective_at lies in the future; a late entry can only name a past moment."""

    zh = "生效时间不能晚于当前时间。"


class EffectiveTimeBeforeCause(RuleBroken):
    """effective_at lies before the step this one rests on."""

    zh = "生效时间早于其所依据的步骤。"


class LateEntryNotAllowed(Forbidden):
    """Only an officer may enter something late with effective_at."""

    zh = "仅工作人员可以补录生效时间。"


class RoleNotAllowed(Forbidden):
    """The caller's role may not give this command."""

    zh = "当前角色无权执行此命令。"


class OtherDepartment(Forbidden):
    """This belongs to another department."""

    zh = "该事项属于其他部门。"


class OtherDistrict(Forbidden):
    """This belongs to another district, and the item is not handled city-wide."""

    zh = "该事项不属全市通办, 请到所属区窗口办理。"


class NotYours(Forbidden):
    """This belongs to another person."""

    zh = "该对象属于其他办事人。"
