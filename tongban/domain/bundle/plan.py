"""Planning a bundle at its filing: which parts the answers choose, what each waits for, what it is asked for.

In: a definition, the items in force, an applicant's answers. Out: the plan that the first event carries along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from tongban.domain.bundle.definition import BundleDefinition, Chosen, Dependency, Kind
from tongban.domain.bundle.events import ALL_DECIDED, SharedTask, SubItem, SubMaterial, Wait
from tongban.domain.bundle.graph import longest_way
from tongban.domain.bundle.refusals import AnswersOpen, NothingChosen
from tongban.domain.case.events import Gate, Step
from tongban.domain.case.guards import answer_term, limit_of
from tongban.domain.catalogue.guide import inspected
from tongban.domain.catalogue.item import ItemDefinition
from tongban.domain.catalogue.questions import asked_by, check_answers, holds
from tongban.domain.catalogue.state import Item
from tongban.domain.clock import Limit, Unit
from tongban.domain.ids import sub_case_stream
from tongban.domain.rules import CORRECTION_BY_APPLICANT

# The most working days a limit in another unit can have, for the length of a way: a week has five, a month 23.
_WORKING_DAYS_A_MONTH = 23

Answers = Mapping[str, Any]


def chosen_items(definition: BundleDefinition, items: Mapping[str, Item], answers: Answers) -> tuple[Chosen, ...]:
    """The sub-items that the answers choose. Raises UnknownAnswer, InvalidAnswer, AnswersOpen, NothingChosen."""
    questions = {question["id"]: question for question in definition.questions}
    for name in definition.names:
        read = items[name].read
        questions |= {question["id"]: question for question in (read.questions if read else ())}
    check_answers(tuple(questions.values()), answers)
    if still := frozenset().union(*(asked_by(chosen.when, answers) for chosen in definition.items)):
        raise AnswersOpen(questions=sorted(still))
    found = tuple(chosen for chosen in definition.items if holds(chosen.when, answers))
    if not found:
        raise NothingChosen(bundle=definition.id)
    return found


def narrowed(definition: BundleDefinition, chosen: Sequence[Chosen]) -> BundleDefinition:
    """The definition as far as it is about these sub-items: nobody waits for a part that is not there."""
    names = {each.item for each in chosen}
    tasks = tuple(
        replace(task, serves=serves)
        for task in definition.tasks
        if (serves := tuple(item for item in task.serves if item in names))
    )
    known = names | {task.id for task in tasks}
    return replace(
        definition,
        items=tuple(chosen),
        tasks=tasks,
        dependencies=tuple(each for each in definition.dependencies if each.before in known and each.after in names),
        preconditions=tuple(pair for pair in definition.preconditions if pair[1] in names),
    )


def without_idle_tasks(definition: BundleDefinition, items: Mapping[str, Item], answers: Answers) -> BundleDefinition:
    """The definition without inspections of items that need none for this applicant, by their own condition."""

    def idle(name: str) -> bool:
        item = _read(items[name])
        return bool(item.terms["inspection"]) and not inspected(item, answers)

    tasks = tuple(
        replace(task, serves=serves)
        for task in definition.tasks
        if (serves := tuple(name for name in task.serves if not idle(name)))
    )
    left = {task.id: task.serves for task in tasks}
    ids = {task.id for task in definition.tasks}
    return replace(
        definition,
        tasks=tasks,
        dependencies=tuple(
            each
            for each in definition.dependencies
            if each.before not in ids or each.after in left.get(each.before, ())
        ),
    )


def _read(item: Item) -> ItemDefinition:
    assert item.read is not None  # looked at before: every part is published
    return item.read


def plan_items(definition: BundleDefinition, items: Mapping[str, Item], bundle: UUID) -> tuple[SubItem, ...]:
    """The parts of a narrowed definition, in its order."""
    results = {name: _read(items[name]).licence_type for name in definition.names}
    called = {pair: merged.id for merged in definition.merged for pair in merged.replaces}
    planned = []
    for chosen in definition.items:
        item = _read(items[chosen.item])
        waits = tuple(each for each in definition.dependencies if each.after == chosen.item)
        earlier = _earlier(definition, chosen.item)
        planned.append(
            SubItem(
                item=item.id,
                item_version=items[chosen.item].version,
                case_id=sub_case_stream(bundle, item.id),
                lead=item.lead,
                departments=tuple(sorted({item.lead, *item.branches})),
                licence_type=item.licence_type,
                promised=Limit(chosen.promised, Unit.WORKING_DAY) if chosen.promised is not None else None,
                answer_within=answer_term(item.terms)[0],
                city_wide=bool(item.terms["city_wide"]),
                correct_within=limit_of(item.terms, "applicant_correction", CORRECTION_BY_APPLICANT)[0],
                waits=tuple(Wait(each.kind, each.before) for each in waits),
                gates=_gates(definition, item, waits),
                materials=tuple(
                    _material(definition, item.id, name, terms, results, earlier, called)
                    for name, terms in item.terms["materials"].items()
                ),
                withheld_fields=_withheld(definition, item.id),
                questions=tuple(question["id"] for question in item.questions),
            )
        )
    return tuple(planned)


def _earlier(definition: BundleDefinition, item: str) -> tuple[str, ...]:
    """The items whose results are there before an item is filed, near and far."""
    found: dict[str, None] = {}
    waiting = [item]
    while waiting:
        name = waiting.pop()
        for each in definition.dependencies:
            if each.kind is Kind.FINISH_TO_START and each.after == name and each.before not in found:
                found[each.before] = None
                waiting.append(each.before)
    return tuple(name for name in definition.names if name in found)


def _gates(definition: BundleDefinition, item: ItemDefinition, waits: Sequence[Dependency]) -> tuple[Gate, ...]:
    """What of its case waits. Where no licence is made the grant itself is the result, so that it is the grant."""
    in_force = Step.ISSUE if item.licence_type else Step.DECIDE
    gates = [Gate(each.before, Step.DECIDE) for each in waits if each.kind is Kind.FINISH_TO_DECIDE]
    gates += [Gate(each.before, in_force) for each in waits if each.kind is Kind.EFFECTIVE_AFTER]
    if definition.issues_together and item.licence_type:
        gates.append(Gate(ALL_DECIDED, Step.ISSUE))
    return tuple(gates)


def _material(
    definition: BundleDefinition,
    item: str,
    name: str,
    terms: Mapping[str, Any],
    results: Mapping[str, str | None],
    earlier: Sequence[str],
    called: Mapping[tuple[str, str], str],
) -> SubMaterial:
    """A result of an earlier part is not asked for, nor one the definition drops while its sister is there."""
    licence_type = terms["licence_type"]
    sisters = earlier if (item, name) not in definition.dropped else [each for each in results if each != item]
    sister = None
    if licence_type is not None:
        sister = next((each for each in sisters if results[each] == licence_type), None)
    asked_as = None if sister is not None else called.get((item, name), name)
    return SubMaterial(material=name, asked_as=asked_as, licence_type=licence_type, sister=sister)


def _withheld(definition: BundleDefinition, item: str) -> tuple[str, ...]:
    """What of the shared form is not for this item: fields and sections that only others use."""
    mine: set[str] = set()
    others: set[str] = set()
    for section in definition.sections:
        used = not section.used_by or item in section.used_by
        (mine if used else others).update((section.id, *section.fields))
    return tuple(sorted(others - mine))


def plan_tasks(definition: BundleDefinition, items: Mapping[str, Item]) -> tuple[SharedTask, ...]:
    """The shared tasks of a narrowed definition; who takes part, where it does not say: who reviews what they serve."""
    return tuple(
        SharedTask(
            id=task.id,
            participants=task.participants or tuple(dict.fromkeys(_read(items[name]).lead for name in task.serves)),
            serves=task.serves,
            within=task.within,
        )
        for task in definition.tasks
    )


def limit_for(definition: BundleDefinition, items: Mapping[str, Item]) -> Limit:
    """The promise for the whole: as the definition states it, else the longest way through its parts."""
    if definition.limit is not None:
        return Limit(definition.limit, Unit.WORKING_DAY)
    return Limit(longest_way(definition, own_days(definition, items)), Unit.WORKING_DAY)


def own_days(definition: BundleDefinition, items: Mapping[str, Item]) -> dict[str, int]:
    """The working days each part takes at most, once it is filed; one without any limit takes none."""
    return {chosen.item: _days(chosen, _read(items[chosen.item])) for chosen in definition.items}


def _days(chosen: Chosen, item: ItemDefinition) -> int:
    if chosen.promised is not None:
        return chosen.promised
    limit = item.terms.get("promised") or item.terms.get("legal")
    if limit is None:
        return 0
    value: int = limit["value"]
    return value * _WORKING_DAYS_A_MONTH if limit["unit"] == Unit.MONTH else value
