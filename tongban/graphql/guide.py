"""The guide: what exactly an applicant has to do and to bring, given the answers so far."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry
from strawberry.scalars import JSON

from tongban.domain.catalogue import guide as domain
from tongban.domain.catalogue.item import MaterialName, read_item
from tongban.domain.catalogue.refusals import InvalidAnswer
from tongban.graphql.catalogue import ServiceItem, service_item
from tongban.graphql.context import Info, Lang, enum_value
from tongban.graphql.errors import ReadProblem
from tongban.graphql.ids import askable
from tongban.graphql.terms import Language, LicenceTypeRef, MaterialMet, Question, licence_type_ref, named, question
from tongban.projections.bundle_definitions import bundle_in_force
from tongban.projections.items import ItemVersionRow, item_by_id, items_in_force_of

_MOST_ANSWERS = 100


@strawberry.enum(description="A stage an applicant sees (办理流程).")
class GuideStepKind(Enum):
    """In their order."""

    APPLY = enum_value("APPLY", "申请.")
    ACCEPT = enum_value("ACCEPT", "受理.")
    INSPECT = enum_value("INSPECT", "现场核查: somebody comes; the clock runs on.")
    SPECIAL_PROCEDURE = enum_value("SPECIAL_PROCEDURE", "特别程序: may be held; it stops the clock.")
    REVIEW = enum_value("REVIEW", "审查.")
    DECIDE = enum_value("DECIDE", "决定.")
    PAY = enum_value("PAY", "缴费.")
    ISSUE = enum_value("ISSUE", "制证.")
    DELIVER = enum_value("DELIVER", "送达.")


@strawberry.type(description="A step of this applicant's way.")
class GuideStep:
    """One step."""

    kind: GuideStepKind = strawberry.field(description="Which stage it is.")
    departments: list[str] = strawberry.field(description="The codes of those who act; none: the applicant.")
    certain: bool = strawberry.field(description="False while it hangs on a question, or need not happen.")
    procedures: list[str] = strawberry.field(description="The kinds of special procedure that may be held.")


@strawberry.type(description="What an item asks for that a merged material stands for.")
class ReplacedMaterial:
    """In a bundle."""

    item: str = strawberry.field(description="The id of the item.")
    material: str = strawberry.field(description="The code of its material.")


@strawberry.type(description="A material this applicant needs, and how it is met.")
class GuideMaterial:
    """One material."""

    called: strawberry.Private[MaterialName]
    id: str = strawberry.field(description="Its code, as commands name it.")
    met: MaterialMet = strawberry.field(description="How it is met where nothing fails.")
    licence_type: LicenceTypeRef | None = strawberry.field(description="The e-licence that is fetched for it.")
    certain: bool = strawberry.field(description="False while it hangs on an open question.")
    may_follow: bool = strawberry.field(description="容缺后补: it may be handed in after acceptance.")
    optional: bool = strawberry.field(description="It need not be handed in.")
    basis: str | None = strawberry.field(description="设定依据: the law that asks for it.")
    replaces: list[ReplacedMaterial] = strawberry.field(description="In a bundle: what it stands for.")

    @strawberry.field(description="Its name.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return named(self.called, lang)


@strawberry.type(description="What a matter asks of an applicant. Null: no figure is known.")
class Burden:
    """减材料、减跑动、减时限."""

    forms: int | None = strawberry.field(description="Forms to fill in.")
    materials: int | None = strawberry.field(description="Materials, met in whatever way.")
    visits: int | None = strawberry.field(description="Visits to an office.")
    inspections: int | None = strawberry.field(description="Times somebody comes to inspect.")
    working_days: int | None = strawberry.field(description="Working days promised.")


@strawberry.type(description="A guide (办事指南) for one applicant.")
class Guide:
    """For an item, or for a bundle of items."""

    items: list[ServiceItem] = strawberry.field(description="The items, in the versions in force.")
    steps: list[GuideStep] = strawberry.field(description="The steps, in order.")
    materials: list[GuideMaterial] = strawberry.field(description="All that is needed, or may be.")
    questions: list[Question] = strawberry.field(description="The questions whose answers still change something.")
    to_upload: int = strawberry.field(description="How many papers are certainly left for the applicant.")
    before: Burden = strawberry.field(description="What the matter once asked.")
    after: Burden = strawberry.field(description="What it asks of this applicant.")


def resolve_guide(
    info: Info, item: str | None, bundle: str | None, answers: JSON | None, version: str | None = None
) -> Guide:
    """The guide of an item or a bundle. Raises ReadProblem, UnknownAnswer, InvalidAnswer."""
    if (item is None) == (bundle is None):
        raise ReadProblem("guide-of-one", "A guide is of one item or of one bundle: name either.")
    given = _answers(answers)
    if item is not None:
        row = item_by_id(info.context.cursor, item, today=info.context.today) if askable(item) else None
        if row is None:
            raise ReadProblem("unknown-item", "No such item is in force.")
        return _guide(domain.guide(read_item(row.definition), given), {row.item_id: row})
    definition = find_bundle(info, bundle or "", version)
    if definition is None:
        raise ReadProblem("unknown-bundle", "No such bundle is in force.")
    names = [sub["itemId"] for sub in definition["subItems"]]
    rows = {row.item_id: row for row in items_in_force_of(info.context.cursor, names, today=info.context.today)}
    items = {name: read_item(row.definition) for name, row in rows.items()}
    return _guide(domain.bundle_guide(definition, items, given), rows)


def find_bundle(info: Info, bundle: str, version: str | None) -> Mapping[str, Any] | None:
    """The definition of a bundle in force, of the version with this label if one is named."""
    if not askable(bundle) or (version is not None and not askable(version)):
        return None
    row = bundle_in_force(info.context.cursor, bundle, today=info.context.today, label=version)
    return row.definition if row else None


def _answers(answers: object) -> Mapping[str, Any]:
    if answers is None:
        return {}
    if not isinstance(answers, dict) or len(answers) > _MOST_ANSWERS:
        raise InvalidAnswer(at="/answers", kind="object")
    return answers


def _guide(found: domain.Guide, rows: Mapping[str, ItemVersionRow]) -> Guide:
    return Guide(
        items=[service_item(rows[name]) for name in found.items],
        steps=[
            GuideStep(
                kind=GuideStepKind(step.kind.value),
                departments=list(step.departments),
                certain=step.certain,
                procedures=list(step.procedures),
            )
            for step in found.steps
        ],
        materials=[_material(material) for material in found.materials],
        questions=[question(each) for each in found.open],
        to_upload=found.to_upload,
        before=_burden(found.before),
        after=_burden(found.after),
    )


def _material(material: domain.GuideMaterial) -> GuideMaterial:
    return GuideMaterial(
        called=material.name,
        id=material.id,
        met=MaterialMet(material.met.value),
        licence_type=licence_type_ref(material.licence_type),
        certain=material.certain,
        may_follow=material.may_follow,
        optional=material.optional,
        basis=material.basis,
        replaces=[ReplacedMaterial(item=item, material=name) for item, name in material.replaces],
    )


def _burden(burden: domain.Burden) -> Burden:
    return Burden(
        forms=burden.forms,
        materials=burden.materials,
        visits=burden.visits,
        inspections=burden.inspections,
        working_days=burden.working_days,
    )
