"""What follows in a bundle from what has become of its parts, until nothing follows any more.

In: a bundle. Out: the events, each decided on the bundle after the one before, in the order of the looks below. What
is followed is a state, so that it does not matter in which order the parts have reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from tongban.domain.bundle import events as e
from tongban.domain.bundle.definition import Kind
from tongban.domain.bundle.state import Bundle, Part, TaskState, evolve
from tongban.domain.calendar.state import Calendar
from tongban.domain.case.events import Opinion, Result
from tongban.domain.case.guards import APPLICANT_CORRECTION, PROMISED
from tongban.domain.clock import Clock, Limit, Unit, recompute, start_clock, stop_clock
from tongban.domain.office_time import office_day
from tongban.domain.recorded import Evidence
from tongban.domain.rules import CORRECTION_BY_APPLICANT, JOINT_DECISION

JOINT = "JOINT"
NOTICE = "NOTICE"
E_LICENCE = "E_LICENCE"


def follow(bundle: Bundle, at: datetime, calendar: Calendar) -> list[e.BundleEvent]:
    """All that follows now, at a moment of effect."""
    events: list[e.BundleEvent] = []
    day = office_day(at)
    while (event := _next(bundle, day, calendar)) is not None:
        events.append(event)
        bundle = evolve(bundle, event, at)
    return events


def _next(bundle: Bundle, day: date, calendar: Calendar) -> e.BundleEvent | None:
    if bundle.completed:
        return None
    for look in _LOOKS:
        for event in look(bundle, day, calendar):
            return event
    return None


def _startings(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    """What can be filed is filed; what never can is cancelled."""
    for part in bundle.parts.values():
        if part.started or part.over:
            continue
        item = part.plan.item
        before = part.waits_for(Kind.FINISH_TO_START)
        lost = next((name for name in before if bundle.parts[name].failed), None)
        if lost is not None:
            yield e.SubItemCancelled(item=item, ground=e.Ground.NOT_STARTED, because=lost)
        elif bundle.withdrawn:
            yield e.SubItemCancelled(item=item, ground=e.Ground.WITHDRAWN, because=None)
        elif all(bundle.parts[name].finished for name in before):
            yield e.SubItemStarted(
                item=item,
                case_id=part.plan.case_id,
                told_in=bundle.told_in,
                evidence=tuple(evidence_for(bundle, part.plan.materials, part)),
            )


def evidence_for(bundle: Bundle, materials: Iterable[e.SubMaterial], part: Part) -> Iterator[Evidence]:
    """How the materials of a part are met: by what another part resulted in, else by what the applicant brought."""
    for material in materials:
        sister = bundle.parts.get(material.sister) if material.sister else None
        if sister is not None:
            # Its licence if it is there; where both go side by side, the case that will result in it.
            ref = sister.licence or sister.plan.case_id
            yield Evidence(material.material, E_LICENCE, sister.plan.lead, None, str(ref))
        elif material.asked_as is not None and (found := bundle.evidence.get(material.asked_as)) is not None:
            yield replace(found, material=material.material)


def _withdrawals(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    if bundle.withdrawn:
        for part in bundle.parts.values():
            if part.filed and not part.decided and not part.withdrawing:
                yield e.SubItemWithdrawn(item=part.plan.item, case_id=part.plan.case_id)


def _closings(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    """A case whose condition can no longer come is closed, once it is there to be closed."""
    for part in bundle.parts.values():
        if part.filed and not part.over and not part.failed:
            waits = (*part.waits_for(Kind.FINISH_TO_DECIDE), *part.waits_for(Kind.EFFECTIVE_AFTER))
            for name in waits:
                if name in bundle.parts and bundle.parts[name].failed:
                    yield e.DependantClosed(item=part.plan.item, case_id=part.plan.case_id, because=name)


def _acceptance(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    if not bundle.accepted and any(part.accepted for part in bundle.parts.values()):
        yield e.BundleAccepted(clocks=joint_clocks(bundle, day, calendar))


def joint_clocks(bundle: Bundle, day: date, calendar: Calendar) -> tuple[Clock, ...]:
    """The clocks of the whole, from the first acceptance on; with the time they were given before, where they ran."""
    assert bundle.limit is not None  # submitted
    limit, basis = JOINT_DECISION
    started = (start_clock(JOINT, basis, day, limit, calendar), start_clock(PROMISED, "", day, bundle.limit, calendar))
    return tuple(
        recompute(replace(bundle.clocks[clock.name], start=day), calendar) if clock.name in bundle.clocks else clock
        for clock in started
    )


def _tasks_ready(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    for task in bundle.tasks.values():
        if not task.ready and not still_to_accept(bundle, task) and served(bundle, task):
            clocks: tuple[Clock, ...] = ()
            if task.plan.within is not None:
                clocks = (start_clock(clock_of(task), "", day, Limit(task.plan.within, Unit.WORKING_DAY), calendar),)
            yield e.SharedTaskReady(task=task.plan.id, clocks=clocks)


def clock_of(task: TaskState) -> str:
    """The name of a task's clock."""
    return f"TASK:{task.plan.id}"


def still_to_accept(bundle: Bundle, task: TaskState) -> tuple[str, ...]:
    """The parts a task serves that are not accepted yet."""
    parts = (bundle.parts[item] for item in task.plan.serves)
    return tuple(part.plan.item for part in parts if not part.accepted and not part.decided)


def served(bundle: Bundle, task: TaskState) -> tuple[Part, ...]:
    """The parts that a task can still do something for."""
    parts = (bundle.parts[item] for item in task.plan.serves)
    return tuple(part for part in parts if part.accepted and not part.decided)


def _gates(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    for part in bundle.parts.values():
        if part.filed and not part.over and not part.failed:
            for gate in part.plan.gates:
                if gate.name not in part.opened and _is_open(bundle, part, gate.name):
                    yield e.GateReached(item=part.plan.item, case_id=part.plan.case_id, gate=gate.name)


def _is_open(bundle: Bundle, part: Part, gate: str) -> bool:
    if gate == e.ALL_DECIDED:
        return all(other.decided for other in bundle.parts.values())
    if gate in bundle.tasks:
        # Who commits himself is decided on his word; the check comes after (告知承诺).
        return part.committed or bundle.tasks[gate].result is Opinion.PASS
    other = bundle.parts[gate]
    if part.plan.licence_type is None and gate in part.waits_for(Kind.EFFECTIVE_AFTER):
        # A grant that makes no licence takes effect at once: it waits for the other's grant, not for its licence, which
        # may itself wait until all is decided.
        return other.granted and not other.failed
    return other.finished


def _notice(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    """Once every part that was begun has been looked at, the one notice goes out by itself."""
    begun = [part for part in bundle.parts.values() if part.started]
    if all(part.looked_at for part in begun):
        yield from notice(bundle, day, calendar)


def notice(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleCorrectionRequested]:
    """One notice for all defects that were noted and not told; nothing where there are none."""
    noted = [part for part in bundle.parts.values() if part.noted and not part.decided]
    if not noted:
        return
    asked: dict[str, list[e.OwnMaterials]] = {}
    for part in noted:
        own: dict[str, list[str]] = {}
        for material in part.noted:
            own.setdefault(asked_name(part, material), []).append(material)
        for name, materials in own.items():
            asked.setdefault(name, []).append(e.OwnMaterials(part.plan.item, tuple(materials)))
    due = min((_correction_clock(part, day, calendar) for part in noted), key=lambda clock: clock.due)
    yield e.BundleCorrectionRequested(
        materials=tuple(e.AskedMaterial(name, tuple(parts)) for name, parts in asked.items()),
        cases=tuple(part.plan.case_id for part in noted),
        clocks=(*running(bundle, day, NOTICE), due),
    )


def _correction_clock(part: Part, day: date, calendar: Calendar) -> Clock:
    _, basis = CORRECTION_BY_APPLICANT
    return start_clock(APPLICANT_CORRECTION, basis, day, part.plan.correct_within, calendar)


def asked_name(part: Part, material: str) -> str:
    """What the bundle calls a material of a part."""
    found = next((each for each in part.plan.materials if each.material == material), None)
    return material if found is None or found.asked_as is None else found.asked_as


def _decision(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    if not bundle.decided and all(part.decided for part in bundle.parts.values()):
        yield e.BundleDecided(clocks=running(bundle, day, JOINT, PROMISED))


def _completion(bundle: Bundle, day: date, calendar: Calendar) -> Iterator[e.BundleEvent]:
    if all(part.over for part in bundle.parts.values()):
        results = tuple(e.ItemResult(name, part.result or Result.GRANTED) for name, part in bundle.parts.items())
        yield e.BundleCompleted(results=results, clocks=running(bundle, day, *bundle.clocks))


def running(bundle: Bundle, day: date, *names: str) -> tuple[Clock, ...]:
    """Those of the named clocks that run, stopped on a day."""
    found = (bundle.clocks.get(name) for name in names)
    return tuple(stop_clock(clock, day) for clock in found if clock is not None and clock.stopped is None)


_LOOKS: tuple[Callable[[Bundle, date, Calendar], Iterator[e.BundleEvent]], ...] = (
    _startings,
    _withdrawals,
    _closings,
    _acceptance,
    _tasks_ready,
    _gates,
    _notice,
    _decision,
    _completion,
)
