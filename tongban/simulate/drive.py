"""Drives the plans over HTTP: cases side by side, the commands of one case in order.

Keys come from the seed, and the time it all refers to from the first party's id, so a run that was killed is run again
with the same arguments and repeats nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import lru_cache, partial
from threading import Event, Lock
from typing import Any
from uuid import UUID, uuid5

from tongban.domain.actor import Role
from tongban.domain.case.commands import How
from tongban.domain.party.events import PartyKind
from tongban.simulate.client import CommandClient, IssueToken, Principal, Reply, ServiceGone, Stopped
from tongban.simulate.crew import Crew
from tongban.simulate.office_hours import OfficeHours
from tongban.simulate.papers import paper, uploaded
from tongban.simulate.people import Applicant, applicant, first_of_all
from tongban.simulate.plan import REVISION, CasePlan, plan_case
from tongban.simulate.progress import progress_bar
from tongban.simulate.randomness import seeded
from tongban.simulate.staff import Officer, officer
from tongban.simulate.tally import Tally

DEFAULT_SEED = 2018
SIDE_BY_SIDE = 16
_NAMESPACE = UUID("0c9d6c0e-5b0b-5f6c-8a53-4d0f2f1c7f55")
_REGISTRARS = {PartyKind.PERSON: "civil", PartyKind.ORGANISATION: "samr"}
_TIME_ORDERED = 7  # RFC 9562
_TOKENS = 4096


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
                simulation.do_case(client, index)
                advance()
        except Stopped:
            return


class Simulation:
    """One run: parties are registered when they first file, then their case takes its course. Thread-safe."""

    def __init__(self, tally: Tally, seed: int, days: int) -> None:
        """`begin` comes first."""
        self._tally = tally
        self._seed = seed
        self._days = days
        self._keys = uuid5(_NAMESPACE, f"{REVISION}/{seed}/{days}")
        self._hours = OfficeHours(())
        self._parties: dict[tuple[PartyKind, int], Future[str | None]] = {}
        self._lock = Lock()
        self._uploads: set[tuple[str, str]] = set()

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
        self._hours = OfficeHours.before(began, self._days)

    def do_case(self, client: CommandClient, index: int) -> None:
        """One case to its end, or to its first refusal. Raises ServiceGone, Stopped."""
        plan = plan_case(self._seed, index, self._days)
        party = self._party(client, plan.kind, plan.party)
        if party is not None:
            self._handle(client, plan, party)

    def _handle(self, client: CommandClient, plan: CasePlan, party: str) -> None:
        subject: dict[str, Any] = {"applicant": party}
        events: list[str] = []
        grade: int | None = None
        for number, step in enumerate(plan.steps):
            body = {**subject, **step.body, **self._late(step.second)}
            who = _principal(step.by, plan.kind, party)
            reply = self._send(client, step.command, body, who, f"case/{plan.index}/{number}", party)
            self._tally.count(reply)
            if reply.code is not None:
                break
            events.extend(reply.events)
            grade = step.body.get("grade", grade)
            if number == 0:
                subject = {"case_id": reply.id}
        self._tally.count_case(plan, events, grade)

    def _send(
        self, client: CommandClient, command: str, body: dict[str, Any], who: Principal, name: str, party: str
    ) -> Reply:
        """One command; the papers it names are uploaded first, and those that no source has are uploaded after all."""
        self._upload(client, body.get("materials", ()), who, party)
        reply = client.send(command, body, who, uuid5(self._keys, name))
        if not reply.unmet:
            return reply
        self._tally.count_fallbacks(len(reply.unmet))
        papers = {material: uploaded(material) for material in reply.unmet}
        body = {**body, "materials": [papers.get(each["material"], each) for each in body["materials"]]}
        self._upload(client, body["materials"], who, party)
        return client.send(command, body, who, uuid5(self._keys, f"{name}/uploaded"))

    def _upload(
        self, client: CommandClient, materials: Iterable[Mapping[str, Any]], who: Principal, party: str
    ) -> None:
        for each in materials:
            kept = (party, each["material"])
            if each["how"] != How.UPLOAD or kept in self._uploads:
                continue
            if client.upload(paper(each["material"]), party, who).code is None:
                self._uploads.add(kept)

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
        reply = client.send("RegisterParty", body, _principal(clerk, who.kind, ""), key)
        self._tally.count(reply)
        if reply.code is not None:
            return None
        self._tally.count_party()
        return reply.id

    def _late(self, second: int | None) -> dict[str, str]:
        return {} if second is None else {"effective_at": self._hours.at(second).isoformat()}


def _principal(by: Officer | None, kind: PartyKind, party: str) -> Principal:
    if by is not None:
        return Principal(by.role, by.id, by.department)
    return Principal(Role.CITIZEN if kind is PartyKind.PERSON else Role.ENTERPRISE, party)
