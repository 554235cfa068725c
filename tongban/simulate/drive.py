"""Drives the plans over HTTP: cases side by side, the commands of one case in order.

Keys come from the seed, and the time it all refers to from the first party's id, so a run that was killed is run again
with the same arguments and repeats nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import lru_cache, partial
from threading import Event, Lock
from typing import Any
from uuid import UUID, uuid5

from tongban.domain.actor import Role
from tongban.domain.case.commands import How
from tongban.domain.office_time import office_day
from tongban.domain.party.events import PartyKind
from tongban.domain.sharing.exemption import ASKED
from tongban.simulate.client import CommandClient, IssueToken, Principal, Reply, ServiceGone, Stopped
from tongban.simulate.crew import Crew
from tongban.simulate.office_hours import OfficeHours
from tongban.simulate.papers import paper, uploaded
from tongban.simulate.people import Applicant, applicant, first_of_all
from tongban.simulate.plan import HISTORY, REVISION, Step, plan_case
from tongban.simulate.progress import progress_bar
from tongban.simulate.randomness import seeded
from tongban.simulate.run import CaseRun
from tongban.simulate.staff import Officer, head, officer
from tongban.simulate.tally import Tally

DEFAULT_SEED = 2018
SIDE_BY_SIDE = 16
_NAMESPACE = UUID("0c9d6c0e-5b0b-5f6c-8a53-4d0f2f1c7f55")
_REGISTRARS = {PartyKind.PERSON: "civil", PartyKind.ORGANISATION: "samr"}
_TIME_ORDERED = 7  # RFC 9562
_TOKENS = 4096
_PILE = 20
_PATIENCE_WITH_SYSTEM = 20.0
_LOOK_AGAIN = 0.2
_DONE_OTHERWISE = "key-reused"


class CannotSimulate(Exception):
    """The simulation cannot begin; the message says why."""


def simulate(
    base_url: str,
    issue_token: IssueToken,
    cases: int,
    seed: int = DEFAULT_SEED,
    days: int = 1,
    *,
    show_progress: bool = False,
    patience: float = 60.0,
) -> dict[str, Any]:
    """Simulate `cases` cases within the last `days` office days and give the summary.

    `patience` is how many seconds a command waits for a service that is busy, restarting or away.
    Ctrl-C ends it early: the summary then has `"stopped": "interrupted"`, or the reason if the service went away.
    Raises CannotSimulate.
    """
    if cases < 0 or days < 1:
        raise CannotSimulate(f"{cases} cases over {days} days: there must be 0 cases or more, and a day or more.")
    started = time.monotonic()
    tally, stop = Tally(), Event()
    token = lru_cache(_TOKENS)(lambda who: issue_token(who.role, who.subject, who.department))
    connect = partial(CommandClient, base_url, token, token.cache_clear, patience=patience, stop=stop)
    stopped = None
    try:
        with connect() as client:
            simulation = Simulation(tally, seed, days)
            simulation.begin(client)
        with progress_bar(cases, show=show_progress) as advance:
            Crew(SIDE_BY_SIDE, cases, stop).work(partial(_work, simulation, connect, advance))
            stop.clear()
            with connect() as client:
                simulation.decide_together(client)
            waiting = simulation.waiting()
            Crew(SIDE_BY_SIDE, len(waiting), stop).work(partial(_finish, simulation, connect, advance, waiting))
    except KeyboardInterrupt:
        stopped = "interrupted"
    except ServiceGone as gone:
        stopped = str(gone)
    summary = tally.summary(seed=seed, seconds=time.monotonic() - started)
    return {**summary, "stopped": stopped} if stopped else summary


def _work(
    simulation: Simulation,
    connect: Callable[[], CommandClient],
    advance: Callable[[], None],
    take: Callable[[], int | None],
) -> None:
    with connect() as client:
        try:
            while (index := take()) is not None:
                if simulation.do_case(client, index):
                    advance()
        except Stopped:
            return


def _finish(
    simulation: Simulation,
    connect: Callable[[], CommandClient],
    advance: Callable[[], None],
    waiting: Sequence[CaseRun],
    take: Callable[[], int | None],
) -> None:
    with connect() as client:
        try:
            while (place := take()) is not None:
                simulation.finish(client, waiting[place])
                advance()
        except Stopped:
            return


class Simulation:
    """One run: parties are registered when they first file, then their case takes its course. Thread-safe.

    Decisions that are given in a batch, and what waits for the system, come after all other steps of all cases.
    """

    def __init__(self, tally: Tally, seed: int, days: int) -> None:
        """`begin` comes first."""
        self._tally = tally
        self._seed = seed
        self._days = days
        self._keys = uuid5(_NAMESPACE, f"{REVISION}/{seed}/{days}")
        self._hours = OfficeHours(())
        self._parties: dict[tuple[PartyKind, int], Future[str | None]] = {}
        self._absent: dict[str, Future[bool]] = {}
        self._lock = Lock()
        self._uploads: set[tuple[str, str]] = set()
        self._waiting: list[CaseRun] = []

    def begin(self, client: CommandClient) -> None:
        """Find when this simulation began: a moment ago, or when an earlier run of it did. Raises CannotSimulate."""
        clerk = officer(seeded(self._seed, "begin"), _REGISTRARS[PartyKind.ORGANISATION], Role.CLERK)
        party = self._register(client, first_of_all(self._seed), clerk, "begin", effective_at=None)
        if party is None:
            raise CannotSimulate(f"The first party was refused: {', '.join(self._tally.refused)}.")
        identity = UUID(party)
        if identity.version != _TIME_ORDERED:
            raise CannotSimulate("Ids carry no time (RFC 9562 version 7), so that a run could not be resumed.")
        began = datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)
        self._hours = OfficeHours.before(began, HISTORY + self._days)

    def do_case(self, client: CommandClient, index: int) -> bool:
        """One case to its end, or to its first refusal; False where it waits. Raises ServiceGone, Stopped."""
        plan = plan_case(self._seed, index, self._days)
        party = self._party(client, plan.kind, plan.party)
        agent = None if plan.agent is None else self._party(client, PartyKind.PERSON, plan.agent)
        if party is None or (agent is None and plan.agent is not None):
            return True
        return self._go_on(client, CaseRun(plan, party, agent), until_all_are_there=True)

    def waiting(self) -> list[CaseRun]:
        """The cases that wait, by their index."""
        return sorted(self._waiting, key=lambda run: run.plan.index)

    def decide_together(self, client: CommandClient) -> None:
        """Give the decisions that wait, those of one officer in one batch."""
        piles: dict[Officer, list[CaseRun]] = {}
        for run in self.waiting():
            if (step := run.next) is not None and step.piled and step.by is not None:
                piles.setdefault(step.by, []).append(run)
        for decider, runs in piles.items():
            for pile in (runs[start : start + _PILE] for start in range(0, len(runs), _PILE)):
                self._decide(client, decider, pile)

    def _decide(self, client: CommandClient, decider: Officer, pile: list[CaseRun]) -> None:
        steps = [run.plan.steps[run.done] for run in pile]
        bodies = [self._body(run, step) for run, step in zip(pile, steps, strict=True)]
        key = uuid5(self._keys, "pile/" + "/".join(str(run.case) for run in pile))
        who = Principal(decider.role, decider.id, decider.department)
        replies = client.batch(steps[0].command, bodies, who, key)
        self._tally.count_batch()
        for run, step, reply in zip(pile, steps, replies, strict=True):
            self._tally.count(reply)
            run.answered(step, reply)

    def finish(self, client: CommandClient, run: CaseRun) -> None:
        """The rest of a case that waited. Raises ServiceGone, Stopped."""
        self._go_on(client, run, until_all_are_there=False)

    def _go_on(self, client: CommandClient, run: CaseRun, *, until_all_are_there: bool) -> bool:
        while (step := run.next) is not None:
            if until_all_are_there and (step.piled or step.awaits):
                with self._lock:
                    self._waiting.append(run)
                return False
            if step.covers is not None and step.by is not None:
                self._send_home(client, step.covers, step.by)
            name = f"case/{run.plan.index}/{run.done}"
            reply = self._give(client, run, step, name)
            self._tally.count(reply)
            run.answered(step, reply)
            if step.otherwise is not None and "case.ExemptionFailed" in reply.events:
                instead = self._give(client, run, step.otherwise, f"{name}/otherwise")
                self._tally.count(instead)
                run.events.extend(instead.events)
        self._tally.count_case(run.plan, run.events, run.grade, whole=not run.refused)
        return True

    def _give(self, client: CommandClient, run: CaseRun, step: Step, name: str) -> Reply:
        """One step; what the system does by itself before it is waited for."""
        who = self._principal(run, step)
        give_up = time.monotonic() + _PATIENCE_WITH_SYSTEM
        while True:
            reply = self._send(client, step.command, self._body(run, step), who, name, run)
            if reply.code is None or reply.code not in step.awaits or time.monotonic() > give_up:
                return reply
            time.sleep(_LOOK_AGAIN)

    def _body(self, run: CaseRun, step: Step) -> dict[str, Any]:
        dates = {name: self._hours.day_after(step.second, days).isoformat() for name, days in step.days.items()}
        return {**run.named(step), **step.body, **dates, **self._late(step.second)}

    def _send(
        self, client: CommandClient, command: str, body: dict[str, Any], who: Principal, name: str, run: CaseRun
    ) -> Reply:
        """One command; the papers it names are uploaded first. Where a source fails, all it was to give is uploaded.

        Under the same key: whichever of the two was done, a later run finds it done, whatever sources say then.
        """
        key = uuid5(self._keys, name)
        self._upload(client, body.get("materials", ()), who, run)
        reply = client.send(command, body, who, key)
        if not reply.unmet and reply.code != _DONE_OTHERWISE:
            return reply
        self._tally.count_fallbacks(len(reply.unmet))
        papers = [uploaded(each["material"]) if each["how"] in ASKED else each for each in body.get("materials", ())]
        body = {**body, "materials": papers}
        self._upload(client, papers, who, run)
        return client.send(command, body, who, key)

    def _upload(
        self, client: CommandClient, materials: Iterable[Mapping[str, Any]], who: Principal, run: CaseRun
    ) -> None:
        mandate = run.mandate if who.role == Role.AGENT else None
        for each in materials:
            kept = (run.party, each["material"])
            if each["how"] != How.UPLOAD or kept in self._uploads:
                continue
            if client.upload(paper(each["material"]), run.party, who, mandate).code is None:
                self._uploads.add(kept)

    def _send_home(self, client: CommandClient, absent: Officer, cover: Officer) -> None:
        """Have the head say once a day who covers for somebody."""
        with self._lock:
            known = self._absent.get(absent.id)
            registration = self._absent.setdefault(absent.id, Future())
        if known is None:
            today = office_day(datetime.now(UTC)).isoformat()
            body = {"officer": absent.id, "cover": cover.id, "from": today, "to": today}
            leader = head(absent.department)
            who = Principal(leader.role, leader.id, leader.department)
            try:
                key = uuid5(self._keys, f"absence/{absent.id}/{today}")
                reply = client.send("RegisterAbsence", body, who, key)
                self._tally.count(reply)
                registration.set_result(reply.code is None)
            except BaseException as failure:
                registration.set_exception(failure)
                raise
        registration.result()

    def _party(self, client: CommandClient, kind: PartyKind, index: int) -> str | None:
        """The id of a party, registered once however many of its cases run side by side; None if it was refused."""
        with self._lock:
            known = self._parties.get((kind, index))
            registration = self._parties.setdefault((kind, index), Future())
        if known is None:
            who = applicant(self._seed, kind, index)
            clerk = officer(seeded(self._seed, "registrar", kind, index), _REGISTRARS[kind], Role.CLERK)
            try:
                party = self._register(client, who, clerk, f"{kind}/{index}", effective_at=self._hours.at(0))
                registration.set_result(party)
            except BaseException as failure:
                registration.set_exception(failure)  # whoever waits for this party must not wait for ever
                raise
        return registration.result()

    def _register(
        self, client: CommandClient, who: Applicant, clerk: Officer, name: str, *, effective_at: datetime | None
    ) -> str | None:
        body: dict[str, Any] = {
            "kind": str(who.kind),
            "identifier_kind": str(who.identifier_kind),
            "identifier": who.identifier,
            "name": who.name,
        }
        if effective_at is not None:
            body["effective_at"] = effective_at.isoformat()
        key = uuid5(self._keys, f"party/{name}")
        reply = client.send("RegisterParty", body, Principal(clerk.role, clerk.id, clerk.department), key)
        self._tally.count(reply)
        if reply.code is not None:
            return None
        self._tally.count_party()
        return reply.id

    def _late(self, second: int | None) -> dict[str, str]:
        return {} if second is None else {"effective_at": self._hours.at(second).isoformat()}

    def _principal(self, run: CaseRun, step: Step) -> Principal:
        """Who gives a step: an officer, the applicant, or who acts for the applicant."""
        if step.by is not None:
            return Principal(step.by.role, step.by.id, step.by.department)
        if step.mandated and run.agent is not None:
            return Principal(Role.AGENT, run.agent)
        return Principal(Role.CITIZEN if run.plan.kind is PartyKind.PERSON else Role.ENTERPRISE, run.party)
