"""Any acyclic bundle, any outcome of its parts: it ends, nothing begins too early, all that can begin does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bundles import a_bundle, an_item, edge, in_force
from tests.examples import CLERK, NEW_ID, PERSON_ID, SYSTEM
from tongban.domain.aggregate import Circumstances
from tongban.domain.bundle import events as e
from tongban.domain.bundle.checks import check_bundle
from tongban.domain.bundle.commands import NoteSubCase, RecordBundleInspection, SubmitBundle
from tongban.domain.bundle.decide import Facts, decide
from tongban.domain.bundle.definition import Kind, read_bundle
from tongban.domain.bundle.events import Noted
from tongban.domain.bundle.filing import BundleFacts, submit_bundle
from tongban.domain.bundle.follow import served
from tongban.domain.bundle.publishing import BundleVersion
from tongban.domain.bundle.refusals import CircularBundle
from tongban.domain.bundle.state import Bundle, evolve_all
from tongban.domain.case.events import Channel, Opinion, Result, Step
from tongban.domain.party.events import PartyKind
from tongban.domain.party.state import Party

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STREAM = UUID("0191d6a0-0000-7000-8000-0000000000b1")
BY_SYSTEM = Circumstances(SYSTEM, NOW, NOW, NEW_ID)
ENDS = (Noted.NOT_ACCEPTED, Noted.DENIED, Noted.WITHDRAWN, Noted.LAPSED, Noted.GRANTED)
_RESULTS = {
    Noted.NOT_ACCEPTED: Result.NOT_ACCEPTED,
    Noted.DENIED: Result.DENIED,
    Noted.WITHDRAWN: Result.WITHDRAWN,
    Noted.LAPSED: Result.LAPSED,
}


@dataclass
class World:
    """A bundle whose cases end as `outcomes` say, each step taken in the order that `pick` chooses."""

    outcomes: dict[str, Noted]
    pick: Any
    bundle: Bundle = field(default_factory=Bundle)
    events: list[Any] = field(default_factory=list)
    steps: dict[str, list[Any]] = field(default_factory=dict)

    def take(self, events: list[Any]) -> None:
        self.bundle = evolve_all(self.bundle, events, NOW)
        self.events += events

    def ask(self, command: Any) -> None:
        self.take(decide(command, BY_SYSTEM, self.bundle, Facts()))

    def begun(self) -> None:
        """Whatever was started gets its steps."""
        for event in self.events:
            if isinstance(event, e.SubItemStarted) and event.item not in self.steps:
                self.steps[event.item] = self._life(event.item)

    def _life(self, item: str) -> list[Any]:
        outcome, licence = self.outcomes[item], self.bundle.parts[item].plan.licence_type
        life: list[Any] = [Noted.FILED]
        if outcome is not Noted.NOT_ACCEPTED:
            life.append(Noted.ACCEPTED)
        if outcome is not Noted.GRANTED:
            return [*life, outcome, (Noted.CLOSED, _RESULTS[outcome])]
        issued = [Noted.ISSUED] if licence else []
        return [*life, Noted.GRANTED, *issued, (Noted.CLOSED, Result.GRANTED)]

    def possible(self) -> list[Any]:
        """The next step of each case that its gates let it take, and the inspections that can be made."""
        found: list[Any] = []
        for item, steps in self.steps.items():
            part = self.bundle.parts[item]
            if part.closing and not part.over:
                found.append((item, (Noted.CLOSED, Result.NOT_EFFECTIVE if part.granted else Result.NOT_STARTED)))
            elif steps and not part.over:
                held = {gate.holds for gate in part.plan.gates if gate.name not in part.opened}
                waits = {Noted.GRANTED: Step.DECIDE, Noted.ISSUED: Step.ISSUE}
                if not isinstance(steps[0], Noted) or waits.get(steps[0]) not in held:
                    found.append((item, steps[0]))
        found += [
            task
            for task in self.bundle.tasks.values()
            if task.ready and task.result is not Opinion.PASS and served(self.bundle, task)
        ]
        return found

    def step(self) -> bool:
        self.begun()
        possible = self.possible()
        if not possible:
            return False
        chosen = self.pick(possible)
        if not isinstance(chosen[0], str):
            result = self.pick([Opinion.PASS, Opinion.PASS, Opinion.FAIL])
            self.ask(RecordBundleInspection(STREAM, chosen.plan.id, ("a", "b"), result))
            return True
        item, step = chosen
        if not self.bundle.parts[item].closing:
            self.steps[item].pop(0)
        what, result = step if isinstance(step, tuple) else (step, None)
        licence = NEW_ID if what is Noted.ISSUED else None
        self.ask(NoteSubCase(STREAM, self.bundle.parts[item].plan.case_id, what, result=result, licence_id=licence))
        return True


@st.composite
def definitions(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Two to six items; dependencies lead from earlier to later ones, so that most definitions are acyclic."""
    names = [f"i{number}" for number in range(draw(st.integers(2, 6)))]
    licensed = [draw(st.booleans()) for _ in names]
    items = [an_item(name, licence=f"lt-{name}" if has else None) for name, has in zip(names, licensed, strict=True)]
    kinds = st.sampled_from([Kind.FINISH_TO_START, Kind.FINISH_TO_DECIDE, Kind.EFFECTIVE_AFTER])
    pairs = [(before, after) for place, before in enumerate(names) for after in names[place + 1 :]]
    edges = [edge(b, draw(kinds), a) for b, a in draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6))]
    if draw(st.booleans()):
        edges.append(edge("ALL_DECIDED", "FINISH_TO_START", "ISSUE"))
    serves = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    tasks = [{"id": "visit", "serves": serves}] if serves else []
    return a_bundle(names, dependencies=edges, sharedTasks=tasks), items


def submitted(entry: dict[str, Any], items: list[dict[str, Any]]) -> list[Any]:
    version = BundleVersion(1, entry["version"], entry, read_bundle(entry), NOW.date())
    facts = BundleFacts(version, in_force(*items), Party(kind=PartyKind.PERSON), STREAM, "YJS-20260302-0000001")
    command = SubmitBundle(entry["id"], PERSON_ID, Channel.WEB)
    return submit_bundle(command, Circumstances(CLERK, NOW, NOW, STREAM), facts)


@settings(max_examples=300, deadline=None)
@given(definitions(), st.data())
def test_every_bundle_ends_and_what_waits_waits(made: tuple[dict[str, Any], list[dict[str, Any]]], data: Any) -> None:
    entry, items = made
    known = {name: item.read for name, item in in_force(*items).items() if item.read is not None}
    try:
        definition = check_bundle(entry, known)
    except CircularBundle:
        return  # never published
    outcomes = {name: data.draw(st.sampled_from(ENDS)) for name in definition.names}
    world = World(outcomes, lambda choices: data.draw(st.sampled_from(choices)))
    world.take(submitted(entry, items))
    while world.step():
        assert len(world.events) < 500
    bundle = world.bundle
    assert bundle.completed, [part for part in bundle.parts.values() if not part.over]
    assert isinstance(world.events[-1], e.BundleCompleted)
    assert sum(isinstance(event, e.BundleCompleted) for event in world.events) == 1
    _nothing_began_too_early(world.events, bundle)
    _refusals_cancel_their_dependants_and_no_others(definition, bundle)
    closed = NoteSubCase(STREAM, next(iter(bundle.parts.values())).plan.case_id, Noted.CLOSED)
    assert decide(closed, BY_SYSTEM, bundle, Facts()) == []
    assert evolve_all(Bundle(), world.events, NOW) == bundle


def _nothing_began_too_early(events: list[Any], whole: Bundle) -> None:
    bundle = Bundle()
    for event in events:
        if isinstance(event, e.SubItemStarted):
            waits = whole.parts[event.item].waits_for(Kind.FINISH_TO_START)
            assert all(bundle.parts[name].finished for name in waits)
        if isinstance(event, e.GateReached) and event.gate in bundle.parts:
            part, other = bundle.parts[event.item], bundle.parts[event.gate]
            at_once = part.plan.licence_type is None and event.gate in part.waits_for(Kind.EFFECTIVE_AFTER)
            assert other.granted if at_once else other.finished
        if isinstance(event, e.GateReached) and event.gate == e.ALL_DECIDED:
            assert all(part.decided for part in bundle.parts.values())
        bundle = evolve_all(bundle, [event], NOW)


def _refusals_cancel_their_dependants_and_no_others(definition: Any, bundle: Bundle) -> None:
    failed = {name for name, part in bundle.parts.items() if part.failed}
    for name, part in bundle.parts.items():
        before = {each.before for each in definition.dependencies if each.after == name} & bundle.parts.keys()
        starts = set(part.waits_for(Kind.FINISH_TO_START))
        if not part.started:
            assert starts & failed
            assert part.result is Result.NOT_STARTED
        else:
            assert not starts & failed
        if part.closing:
            assert before & failed
        if part.result is Result.GRANTED:
            assert not before & failed
        if part.failed and not part.closing and part.started:
            assert part.result in _RESULTS.values()
