"""What decisions need to know of a bundle: its plan, and how far each part has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple, get_args
from uuid import UUID

from tongban.domain.aggregate import Aggregate
from tongban.domain.bundle import events as e
from tongban.domain.bundle.definition import Kind
from tongban.domain.bundle.events import Noted
from tongban.domain.case.events import Channel, Opinion, Result
from tongban.domain.case.state import APPLICANT, MAIN, NOBODY
from tongban.domain.clock import Clock, Limit
from tongban.domain.office_time import office_day
from tongban.domain.recorded import NO_RULES, Evidence, ItemVersion, Rules

_ENDED = frozenset({Noted.DENIED, Noted.NOT_ACCEPTED, Noted.WITHDRAWN, Noted.LAPSED})


class Part(NamedTuple):
    """One part. `started`: its case was asked for; `filed`: it is there. `noted` are defects nobody was told of yet.

    `failed`: it ended, or is about to end, without its result; `over`: nothing happens in it any more.
    """

    plan: e.SubItem
    started: bool = False
    filed: bool = False
    filed_on: date | None = None
    accepted: bool = False
    committed: bool = False
    granted: bool = False
    failed: bool = False
    over: bool = False
    result: Result | None = None
    licence: UUID | None = None
    noted: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    opened: frozenset[str] = frozenset()
    closing: bool = False
    withdrawing: bool = False

    @property
    def finished(self) -> bool:
        """Whether its result is there: granted, and the licence made where there is one."""
        return self.granted and not self.failed and (self.plan.licence_type is None or self.licence is not None)

    @property
    def decided(self) -> bool:
        """Whether there is nothing left to decide in it."""
        return self.granted or self.failed or self.over

    @property
    def looked_at(self) -> bool:
        """Whether the department has said something to its acceptance: yes, or what is missing."""
        return self.accepted or self.decided or bool(self.noted or self.asked)

    def waits_for(self, kind: Kind) -> tuple[str, ...]:
        """The names of what it waits for in this way."""
        return tuple(wait.before for wait in self.plan.waits if wait.kind is kind)


class TaskState(NamedTuple):
    """A shared task, whether it can be done, and its last result."""

    plan: e.SharedTask
    ready: bool = False
    ready_at: datetime | None = None
    result: Opinion | None = None


class Bundle(NamedTuple):
    """A bundle as decisions see it. `version` counts its events; `told_in` are those with what the applicant filled in.

    `evidence` maps each material, by the bundle's name for it, to how it is met.
    """

    version: int = 0
    number: str = ""
    definition: ItemVersion | None = None
    lead: str = ""
    applicant: UUID | None = None
    channel: Channel = Channel.WEB
    district: str | None = None
    limit: Limit | None = None
    parts: Mapping[str, Part] = MappingProxyType({})
    tasks: Mapping[str, TaskState] = MappingProxyType({})
    evidence: Mapping[str, Evidence] = MappingProxyType({})
    told_in: tuple[int, ...] = ()
    submitted_at: datetime | None = None
    accepted: bool = False
    withdrawn: bool = False
    extended: bool = False
    decided: bool = False
    completed: bool = False
    clocks: Mapping[str, Clock] = MappingProxyType({})
    calendar: str | None = None

    def part_of_case(self, case_id: UUID) -> Part | None:
        """The part whose case this is."""
        return next((part for part in self.parts.values() if part.plan.case_id == case_id), None)

    @property
    def city_wide(self) -> bool:
        """Whether any window may act on it: on every part."""
        return all(part.plan.city_wide for part in self.parts.values())

    @property
    def asked(self) -> bool:
        """Whether the applicant owes a correction."""
        return any(part.asked and not part.decided for part in self.parts.values())


def _with(bundle: Bundle, item: str, **changes: Any) -> Bundle:
    return bundle._replace(parts={**bundle.parts, item: bundle.parts[item]._replace(**changes)})


def _submitted(_: Bundle, event: e.BundleSubmitted, at: datetime) -> Bundle:
    return Bundle(
        number=event.number,
        definition=ItemVersion(event.bundle_id, event.bundle_version),
        lead=event.lead,
        applicant=event.applicant,
        channel=event.channel,
        district=event.district,
        limit=event.limit,
        parts={plan.item: Part(plan) for plan in event.items},
        tasks={plan.id: TaskState(plan) for plan in event.tasks},
        evidence={found.material: found for found in event.evidence},
        told_in=(1,),
        submitted_at=at,
    )


def _started(bundle: Bundle, event: e.SubItemStarted, _: datetime) -> Bundle:
    return _with(bundle, event.item, started=True)


def _cancelled(bundle: Bundle, event: e.SubItemCancelled, _: datetime) -> Bundle:
    result = Result.WITHDRAWN if event.ground is e.Ground.WITHDRAWN else Result.NOT_STARTED
    return _with(bundle, event.item, failed=True, over=True, result=result)


_FLAGS: Mapping[Noted, Mapping[str, Any]] = {
    Noted.FILED: {"started": True, "filed": True},
    Noted.CORRECTED: {"asked": ()},
    Noted.ACCEPTED: {"accepted": True, "noted": (), "asked": ()},
    Noted.COMMITTED: {"committed": True},
    Noted.GRANTED: {"granted": True},
}


def _noted(bundle: Bundle, event: e.SubCaseNoted, at: datetime) -> Bundle:
    bundle = _timed(bundle, event, at)
    changes = dict(_FLAGS.get(event.what, {}))
    if event.what is Noted.FILED:
        changes["filed_on"] = office_day(at)
    elif event.what is Noted.DEFECTS:
        changes = {"noted": event.materials}
    elif event.what is Noted.ISSUED:
        changes = {"licence": event.licence_id}
    elif event.what in _ENDED:
        changes = {"failed": True, "noted": (), "asked": ()}
    elif event.what is Noted.CLOSED:
        failed = bundle.parts[event.item].failed or event.result is not Result.GRANTED
        changes = {"over": True, "failed": failed, "result": event.result, "noted": (), "asked": ()}
    return _with(bundle, event.item, **changes)


def _timed(bundle: Bundle, event: Any, _: datetime) -> Bundle:
    clocks: tuple[Clock, ...] = event.clocks
    if not clocks:
        return bundle
    changed = {**bundle.clocks, **{clock.name: clock for clock in clocks}}
    return bundle._replace(clocks=changed, calendar=clocks[-1].calendar)


def _accepted(bundle: Bundle, event: e.BundleAccepted, at: datetime) -> Bundle:
    return _timed(bundle, event, at)._replace(accepted=True)


def _with_task(bundle: Bundle, task: str, **changes: Any) -> Bundle:
    return bundle._replace(tasks={**bundle.tasks, task: bundle.tasks[task]._replace(**changes)})


def _ready(bundle: Bundle, event: e.SharedTaskReady, at: datetime) -> Bundle:
    return _with_task(_timed(bundle, event, at), event.task, ready=True, ready_at=at)


def _inspected(bundle: Bundle, event: e.JointInspectionDone, at: datetime) -> Bundle:
    return _with_task(_timed(bundle, event, at), event.task, result=event.result)


def _gate_reached(bundle: Bundle, event: e.GateReached, _: datetime) -> Bundle:
    return _with(bundle, event.item, opened=bundle.parts[event.item].opened | {event.gate})


def _dependant_closed(bundle: Bundle, event: e.DependantClosed, _: datetime) -> Bundle:
    return _with(bundle, event.item, closing=True, failed=True)


def _correction_requested(bundle: Bundle, event: e.BundleCorrectionRequested, at: datetime) -> Bundle:
    for name, part in bundle.parts.items():
        if part.plan.case_id in event.cases:
            bundle = _with(bundle, name, noted=(), asked=part.noted)
    return _timed(bundle, event, at)


def _corrected(bundle: Bundle, event: e.BundleCorrected, at: datetime) -> Bundle:
    corrected = {part.case_id for part in event.parts}
    for name, part in bundle.parts.items():
        if part.plan.case_id in corrected:
            bundle = _with(bundle, name, asked=())
    return _timed(bundle, event, at)._replace(
        evidence={**bundle.evidence, **{found.material: found for found in event.evidence}},
        told_in=(*bundle.told_in, bundle.version + 1),
    )


def _extended(bundle: Bundle, event: e.BundleDeadlineExtended, at: datetime) -> Bundle:
    return _timed(bundle, event, at)._replace(extended=True)


def _withdrawn(bundle: Bundle, _: e.BundleWithdrawn, __: datetime) -> Bundle:
    return bundle._replace(withdrawn=True)


def _item_withdrawn(bundle: Bundle, event: e.SubItemWithdrawn, _: datetime) -> Bundle:
    return _with(bundle, event.item, withdrawing=True)


def _decided(bundle: Bundle, event: e.BundleDecided, at: datetime) -> Bundle:
    return _timed(bundle, event, at)._replace(decided=True)


def _completed(bundle: Bundle, event: e.BundleCompleted, at: datetime) -> Bundle:
    return _timed(bundle, event, at)._replace(completed=True)


_EVOLVE: Mapping[type, Callable[[Bundle, Any, datetime], Bundle]] = {
    e.BundleSubmitted: _submitted,
    e.SubItemStarted: _started,
    e.SubItemCancelled: _cancelled,
    e.SubCaseNoted: _noted,
    e.BundleAccepted: _accepted,
    e.SharedTaskReady: _ready,
    e.JointInspectionDone: _inspected,
    e.GateReached: _gate_reached,
    e.DependantClosed: _dependant_closed,
    e.BundleCorrectionRequested: _correction_requested,
    e.BundleCorrected: _corrected,
    e.BundleDeadlineExtended: _extended,
    e.BundleDeadlinesRecomputed: _timed,
    e.BundleWithdrawn: _withdrawn,
    e.SubItemWithdrawn: _item_withdrawn,
    e.BundleDecided: _decided,
    e.BundleCompleted: _completed,
}


def evolve(bundle: Bundle, event: e.BundleEvent, at: datetime) -> Bundle:
    """The bundle after an event that took effect at `at`."""
    after = _EVOLVE[event.__class__](bundle, event, at)
    return after._replace(version=bundle.version + 1)


def evolve_all(bundle: Bundle, events: Iterable[e.BundleEvent], at: datetime) -> Bundle:
    """The bundle after several."""
    for event in events:
        bundle = evolve(bundle, event, at)
    return bundle


def holders(bundle: Bundle) -> Mapping[str, str]:
    """Who holds it as a whole: the applicant while he owes a correction, else the lead; its cases have their own."""
    if bundle.completed or bundle.definition is None:
        return {MAIN: NOBODY}
    return {MAIN: APPLICANT if bundle.asked else f"dept:{bundle.lead}"}


def rules(bundle: Bundle) -> Rules:
    """The version it was filed under, and the calendar its deadlines were last reckoned by."""
    return Rules(bundle=bundle.definition, calendar=bundle.calendar) if bundle.definition else NO_RULES


BUNDLE = Aggregate(
    category="bundle",
    events=get_args(e.BundleEvent),
    initial=Bundle(),
    evolve=evolve,
    holders=holders,
    rules=rules,
)
