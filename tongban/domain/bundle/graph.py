"""What comes before what in a bundle, and how long the longest way is (把最长的时限作为最后一道关).

Each item has three points: it is filed, it is decided, its result is in force; a task has one, when it is done. Every
rule of a definition is an edge between points, so that one search finds every way in which parts would wait for
each other for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from tongban.domain.bundle.definition import BundleDefinition, Kind


class Point(IntEnum):
    """A moment of an item or (DONE) of a task."""

    FILED = 1
    DECIDED = 2
    IN_FORCE = 3
    DONE = 4


class Node(NamedTuple):
    """A point of an item or task."""

    name: str
    point: Point


_HOLDS: Mapping[Kind, Point] = {
    Kind.FINISH_TO_START: Point.FILED,
    Kind.FINISH_TO_DECIDE: Point.DECIDED,
    Kind.EFFECTIVE_AFTER: Point.IN_FORCE,
}


def predecessors(definition: BundleDefinition, unlicensed: Collection[str] = ()) -> dict[Node, set[Node]]:
    """What has to come before each point.

    The result of an item in `unlicensed` is its grant itself: what its effect waits for, its decision waits for.
    """
    tasks = {task.id for task in definition.tasks}
    names = definition.names
    before: dict[Node, set[Node]] = {}
    for name in names:
        filed, decided, in_force = (Node(name, point) for point in (Point.FILED, Point.DECIDED, Point.IN_FORCE))
        before[filed], before[decided], before[in_force] = set(), {filed}, {decided}
    for task in definition.tasks:
        before[Node(task.id, Point.DONE)] = {Node(item, Point.FILED) for item in task.serves}
    for dependency in definition.dependencies:
        point = Point.DONE if dependency.before in tasks else Point.IN_FORCE
        held = _HOLDS[dependency.kind]
        if held is Point.IN_FORCE and dependency.after in unlicensed:
            held = Point.DECIDED
        before[Node(dependency.after, held)].add(Node(dependency.before, point))
    if definition.issues_together:
        decided_all = {Node(name, Point.DECIDED) for name in names}
        for name in names:
            before[Node(name, Point.IN_FORCE)] |= decided_all
    return before


def cycle(definition: BundleDefinition, unlicensed: Collection[str] = ()) -> tuple[str, ...]:
    """The names along a circle of waiting, the first once more at the end; empty where there is none."""
    try:
        TopologicalSorter(predecessors(definition, unlicensed)).prepare()
    except CycleError as error:
        names = [node.name for node in error.args[1]]
        return tuple(name for place, name in enumerate(names) if place == 0 or names[place - 1] != name)
    return ()


def longest_way(definition: BundleDefinition, working_days: Mapping[str, int]) -> int:
    """The working days until all is decided and in force, each item taking its own once it is filed.

    `working_days` of an item, from its filing to its decision. Issuing takes none of its own: it has a clock apart.
    """
    before = predecessors(definition)
    within = {task.id: task.within or 0 for task in definition.tasks}
    reached: dict[Node, int] = {}
    for node in TopologicalSorter(before).static_order():
        waited = max((reached[other] for other in before[node]), default=0)
        if node.point is Point.DECIDED:
            waited = max(waited, reached[Node(node.name, Point.FILED)] + working_days.get(node.name, 0))
        elif node.point is Point.DONE:
            waited += within[node.name]
        reached[node] = waited
    return max(reached.values(), default=0)
