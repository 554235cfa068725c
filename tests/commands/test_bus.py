"""The command bus: group commit under load and in trouble."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest

from tests.commands.office import Office, answered, ask, refused, running, wait_for
from tests.examples import ACCEPTOR, APPLICANT, CASE_ID, CLERK, register_party, reviewer, submit_application
from tongban.commands.batch import Batch
from tongban.commands.bus import CommandBus
from tongban.commands.ports import LogUnavailable, NewEvent, PendingAppend, Reading
from tongban.commands.requests import Answer, KeyInFlight, Outcome, Request, Unavailable
from tongban.commands.work import Decided
from tongban.domain.case.commands import AcceptApplication, RecordOpinion
from tongban.domain.case.events import Opinion
from tongban.domain.case.refusals import NotAccepted


class Gate:
    """An event log that lets an append through, or fails it, only when told to; else the real one."""

    def __init__(self, log: Any) -> None:
        self.log = log
        self.open = Event()
        self.arrived = Event()
        self.appends: list[int] = []
        self.fail_next: Exception | None = None

    def read(self, **asked: Any) -> Reading:
        reading: Reading = self.log.read(**asked)
        return reading

    def start_append(self, events: Sequence[NewEvent], *rest: Any) -> GatedAppend:
        return GatedAppend(self, events, rest)


@dataclass
class GatedAppend:
    """An append that is sent when the gate opens."""

    gate: Gate
    events: Sequence[NewEvent]
    rest: tuple[Any, ...]

    def wait(self) -> Sequence[int]:
        self.gate.arrived.set()
        assert self.gate.open.wait(30)
        failure, self.gate.fail_next = self.gate.fail_next, None
        if failure is not None:
            raise failure
        self.gate.appends.append(len(self.events))
        positions: Sequence[int] = self.gate.log.start_append(self.events, *self.rest).wait()
        return positions


@pytest.fixture
def gate(here: Office) -> Gate:
    """The fixture `here` with a gate before its store; open at first."""
    gate = Gate(here.log)
    gate.open.set()
    here.batch._log = gate
    return gate


@contextmanager
def one_by_one(here: Office, gate: Gate, *requests: Request, **limits: Any) -> Iterator[list[SimpleQueue[Outcome]]]:
    """A bus that takes one command at a time, with the gate shut. Yields where the outcomes will be.

    The first command is being appended, the second is decided ahead, the others wait.
    """
    gate.open.clear()
    bus = CommandBus(here.batch, batch_limit=1, **limits)
    outcomes: list[SimpleQueue[Outcome]] = [SimpleQueue() for _ in requests]
    for request, outcome in zip(requests, outcomes, strict=True):
        bus.submit(request, outcome.put)
    bus.start()
    try:
        while bus.depth > len(requests) - 2:
            sleep(0.001)
        sleep(0.05)  # taken, and by now decided
        assert all(outcome.empty() for outcome in outcomes), "an answer before the commit it rests on"
        yield outcomes
    finally:
        gate.open.set()
        bus.stop()


def test_commands_that_wait_are_committed_together(here: Office, gate: Gate) -> None:
    here.open_case()
    gate.appends.clear()
    with running(here.batch) as bus:
        outcomes = wait_for(bus, [ask(submit_application, APPLICANT) for _ in range(200)])
    assert len({answered(outcome).id for outcome in outcomes}) == 200
    assert sum(gate.appends) == 2 * 200
    assert len(gate.appends) < 20


def test_a_refused_command_of_a_group_leaves_the_others(here: Office) -> None:
    cases = [here.open_case() for _ in range(5)]
    requests = [ask(AcceptApplication(case), ACCEPTOR) for case in cases]
    requests[2] = ask(RecordOpinion(cases[2], "tax", Opinion.PASS), reviewer("tax"))
    with running(here.batch) as bus:
        outcomes = wait_for(bus, requests)
    refused(outcomes.pop(2), NotAccepted)
    assert [answered(outcome).version for outcome in outcomes] == [3] * 4


def test_what_was_decided_ahead_is_decided_anew_when_what_it_rests_on_fails(here: Office, gate: Gate) -> None:
    """The acceptance is lost on its way; the opinion that was already decided upon it must not be answered."""
    case = here.open_case()
    gate.fail_next = LogUnavailable("cut")
    opinion = RecordOpinion(case, "tax", Opinion.PASS)
    with one_by_one(here, gate, ask(AcceptApplication(case), ACCEPTOR), ask(opinion, reviewer("tax"))) as (
        accepted,
        spoken,
    ):
        gate.open.set()
        refused(accepted.get(timeout=10), Unavailable)
        refused(spoken.get(timeout=10), NotAccepted)


def test_what_was_decided_ahead_is_answered_when_what_it_rests_on_is_durable(here: Office, gate: Gate) -> None:
    case = here.open_case()
    with one_by_one(
        here,
        gate,
        ask(AcceptApplication(case), ACCEPTOR),
        ask(AcceptApplication(case), ACCEPTOR),
        ask(RecordOpinion(case, "tax", Opinion.PASS), reviewer("tax")),
    ) as outcomes:
        gate.open.set()
        first, quiet, opinion = (answered(outcome.get(timeout=10)) for outcome in outcomes)
    assert (first.version, quiet.version, opinion.version) == (3, 3, 4)
    assert quiet.events == ()
    assert quiet.position in (first.position, opinion.position)
    assert first.position < opinion.position


def test_a_party_is_registered_once_though_two_batches_ask_for_it(here: Office, gate: Gate) -> None:
    with one_by_one(here, gate, ask(register_party, CLERK), ask(register_party, CLERK)) as outcomes:
        gate.open.set()
        first, second = (answered(outcome.get(timeout=10)) for outcome in outcomes)
    assert (first.created, second.created) == (True, False)
    assert first.id == second.id


class Faulty(Batch):
    """Fails on the first attempt at every batch, in a way nobody foresaw."""

    failures = 0

    def start_append(self, decided: Decided) -> PendingAppend:
        if len(decided.works) > 1:
            Faulty.failures += 1
            raise ZeroDivisionError
        return super().start_append(decided)


def test_a_defect_in_a_group_is_undone_and_each_command_tried_alone(here: Office) -> None:
    cases = [here.open_case() for _ in range(4)]
    here.batch.__class__ = Faulty
    outcomes = here.do(*(ask(AcceptApplication(case), ACCEPTOR) for case in cases))
    assert Faulty.failures == 1
    assert [answered(outcome).version for outcome in outcomes] == [3] * 4


def test_a_full_queue_turns_commands_away(here: Office, gate: Gate) -> None:
    here.open_case()
    gate.open.clear()
    gate.arrived.clear()
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    with running(here.batch, queue_limit=5, batch_limit=1) as bus:
        taken = 0
        bus.submit(ask(submit_application, APPLICANT), outcomes.put)
        assert gate.arrived.wait(10)
        with pytest.raises(Unavailable) as full:  # noqa: PT012 - it fills up somewhere in the loop
            for _ in range(20):
                bus.submit(ask(submit_application, APPLICANT), outcomes.put)
                taken += 1
        assert full.value.retry_after >= 1
        assert 5 <= taken <= 7  # five wait, one may be decided ahead
        gate.open.set()
        for _ in range(taken + 1):
            answered(outcomes.get(timeout=10))
        answered(wait_for(bus, [ask(submit_application, APPLICANT)])[0])


def test_who_waited_past_the_deadline_is_turned_away_undone(here: Office, gate: Gate) -> None:
    case = here.open_case()
    requests = [
        ask(submit_application, APPLICANT),
        ask(submit_application, APPLICANT),
        ask(AcceptApplication(case), ACCEPTOR),
    ]
    with one_by_one(here, gate, *requests, deadline=0.5) as (first, second, late):
        sleep(0.6)
        gate.open.set()
        answered(first.get(timeout=10))
        answered(second.get(timeout=10))
        refused(late.get(timeout=10), Unavailable, reason="waited too long in the queue")
    assert here.done(AcceptApplication(case), ACCEPTOR).version == 3


def test_a_key_that_is_being_worked_on_is_not_worked_on_twice(here: Office, gate: Gate) -> None:
    case = here.open_case()
    gate.open.clear()
    request = ask(AcceptApplication(case), ACCEPTOR)
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    with running(here.batch) as bus:
        bus.submit(request, outcomes.put)
        with pytest.raises(KeyInFlight) as refused_now:
            bus.submit(request, outcomes.put)
        assert refused_now.value.fields == {"idempotency_key": request.idempotency_key}
        gate.open.set()
        first = answered(outcomes.get(timeout=10))
        assert wait_for(bus, [request]) == [first]
    assert outcomes.empty()


def test_stopping_does_what_waits_and_takes_nothing_more(here: Office) -> None:
    here.open_case()
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    bus = CommandBus(here.batch, batch_limit=10)
    bus.start()
    for _ in range(100):
        bus.submit(ask(submit_application, APPLICANT), outcomes.put)
    started = monotonic()
    stopper = Thread(target=bus.stop, daemon=True)
    stopper.start()
    stopper.join(timeout=20)
    assert not stopper.is_alive(), f"still stopping after {monotonic() - started:.0f} s"
    assert not bus.alive
    assert all(isinstance(outcomes.get_nowait(), Answer) for _ in range(100))
    with pytest.raises(Unavailable):
        bus.submit(ask(submit_application, APPLICANT), outcomes.put)


def test_every_command_gets_an_outcome_though_the_bus_is_stopped_meanwhile(here: Office) -> None:
    here.open_case()
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    for _ in range(10):
        bus = CommandBus(here.batch, batch_limit=3, queue_limit=8)
        bus.start()
        taken: list[int] = []

        def press(bus: CommandBus = bus, taken: list[int] = taken) -> None:
            while not bus._stopping:
                with suppress(Unavailable):
                    bus.submit(ask(AcceptApplication(CASE_ID), ACCEPTOR), outcomes.put)
                    taken.append(1)

        callers = [Thread(target=press) for _ in range(4)]
        for caller in callers:
            caller.start()
        sleep(0.01)
        bus.stop()
        for caller in callers:
            caller.join()
        for _ in taken:
            outcomes.get_nowait()
        assert outcomes.empty()


def test_a_caller_that_fails_on_its_outcome_stops_nobody(here: Office, caplog: pytest.LogCaptureFixture) -> None:
    case = here.open_case()

    def fail(_: Outcome) -> None:
        raise RuntimeError("the caller is gone")

    with running(here.batch) as bus, caplog.at_level(logging.ERROR):
        bus.submit(ask(submit_application, APPLICANT), fail)
        assert answered(wait_for(bus, [ask(AcceptApplication(case), ACCEPTOR)])[0]).version == 3
        assert bus.alive
    assert "the caller is gone" in caplog.text


class Watch:
    """Counts what it is told, then fails."""

    def __init__(self) -> None:
        self.seen = 0

    def batch_done(self, requests: Sequence[Any], outcomes: Sequence[Outcome], seconds: float) -> None:
        assert len(requests) == len(outcomes)
        assert seconds >= 0
        self.seen += len(requests)
        raise RuntimeError("the metrics are gone")


def test_an_observer_is_told_of_every_command_and_cannot_stop_one(here: Office) -> None:
    here.open_case()
    watch = Watch()
    with running(here.batch, observer=watch) as bus:
        for outcome in wait_for(bus, [ask(submit_application, APPLICANT) for _ in range(30)]):
            answered(outcome)
    assert watch.seen == 30
