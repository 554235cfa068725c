"""What a service item says of itself: limits, materials, fee and questions, as a reader of the catalogue sees them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

import strawberry

from tongban.domain.catalogue.item import MaterialName
from tongban.graphql.context import Info, Lang, enum_value

Language = Annotated[Lang, strawberry.argument(description="The language of the name.")]


@strawberry.enum(description="The unit of a time limit.")
class TimeUnit(Enum):
    """As events write it."""

    WORKING_DAY = enum_value("WORKING_DAY", "工作日: by the working-day calendar.")
    CALENDAR_DAY = enum_value("CALENDAR_DAY", "自然日.")
    MONTH = enum_value("MONTH", "月.")


@strawberry.enum(description="Whether a material is needed.")
class Necessity(Enum):
    """材料必要性."""

    REQUIRED = enum_value("REQUIRED", "必要.")
    CONDITIONAL = enum_value("CONDITIONAL", "必要 where its condition holds.")
    OPTIONAL = enum_value("OPTIONAL", "非必要.")
    TOLERABLE = enum_value("TOLERABLE", "容缺后补: it may follow after acceptance.")


@strawberry.enum(description="Where a material comes from.")
class MaterialSource(Enum):
    """来源渠道."""

    APPLICANT = enum_value("APPLICANT", "申请人自备.")
    GOV_ISSUED = enum_value("GOV_ISSUED", "政府部门核发.")
    OTHER = enum_value("OTHER", "其他: issued by a third party.")


@strawberry.enum(description="How a material is met.")
class MaterialMet(Enum):
    """All but UPLOAD ask no paper of the applicant."""

    UPLOAD = enum_value("UPLOAD", "上传: the applicant hands it in.")
    E_LICENCE = enum_value("E_LICENCE", "电子证照: fetched from the licence library.")
    DATA_SHARING = enum_value("DATA_SHARING", "数据共享: fetched from another department.")
    COMMITMENT = enum_value("COMMITMENT", "告知承诺: a written promise takes its place.")
    ONLINE_AUTHORISATION = enum_value("ONLINE_AUTHORISATION", "在线授权: given online.")
    FORM_PREFILL = enum_value("FORM_PREFILL", "表单预填: made from the form.")


@strawberry.type(description="A time limit with its basis.")
class TimeLimit:
    """A value and a unit."""

    value: int = strawberry.field(description="How many.")
    unit: TimeUnit = strawberry.field(description="Of what.")
    basis: str | None = strawberry.field(description="The law it follows from, or where the figure comes from.")


@strawberry.type(description="A type of licence.")
class LicenceTypeRef:
    """By its code."""

    code: str = strawberry.field(description="Its code in the catalogue.")

    @strawberry.field(description="Its name.")
    def name(self, info: Info, lang: Language = Lang.ZH) -> str | None:
        """By the catalogue."""
        return info.context.names.licence_type(self.code, lang.value)


@strawberry.type(description="A material (申请材料) an item may ask for.")
class ItemMaterial:
    """One of the published list, which is all that may be asked (上海条例 art. 24)."""

    called: strawberry.Private[MaterialName]
    id: str = strawberry.field(description="Its code, as commands name it.")
    necessity: Necessity = strawberry.field(description="Whether it is needed.")
    source: MaterialSource | None = strawberry.field(description="Where it comes from.")
    met: MaterialMet = strawberry.field(description="How it is met where nothing fails.")
    licence_type: LicenceTypeRef | None = strawberry.field(description="The e-licence that replaces it.")
    basis: str | None = strawberry.field(description="设定依据: the law that asks for it.")
    conditional: bool = strawberry.field(description="Whether it hangs on the answers to questions.")

    @strawberry.field(description="Its name.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return named(self.called, lang)


@strawberry.type(description="A fee (收费).")
class Fee:
    """What is charged for one case."""

    amount: str | None = strawberry.field(description="With two decimals; null where it differs from case to case.")
    currency: str = strawberry.field(description="ISO 4217.")
    basis: str | None = strawberry.field(description="收费依据.")


@strawberry.enum(description="What kind of answer a question takes.")
class QuestionKind(Enum):
    """As entries write it."""

    BOOLEAN = enum_value("boolean", "true or false.")
    CHOICE = enum_value("choice", "the value of one of its options.")
    NUMBER = enum_value("number", "a number.")


@strawberry.type(description="An answer a choice offers.")
class QuestionOption:
    """One option."""

    told: strawberry.Private[Mapping[str, Any]]
    value: str = strawberry.field(description="What to answer.")

    @strawberry.field(description="What it means.")
    def text(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return _text(self.told, lang)


@strawberry.type(description="A question to the applicant, in plain words.")
class Question:
    """Its answer decides which steps and materials are needed."""

    told: strawberry.Private[Mapping[str, Any]]
    id: str = strawberry.field(description="The key of its answer in `answers`.")
    kind: QuestionKind = strawberry.field(description="What kind of answer it takes.")
    options: list[QuestionOption] = strawberry.field(description="The answers of a choice.")

    @strawberry.field(description="The question.")
    def text(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return _text(self.told, lang)


def named(name: MaterialName, lang: Lang) -> str:
    """A material's name in a language."""
    return name.en if lang is Lang.EN else name.zh


def _text(told: Mapping[str, Any], lang: Lang) -> str:
    text: str = told["en" if lang is Lang.EN else "zh"]
    return text


def time_limit(limit: Mapping[str, Any] | None) -> TimeLimit | None:
    """The GraphQL object of a limit in an item's terms."""
    return TimeLimit(value=limit["value"], unit=TimeUnit(limit["unit"]), basis=limit.get("basis")) if limit else None


def licence_type_ref(code: str | None) -> LicenceTypeRef | None:
    """The GraphQL object of a licence type's code."""
    return LicenceTypeRef(code=code) if code else None


def question(told: Mapping[str, Any]) -> Question:
    """The GraphQL object of an entry's question."""
    options = [QuestionOption(told=option, value=option["value"]) for option in told.get("options") or ()]
    return Question(told=told, id=told["id"], kind=QuestionKind(told["kind"]), options=options)


def met_by(exempt_by: str) -> MaterialMet:
    """How a material is met, by its `exemptBy`."""
    return MaterialMet.UPLOAD if exempt_by == "NONE" else MaterialMet(exempt_by)
