"""Reading a bundle's definition: what an entry of the catalogue's `composites` says, in the words the process needs.

In: an entry as it was published. Out: its parts, dependencies spelled out item by item. Whether an entry may be
published is asked in `checks`; that its dependencies lead somewhere, in `graph`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

EVERY = "*"
ACCEPT, ALL_DECIDED, ISSUE = "ACCEPT", "ALL_DECIDED", "ISSUE"


class Kind(StrEnum):
    """How one thing waits for another (依赖关系).

    FINISH_TO_START: it is not filed before the other's result is there. FINISH_TO_DECIDE: it is not granted before.
    EFFECTIVE_AFTER: its own result comes into force only after. PRECONDITION: a fact to be true at the filing.
    """

    PRECONDITION = "PRECONDITION"
    FINISH_TO_START = "FINISH_TO_START"
    FINISH_TO_DECIDE = "FINISH_TO_DECIDE"
    EFFECTIVE_AFTER = "EFFECTIVE_AFTER"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sub-item. `when` is the condition that chooses it (None: always), `promised` its working days in the bundle."""

    item: str
    when: Mapping[str, Any] | None
    promised: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """What is done once for several items. `participants` empty: the departments of the items it serves."""

    id: str
    name_zh: str
    participants: tuple[str, ...]
    serves: tuple[str, ...]
    within: int | None


@dataclass(frozen=True, slots=True)
class Dependency:
    """`after`, an item, waits for `before`, an item or a task."""

    kind: Kind
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Merged:
    """One material that stands for several: `replaces` are pairs of item and material."""

    id: str
    replaces: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the shared form; `used_by` empty: by every item."""

    id: str
    fields: tuple[str, ...]
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BundleDefinition:
    """A definition. `preconditions` are pairs of the item whose result must be valid, and who needs it.

    `issues_together`: no result is handed out before all are decided (统一发证). `limit` is the promise as the entry
    states it, in working days.
    """

    id: str
    label: str
    name_zh: str
    name_en: str
    lead: str
    items: tuple[Chosen, ...]
    tasks: tuple[Task, ...]
    dependencies: tuple[Dependency, ...]
    preconditions: tuple[tuple[str, str], ...]
    issues_together: bool
    merged: tuple[Merged, ...]
    dropped: frozenset[tuple[str, str]]
    sections: tuple[Section, ...]
    questions: tuple[Mapping[str, Any], ...]
    limit: int | None

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of the sub-items, in the definition's order."""
        return tuple(chosen.item for chosen in self.items)

    @property
    def needs(self) -> tuple[str, ...]:
        """Every item whose definition is looked at: the sub-items, and those a precondition names."""
        return tuple(dict.fromkeys((*self.names, *(before for before, _ in self.preconditions))))


def items_named(entry: object) -> tuple[str, ...]:
    """Every item an entry names, as far as it can be read at all."""
    found: dict[str, None] = {}
    if isinstance(entry, Mapping):
        for key, member in (("subItems", "itemId"), ("dependencies", "before")):
            parts = entry.get(key)
            for part in parts if isinstance(parts, list) else ():
                name = part.get(member) if isinstance(part, Mapping) else None
                if isinstance(name, str):
                    found[name] = None
    return tuple(found)


def read_bundle(entry: Mapping[str, Any]) -> BundleDefinition:
    """Read a published entry. It was checked when it was published, so nothing is refused here."""
    items = tuple(
        Chosen(sub["itemId"], sub.get("when"), sub.get("afterPromisedWorkingDays")) for sub in entry["subItems"]
    )
    names = tuple(chosen.item for chosen in items)
    tasks = tuple(
        Task(
            id=task["id"],
            name_zh=task.get("nameZh") or task["id"],
            participants=tuple(task.get("participants") or ()),
            serves=tuple(task["serves"]),
            within=task.get("withinWorkingDays"),
        )
        for task in entry.get("sharedTasks") or ()
    )
    stated = entry.get("dependencies") or ()
    return BundleDefinition(
        id=entry["id"],
        label=entry["version"],
        name_zh=entry["nameZh"],
        name_en=entry["nameEn"],
        lead=entry["leadDepartmentId"],
        items=items,
        tasks=tasks,
        dependencies=tuple(dict.fromkeys((*_between(stated, names), *_by_tasks(tasks)))),
        preconditions=tuple(
            (edge["before"], after)
            for edge in stated
            if edge["type"] == Kind.PRECONDITION
            for after in (names if edge["after"] == EVERY else (edge["after"],))
        ),
        issues_together=any(edge["before"] == ALL_DECIDED and edge["after"] == ISSUE for edge in stated),
        merged=tuple(
            Merged(merged["materialId"], tuple((pair["itemId"], pair["materialId"]) for pair in merged["replaces"]))
            for merged in entry.get("mergedMaterials") or ()
        ),
        dropped=frozenset((pair["itemId"], pair["materialId"]) for pair in entry.get("droppedMaterials") or ()),
        sections=tuple(
            Section(section["id"], tuple(section["fields"]), tuple(section.get("usedBy") or ()))
            for section in (entry.get("sharedForm") or {}).get("sections") or ()
        ),
        questions=tuple(entry.get("questions") or ()),
        limit=(entry.get("after") or {}).get("workingDays"),
    )


def _between(stated: Any, names: tuple[str, ...]) -> Iterator[Dependency]:
    """The dependencies of items; what is said of every item is said of each other one."""
    for edge in stated:
        kind, before, after = Kind(edge["type"]), edge["before"], edge["after"]
        if kind is Kind.PRECONDITION or before in (ACCEPT, ALL_DECIDED):
            continue
        for name in names if after == EVERY else (after,):
            if name != before:
                yield Dependency(kind, before, name)


def _by_tasks(tasks: tuple[Task, ...]) -> Iterator[Dependency]:
    """What a task serves is not granted before it is done, whether the entry says so once more or not."""
    for task in tasks:
        for item in task.serves:
            yield Dependency(Kind.FINISH_TO_DECIDE, task.id, item)
