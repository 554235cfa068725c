"""The guide (办事指南) for one applicant: what exactly to do and to bring, given the answers so far.

In: a published item, or a bundle with its items, and answers. Out: the steps in order, the materials with how each is
met, and the questions still open. Nothing is left to be asked later: a material is needed, or it hangs on a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tongban.domain.catalogue.item import ItemDefinition, MaterialName
from tongban.domain.catalogue.questions import Question, asked_by, check_answers, fitting, holds


class Met(StrEnum):
    """How a material is met. All but UPLOAD ask no paper of the applicant."""

    UPLOAD = "UPLOAD"
    E_LICENCE = "E_LICENCE"
    DATA_SHARING = "DATA_SHARING"
    COMMITMENT = "COMMITMENT"
    ONLINE_AUTHORISATION = "ONLINE_AUTHORISATION"
    FORM_PREFILL = "FORM_PREFILL"


class StepKind(StrEnum):
    """The stages an applicant will see (办理流程)."""

    APPLY = "APPLY"
    ACCEPT = "ACCEPT"
    INSPECT = "INSPECT"
    SPECIAL_PROCEDURE = "SPECIAL_PROCEDURE"
    REVIEW = "REVIEW"
    DECIDE = "DECIDE"
    PAY = "PAY"
    ISSUE = "ISSUE"
    DELIVER = "DELIVER"


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One step. `departments` act in it, none: the applicant; `certain` is False while it hangs on an open question.

    `procedures` are the kinds of a special procedure that may be held, which stops the clock.
    """

    kind: StepKind
    departments: tuple[str, ...] = ()
    certain: bool = True
    procedures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuideMaterial:
    """One material this applicant needs, or may need while `certain` is False, and how it is met.

    `may_follow`: it may be handed in after acceptance (容缺后补). `optional`: only if the applicant likes. `basis` is
    the law that asks for it. `replaces` names the materials (item, material) it stands for in a bundle.
    """

    id: str
    name: MaterialName
    met: Met
    licence_type: str | None
    certain: bool
    may_follow: bool
    optional: bool
    basis: str | None
    replaces: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Burden:
    """What a matter asks of an applicant; None where no figure is known."""

    forms: int | None
    materials: int | None
    visits: int | None
    inspections: int | None
    working_days: int | None


@dataclass(frozen=True, slots=True)
class Guide:
    """The guide. `open` are the questions whose answers still change something; `items` those it was made for."""

    items: tuple[str, ...]
    steps: tuple[GuideStep, ...]
    materials: tuple[GuideMaterial, ...]
    open: tuple[Question, ...]
    before: Burden
    after: Burden

    @property
    def to_upload(self) -> int:
        """How many papers are certainly left for the applicant."""
        return sum(m.met is Met.UPLOAD and m.certain and not m.optional for m in self.materials)


def guide(item: ItemDefinition, answers: Mapping[str, Any]) -> Guide:
    """The guide of one item. Raises UnknownAnswer, InvalidAnswer."""
    check_answers(item.questions, answers)
    materials = tuple(_materials(item, answers))
    steps = tuple(_steps(item, answers))
    return Guide(
        items=(item.id,),
        steps=steps,
        materials=materials,
        open=_open((item,), answers),
        before=burden(item.before),
        after=Burden(
            forms=sum(m.met is Met.FORM_PREFILL for m in materials),
            materials=len(materials),
            visits=item.visits,
            inspections=sum(step.kind is StepKind.INSPECT for step in steps),
            working_days=_working_days(item.terms["promised"]),
        ),
    )


def burden(figures: Mapping[str, Any]) -> Burden:
    """What an entry or a bundle says it once asked (`before`) or now asks (`after`)."""

    def figure(key: str) -> int | None:
        value = figures.get(key)
        return value if isinstance(value, int) else None

    return Burden(*(figure(key) for key in ("forms", "materials", "visits", "inspections", "workingDays")))


def bundle_guide(bundle: Mapping[str, Any], items: Mapping[str, ItemDefinition], answers: Mapping[str, Any]) -> Guide:
    """The guide of a bundle (一件事): the materials of its items merged as it says, those of sister items left out.

    `bundle` is a definition as PublishBundle takes it, `items` its items in force by id. A material that no merged one
    replaces is asked for once, however many items need it. Raises UnknownAnswer, InvalidAnswer.
    """
    chosen = [items[sub["itemId"]] for sub in bundle["subItems"] if sub["itemId"] in items]
    questions = _questions(chosen)
    check_answers(questions, answers)
    materials = tuple(_merged(bundle, chosen, answers))
    told = bundle.get("after") or {}
    return Guide(
        items=tuple(item.id for item in chosen),
        steps=tuple(_bundle_steps(bundle, chosen, answers)),
        materials=materials,
        open=_open(chosen, answers),
        before=burden(bundle.get("before") or {}),
        after=Burden(
            forms=1,
            materials=len(materials),
            visits=told.get("visits", max((item.visits for item in chosen), default=0)),
            inspections=_inspections(bundle, chosen, answers),
            working_days=told.get("workingDays", bundle.get("criticalPathWorkingDays")),
        ),
    )


def inspected(item: ItemDefinition, answers: Mapping[str, Any]) -> bool:
    """Whether this applicant is inspected on site; while an answer is missing, yes.

    Answers that do not fit their question count as not given.
    """
    return _inspected(item, fitting(item.questions, answers)) is not False


def needed_materials(item: ItemDefinition, answers: Mapping[str, Any]) -> frozenset[str]:
    """The materials this applicant must bring in some way; a condition that is still open asks for nothing yet.

    Answers that do not fit their question count as not given.
    """
    given = fitting(item.questions, answers)
    return frozenset(
        name
        for name, terms in item.terms["materials"].items()
        if terms["necessity"] != "OPTIONAL" and _needed(item, name, given) is True
    )


def _needed(item: ItemDefinition, material: str, answers: Mapping[str, Any]) -> bool | None:
    condition = item.conditions.get(material)
    if condition is None and item.terms["materials"][material]["necessity"] == "CONDITIONAL":
        return None  # an entry of the first release, or one that states its condition in words
    return holds(condition, answers)


def _inspected(item: ItemDefinition, answers: Mapping[str, Any]) -> bool | None:
    return holds(item.inspection_condition, answers) if item.terms["inspection"] else False


def _materials(item: ItemDefinition, answers: Mapping[str, Any]) -> Iterable[GuideMaterial]:
    for name, terms in item.terms["materials"].items():
        needed = _needed(item, name, answers)
        if needed is not False:
            yield GuideMaterial(
                id=name,
                name=item.material_names[name],
                met=_met(terms["exempt_by"]),
                licence_type=terms["licence_type"],
                certain=needed is True,
                may_follow=terms["necessity"] == "TOLERABLE",
                optional=terms["necessity"] == "OPTIONAL",
                basis=item.bases.get(name),
            )


def _met(exempt_by: str) -> Met:
    return Met.UPLOAD if exempt_by == "NONE" else Met(exempt_by)


def _steps(item: ItemDefinition, answers: Mapping[str, Any]) -> Iterable[GuideStep]:
    terms = item.terms
    yield GuideStep(StepKind.APPLY)
    yield GuideStep(StepKind.ACCEPT, (item.lead,))
    inspection = _inspected(item, answers)
    if inspection is not False:
        yield GuideStep(StepKind.INSPECT, item.branches, certain=inspection is True)
    if terms["procedures"]:
        yield GuideStep(StepKind.SPECIAL_PROCEDURE, item.branches, False, tuple(terms["procedures"]))
    if not terms["immediate"]:
        yield GuideStep(StepKind.REVIEW, item.branches)
    yield GuideStep(StepKind.DECIDE, (item.lead,))
    if terms["fee"]:
        yield GuideStep(StepKind.PAY)
    if item.licence_type:
        yield GuideStep(StepKind.ISSUE, (item.lead,))
        yield GuideStep(StepKind.DELIVER, (item.lead,))


def _inspections(bundle: Mapping[str, Any], items: Sequence[ItemDefinition], answers: Mapping[str, Any]) -> int:
    """How often somebody comes: once for each joint inspection, once for each item that shares in none."""
    tasks = [_task_of(bundle, item) for item in items if inspected(item, answers)]
    return tasks.count(None) + len({task["id"] for task in tasks if task is not None})


def _task_of(bundle: Mapping[str, Any], item: ItemDefinition) -> Mapping[str, Any] | None:
    tasks: Sequence[Mapping[str, Any]] = bundle.get("sharedTasks", ())
    return next((task for task in tasks if item.id in task.get("serves", ())), None)


def _bundle_steps(
    bundle: Mapping[str, Any], items: Sequence[ItemDefinition], answers: Mapping[str, Any]
) -> Iterable[GuideStep]:
    """Each kind of step once, with every department that acts in it: the items go side by side."""
    by_kind: dict[StepKind, list[GuideStep]] = {}
    for item in items:
        joint = (_task_of(bundle, item) or {}).get("participants")
        for step in _steps(item, answers):
            together = replace(step, departments=tuple(joint)) if joint and step.kind is StepKind.INSPECT else step
            by_kind.setdefault(step.kind, []).append(together)
    for kind in StepKind:
        if steps := by_kind.get(kind):
            departments = dict.fromkeys(name for step in steps for name in step.departments)
            procedures = dict.fromkeys(name for step in steps for name in step.procedures)
            yield GuideStep(kind, tuple(departments), any(step.certain for step in steps), tuple(procedures))


def _merged(
    bundle: Mapping[str, Any], items: Sequence[ItemDefinition], answers: Mapping[str, Any]
) -> Iterable[GuideMaterial]:
    asked = {(item.id, material.id): material for item in items for material in _materials(item, answers)}
    for dropped in bundle.get("droppedMaterials", ()):  # the result of a sister item
        asked.pop((dropped["itemId"], dropped["materialId"]), None)
    for merged in bundle.get("mergedMaterials", ()):
        pairs = [(part["itemId"], part["materialId"]) for part in merged["replaces"]]
        found = {pair: asked.pop(pair) for pair in pairs if pair in asked}
        if found:
            yield _stand_in(found, merged["materialId"], MaterialName(merged["nameZh"], merged["nameEn"]))
    left: dict[str, dict[tuple[str, str], GuideMaterial]] = {}
    for pair, material in asked.items():
        left.setdefault(material.id, {})[pair] = material
    for name, found in left.items():
        yield _stand_in(found, name, next(iter(found.values())).name)


def _stand_in(found: Mapping[tuple[str, str], GuideMaterial], name: str, called: MaterialName) -> GuideMaterial:
    # Met as the one it is named after: what the applicant brings is that paper, the others come along in it.
    parts = list(found.values())
    model = next((part for part in parts if part.id == name), parts[0])
    return GuideMaterial(
        id=name,
        name=called,
        met=model.met,
        licence_type=model.licence_type,
        certain=any(part.certain for part in parts),
        may_follow=all(part.may_follow for part in parts),
        optional=all(part.optional for part in parts),
        basis=model.basis,
        replaces=tuple(found),
    )


def _questions(items: Iterable[ItemDefinition]) -> list[Question]:
    """Those of all items; a question two items share is asked once."""
    return list({question["id"]: question for item in items for question in item.questions}.values())


def _open(items: Sequence[ItemDefinition], answers: Mapping[str, Any]) -> tuple[Question, ...]:
    waiting = frozenset().union(
        *(
            asked_by(condition, answers)
            for item in items
            for condition in (*item.conditions.values(), item.inspection_condition)
        )
    )
    return tuple(question for question in _questions(items) if question["id"] in waiting)


def _working_days(limit: Mapping[str, Any] | None) -> int | None:
    return int(limit["value"]) if limit is not None and limit["unit"] == "WORKING_DAY" else None
