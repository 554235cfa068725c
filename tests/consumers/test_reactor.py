"""The reactor: each event's commands once, a refusal is parked, an obstacle is waited out."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg
import pytest

from tests.consumers.conftest import Source, store_source
from tests.consumers.recording import loop
from tests.running import eventually, running
from tests.servers import Database
from tests.story import Story
from tongban.commands.batch import IdTaken
from tongban.commands.ports import LogUnavailable
from tongban.commands.requests import KeyInFlight
from tongban.consumers.failures import TransientFailure
from tongban.consumers.orders import Order
from tongban.consumers.parked import list_parked, retry
from tongban.consumers.reactor import REACTOR, Reactor
from tongban.domain.errors import NotYours, StaleVersion
from tongban.domain.ids import policy_command
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.policies import POLICIES
from tongban.domain.policies.dated import Dated
from tongban.domain.recorded import Recorded
from tongban.infra.database import DbRole, connect
from tongban.infra.sealing import BrokenSeal

COLLECT = {"collect-issued-licence": POLICIES["collect-issued-licence"]}
"""The policy these tests look at; the stories give work to others, too."""


class WriteSide:
    """Takes commands as the command bus does: a command id that it knows changes nothing."""

    def __init__(self) -> None:
        self.taken: dict[UUID, CollectLicence] = {}
        self.given = 0
        self.errors: list[Exception] = []
        self._lock = threading.Lock()

    def give(self, order: Order) -> None:
        with self._lock:
            self.given += 1
            if self.errors:
                raise self.errors.pop()
            self.taken.setdefault(order.id, order.command)


@pytest.fixture
def store(database: Database) -> Source:
    return store_source(database)


def told() -> Story:
    story = Story(seed=5)
    story.publish_all()
    story.day(10, open_share=0)
    return story


def issued(story: Story) -> set[UUID]:
    return {e.event.licence_id for e in story.events if e.envelope.type == "case.LicenceIssued"}


def opinions_twice(recorded: Recorded) -> Sequence[Any]:
    """Two commands for each opinion, the second in effect an hour before its event."""
    if recorded.envelope.type != "case.OpinionRecorded":
        return ()
    named = recorded.envelope.stream, recorded.envelope.version
    return ("first", *named), Dated(("second", *named), recorded.envelope.effective_at - timedelta(hours=1))


def progress(database: Database) -> int:
    with psycopg.connect(database.admin_url) as conn:
        row = conn.execute("SELECT coalesce(max(last_position), -1) FROM consumers.progress").fetchone()
        assert row is not None
        return int(row[0])


def react(store: Source, writes: WriteSide, story: Story, upto: int) -> None:
    with running(loop(Reactor(writes.give, story, COLLECT), store.feed(), store.database, name=REACTOR).run):
        eventually(lambda: progress(store.database) >= upto)


def test_every_issued_licence_is_collected_once_even_when_everything_is_read_again(store: Source) -> None:
    story, writes = told(), WriteSide()
    positions = store.append(*story.states)
    react(store, writes, story, positions[-1])
    assert {command.licence_id for command in writes.taken.values()} == issued(story)
    assert all(command.face for command in writes.taken.values())
    with psycopg.connect(store.database.admin_url) as conn:
        conn.execute("DELETE FROM consumers.progress")
    react(store, writes, story, positions[-1])
    assert len(writes.taken) == len(issued(story))
    assert writes.given == 2 * len(issued(story))


@pytest.mark.parametrize("error", [TransientFailure("queue full"), StaleVersion(), KeyInFlight(), TimeoutError()])
def test_a_command_that_cannot_be_taken_now_is_given_again(store: Source, error: Exception) -> None:
    story, writes = told(), WriteSide()
    writes.errors.append(error)
    positions = store.append(*story.states)
    react(store, writes, story, positions[-1])
    assert {command.licence_id for command in writes.taken.values()} == issued(story)
    with psycopg.connect(store.database.admin_url) as conn:
        assert list_parked(conn) == []


def test_a_command_that_can_never_succeed_is_parked_and_can_be_given_again(store: Source) -> None:
    story, writes = told(), WriteSide()
    writes.errors.append(NotYours())
    positions = store.append(*story.states)
    react(store, writes, story, positions[-1])
    assert len(writes.taken) == len(issued(story)) - 1
    conn = connect(store.database.url, DbRole.PROJECTOR)
    [row] = list_parked(conn)
    assert (row.consumer, row.problem) == (REACTOR, "policy:collect-issued-licence: not-yours")
    [mended] = retry(conn, REACTOR, Reactor(writes.give, story, COLLECT), case=row.stream)
    assert mended.problem is None
    conn.close()
    assert {command.licence_id for command in writes.taken.values()} == issued(story)


def test_a_command_whose_id_is_taken_is_parked_and_holds_up_nobody(store: Source) -> None:
    story, writes = told(), WriteSide()
    writes.errors.append(IdTaken())
    positions = store.append(*story.states)
    react(store, writes, story, positions[-1])
    assert len(writes.taken) == len(issued(story)) - 1
    with connect(store.database.url, DbRole.PROJECTOR) as conn:
        [row] = list_parked(conn)
    assert (row.consumer, row.problem) == (REACTOR, "policy:collect-issued-licence: id-taken")


class Sealed:
    """Opens what the story sealed, except the boxes of one event."""

    def __init__(self, story: Story, error: Exception, event: UUID) -> None:
        self.story, self.error, self.event = story, error, event
        self.times = 1

    def unseal(self, boxes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        if self.times and any(box["event"] == str(self.event) for box in boxes):
            if isinstance(self.error, LogUnavailable):
                self.times = 0
            raise self.error
        return self.story.unseal(boxes)


@pytest.mark.parametrize("error", [BrokenSeal("changed"), LogUnavailable("no keys")])
def test_a_box_that_does_not_open_is_parked_and_keys_that_cannot_be_had_are_waited_for(
    store: Source, error: Exception
) -> None:
    story, writes = told(), WriteSide()
    event = next(e for e in story.events if e.envelope.type == "case.LicenceIssued")
    positions = store.append(*story.states)
    reactor = Reactor(writes.give, Sealed(story, error, event.envelope.id), COLLECT)
    with running(loop(reactor, store.feed(), store.database, name=REACTOR).run):
        eventually(lambda: progress(store.database) >= positions[-1])
    with connect(store.database.url, DbRole.PROJECTOR) as conn:
        found = [row.stream for row in list_parked(conn)]
    broken = isinstance(error, BrokenSeal)
    assert found == ([event.envelope.stream] if broken else [])
    assert len(writes.taken) == len(issued(story)) - broken


def test_a_policy_may_ask_for_several_commands_each_with_an_id_and_a_moment_of_its_own(store: Source) -> None:
    story = told()
    given: list[Order] = []
    positions = store.append(*story.states)
    reactor = Reactor(given.append, story, {"twice": opinions_twice})
    with running(loop(reactor, store.feed(), store.database, name=REACTOR).run):
        eventually(lambda: progress(store.database) >= positions[-1])
    opinions = {e.envelope.id: e.envelope for e in story.events if e.envelope.type == "case.OpinionRecorded"}
    assert len(given) == 2 * len(opinions) > 0
    assert len({order.id for order in given}) == len(given)
    for order in given:
        assert order.causation is not None
        envelope = opinions[order.causation]
        second = order.command[0] == "second"
        assert order.id == uuid5(envelope.id, "twice#2" if second else "twice")
        assert order.effective_at == envelope.effective_at - timedelta(hours=second)
        assert (order.by, order.trace) == ("policy:twice", envelope.trace)
    in_order = defaultdict(list)
    for order in given:
        in_order[order.command[1]].append((order.command[2], order.command[0]))
    assert all(found == sorted(found) for found in in_order.values())


def test_a_refused_command_of_an_event_holds_up_none_of_its_others(store: Source) -> None:
    story = told()
    given: list[Order] = []

    def refuse_first(order: Order) -> None:
        if order.command[0] == "first":
            raise NotYours
        given.append(order)

    positions = store.append(*story.states)
    with running(
        loop(Reactor(refuse_first, story, {"twice": opinions_twice}), store.feed(), store.database, name=REACTOR).run
    ):
        eventually(lambda: progress(store.database) >= positions[-1])
    with connect(store.database.url, DbRole.PROJECTOR) as conn:
        parked = list_parked(conn)
    assert {row.problem for row in parked} == {"policy:twice: not-yours"}
    assert len(parked) == len(given) > 0


def test_the_command_ids_of_the_released_policy_stay_as_they_were() -> None:
    event = UUID("0198c9a4-6f0e-7b61-9a55-2c4e8f1d7a30")
    assert policy_command(event, "collect-issued-licence") == UUID("e1ef1243-1bb3-5e24-bab5-b216e10d2a70")
