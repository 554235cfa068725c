"""Whether a bundle may be published: its parts there, its dependencies free of circles, its promises no longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tongban.domain.bundle.definition import (
    ACCEPT,
    ALL_DECIDED,
    EVERY,
    ISSUE,
    BundleDefinition,
    Kind,
    read_bundle,
)
from tongban.domain.bundle.graph import cycle
from tongban.domain.bundle.refusals import CircularBundle, InvalidBundle, PromiseOverItem
from tongban.domain.catalogue.item import ItemDefinition
from tongban.domain.catalogue.part import Part
from tongban.domain.catalogue.questions import Question, check_condition, check_questions
from tongban.domain.catalogue.refusals import InvalidItem
from tongban.domain.catalogue.spans import WORKING_DAY, within

Items = Mapping[str, ItemDefinition]

MOST_SUB_ITEMS = 50
"""Far above any bundle there is; the plan of all parts stands in one event."""


def bundle_id_of(entry: object) -> str:
    """The id of an entry. Raises InvalidBundle."""
    try:
        return Part(entry).name("id")
    except InvalidItem as wrong:
        raise InvalidBundle(**wrong.fields) from None


def check_bundle(entry: Mapping[str, Any], items: Items) -> BundleDefinition:
    """Refuse a definition that could not be carried out. `items` are those it names, as far as they are published.

    Raises InvalidBundle at the first place that is wrong, CircularBundle, PromiseOverItem.
    """
    try:
        _check(Part(entry), items)
    except InvalidItem as wrong:
        raise InvalidBundle(**wrong.fields) from None
    definition = read_bundle(entry)
    unlicensed = {name for name in definition.names if items[name].licence_type is None}
    if circle := cycle(definition, unlicensed):
        raise CircularBundle(at="/dependencies", circle=circle)
    return definition


def _check(entry: Part, items: Items) -> None:
    entry.name("id")
    for key in ("version", "nameZh", "nameEn", "leadDepartmentId"):
        entry.text(key)
    names = _check_sub_items(entry, items, check_questions(entry))
    tasks = _check_tasks(entry, names)
    _check_dependencies(entry, names, tasks, items)
    _check_materials(entry, names, items)
    _check_form(entry, names)
    if entry.has("after") and entry.part("after").has("workingDays"):
        entry.part("after").count("workingDays", least=1)


def _check_sub_items(entry: Part, items: Items, questions: Mapping[str, Question]) -> frozenset[str]:
    parts = entry.parts("subItems")
    if not parts:
        entry.refuse("subItems", "one or more sub-items are required")
    if len(parts) > MOST_SUB_ITEMS:
        entry.refuse("subItems", f"at most {MOST_SUB_ITEMS} sub-items are possible")
    known = dict(questions)
    for part in parts:
        name = part.text("itemId")
        if name not in items:
            part.refuse("itemId", "no such item is published")
        known |= {question["id"]: question for question in getattr(items[name], "questions", ())}
    for part in parts:
        if part.has("when"):
            check_condition(part, "when", known)
        if part.has("afterPromisedWorkingDays"):
            _check_promise(part, items[part.text("itemId")])
    names = [part.text("itemId") for part in parts]
    entry.none_twice("subItems", names)
    return frozenset(names)


def _check_promise(part: Part, item: ItemDefinition) -> None:
    """At most what the item promises when it stands alone, else what the law allows it."""
    days = part.count("afterPromisedWorkingDays", least=1)
    alone = item.terms.get("promised") or item.terms.get("legal")
    if alone is not None and not within({"value": days, "unit": WORKING_DAY}, alone):
        raise PromiseOverItem(at=part.place("afterPromisedWorkingDays"), item=item.id, alone=alone)


def _check_tasks(entry: Part, names: frozenset[str]) -> frozenset[str]:
    if not entry.has("sharedTasks"):
        return frozenset()
    tasks = entry.parts("sharedTasks")
    for task in tasks:
        if task.name("id") in names:
            task.refuse("id", "a task must not be called like an item")
        task.texts("serves", names)
        if task.has("participants"):
            task.texts("participants")
        if task.has("withinWorkingDays"):
            task.count("withinWorkingDays", least=1)
    found = [task.name("id") for task in tasks]
    entry.none_twice("sharedTasks", found)
    return frozenset(found)


def _check_dependencies(entry: Part, names: frozenset[str], tasks: frozenset[str], items: Items) -> None:
    if not entry.has("dependencies"):
        return
    for edge in entry.parts("dependencies"):
        kind = Kind(edge.choice("type", frozenset(Kind)))
        before, after = edge.text("before"), edge.text("after")
        special = kind is Kind.FINISH_TO_START and (
            (before == ALL_DECIDED and after == ISSUE) or (before == ACCEPT and after in tasks)
        )
        if special:
            continue
        if after != EVERY and after not in names:
            edge.refuse("after", "this is no sub-item of the bundle")
        if kind is Kind.PRECONDITION:
            if before in names or before not in items or items[before].licence_type is None:
                edge.refuse("before", "a published item outside the bundle, with a licence as its result, is required")
        elif before not in names and not (kind is Kind.FINISH_TO_DECIDE and before in tasks):
            edge.refuse("before", "this is no sub-item of the bundle, and no task this kind can wait for")
        elif before == after:
            edge.refuse("after", "nothing waits for itself")


def _check_materials(entry: Part, names: frozenset[str], items: Items) -> None:
    replaced: set[tuple[str, str]] = set()
    called: list[str] = []
    for merged in entry.parts("mergedMaterials") if entry.has("mergedMaterials") else ():
        called.append(merged.name("materialId"))
        merged.text("nameZh")
        merged.text("nameEn")
        pairs = merged.parts("replaces")
        if not pairs:
            merged.refuse("replaces", "one or more materials are required")
        for pair in pairs:
            _take(pair, names, items, replaced)
    entry.none_twice("mergedMaterials", called)
    for dropped in entry.parts("droppedMaterials") if entry.has("droppedMaterials") else ():
        item, material = _take(dropped, names, items, replaced)
        licence_type = items[item].terms["materials"][material]["licence_type"]
        sisters = {items[name].licence_type for name in names - {item}} - {None}
        if licence_type not in sisters:
            dropped.refuse("materialId", "only what is the result of another sub-item need not be brought")


def _take(pair: Part, names: frozenset[str], items: Items, taken: set[tuple[str, str]]) -> tuple[str, str]:
    """A material of a sub-item, each replaced or dropped once."""
    item, material = pair.text("itemId"), pair.text("materialId")
    if item not in names:
        pair.refuse("itemId", "this is no sub-item of the bundle")
    if material not in items[item].terms["materials"]:
        pair.refuse("materialId", "the item has no such material")
    if (item, material) in taken:
        pair.refuse("materialId", "an entry is repeated")
    taken.add((item, material))
    return item, material


def _check_form(entry: Part, names: frozenset[str]) -> None:
    if not entry.has("sharedForm"):
        return
    sections = entry.part("sharedForm").parts("sections")
    for section in sections:
        section.text("id")
        section.texts("fields")
        if section.has("usedBy"):
            section.texts("usedBy", names)
    entry.none_twice("sharedForm", (section.text("id") for section in sections))
