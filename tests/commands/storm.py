"""Many callers at once, in a process of their own: what they sent, and what became of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from time import sleep
from typing import Any
from uuid import UUID

from tests.commands.office import ask, office, running
from tests.examples import ACCEPTOR, ADMIN, BRANCHES, DECIDER, DEFINITION, ITEM, reviewer
from tongban.commands.bus import CommandBus
from tongban.commands.requests import Answer, Outcome, Request, Unavailable
from tongban.domain.actor import Actor
from tongban.domain.case.commands import AcceptApplication, DenyApproval, GrantApproval, IssueLicence, RecordOpinion
from tongban.domain.case.events import Opinion
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.errors import DomainError


@dataclass
class Tally:
    """What one process sent, and what it was told. `events` counts those of accepted commands, by stream."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    retried: int = 0
    defects: list[str] = field(default_factory=list)
    events: Counter[UUID] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.sent += other.sent
        self.accepted += other.accepted
        self.refused += other.refused
        self.retried += other.retried
        self.defects += other.defects
        self.events += other.events


def any_command(rng: random.Random, cases: Sequence[UUID], mark: str) -> tuple[Any, Actor]:
    """Something that an officer might ask of one of the cases, in no sensible order; or a new version of the item."""
    case, branch = rng.choice(cases), rng.choice(BRANCHES)
    asked: Sequence[tuple[Any, Actor]] = (
        (AcceptApplication(case), ACCEPTOR),
        (RecordOpinion(case, branch, Opinion.PASS, mark), reviewer(branch)),
        (RecordOpinion(case, branch, Opinion.PASS, mark), reviewer(branch)),
        (RecordOpinion(case, branch, Opinion.PASS, mark), reviewer(branch)),
        (GrantApproval(case, mark), DECIDER),
        (DenyApproval(case, mark, mark), DECIDER),
        (IssueLicence(case), DECIDER),
        (PublishItem({**DEFINITION, "id": ITEM, "nameEn": mark}), ADMIN),
    )
    return rng.choice(asked)


def settle(bus: CommandBus, request: Request, tally: Tally) -> Outcome:
    """Ask until there is a definite outcome, always with the same key, as a good client does."""
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    while True:
        try:
            bus.submit(request, outcomes.put)
            outcome = outcomes.get(timeout=60)
        except Unavailable as full:
            outcome = full
        if not isinstance(outcome, Unavailable):
            return outcome
        tally.retried += 1
        sleep(0.01)


def caller(bus: CommandBus, cases: Sequence[UUID], commands: int, seed: str, tally: Tally) -> None:
    rng = random.Random(seed)
    for number in range(commands):
        command, by = any_command(rng, cases, f"{seed}-{number}")
        tally.sent += 1
        outcome = settle(bus, ask(command, by), tally)
        if isinstance(outcome, Answer):
            tally.accepted += 1
            tally.events[outcome.id] += len(outcome.events)
        elif isinstance(outcome, DomainError):
            tally.refused += 1
        else:
            tally.defects.append(repr(outcome))


def storm(url: str, cases: Sequence[UUID], *, callers: int, commands: int, seed: str) -> Tally:
    """`callers` threads of one process, each giving `commands` commands one after the other."""
    with office(url) as here, running(here.batch) as bus:
        tallies = [Tally() for _ in range(callers)]
        threads = [
            Thread(target=caller, args=(bus, cases, commands, f"{seed}-{n}", tally)) for n, tally in enumerate(tallies)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def storm_elsewhere(url: str, cases: Sequence[UUID], seed: str, commands: int, go: Any, told: Any) -> None:
    """`storm` as the main function of a process: waits for `go`, puts its tally into `told`."""
    go.wait()
    told.put(storm(url, cases, callers=16, commands=commands, seed=seed))
