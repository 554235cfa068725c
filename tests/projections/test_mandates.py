"""What is seen under a mandate, by whom and until when; and who sees mandates and absences themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.projections.conftest import ReadTables
from tests.servers import Database
from tests.story import MORNING, Story, Told, officer
from tongban.domain.absence.events import AbsenceEnded, AbsenceRegistered
from tongban.domain.actor import Actor, Role
from tongban.domain.ids import absence_stream
from tongban.domain.mandate.events import MandateGranted, MandateKind, MandateRevoked
from tongban.domain.office_time import office_day
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.read_access import ReadAccess
from tongban.projections.absences import absences_of
from tongban.projections.mandates import mandates_of

TODAY = office_day(datetime.now(UTC))
SUPERVISOR = Actor("s", Role.SUPERVISOR)


@dataclass
class World:
    """A principal with two cases, one of which an agent filed; a stranger with his own."""

    access: ReadAccess
    tables: ReadTables
    story: Story = field(default_factory=Story)

    def __post_init__(self) -> None:
        self.principal = self.story.register("甲")
        self.agent = self.story.register("乙")
        self.stranger = self.story.register("丙")
        self.mandate = self.story.uuid()
        self.own = self.story.case(self.principal, "property-transfer")
        self.other = self.story.case(self.stranger, "food-licence")

    def grant(self, first: date, last: date, *, by: Actor | None = None) -> MandateGranted:
        granted = MandateGranted(self.principal, self.agent, MandateKind.AGENT, None, None, first, last, None)
        self.story.append(self.mandate, granted, actor=by or Actor(str(self.principal), Role.CITIZEN), at=MORNING)
        return granted

    def file(self, **changes: Any) -> Told:
        signed = Actor(str(self.agent), Role.AGENT, on_behalf_of=self.principal, mandate=self.mandate)
        return self.story.case(self.principal, "food-licence", clerk=signed, **changes)

    def apply(self) -> None:
        self.tables.apply(self.story.events)

    def seen(self, actor: Actor, table: str, column: str = "id") -> set[Any]:
        with self.access.reading(actor) as cursor:
            return {row[0] for row in cursor.execute(f"SELECT {column} FROM {table}")}


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with (
        connect(database.url, DbRole.PROJECTOR) as conn,
        open_pool(database.url, DbRole.READER, size=2) as pool,
    ):
        yield World(ReadAccess(pool), ReadTables(database, conn))


@pytest.mark.parametrize("role", [Role.AGENT, Role.CITIZEN])
def test_an_agent_sees_what_it_filed_and_nothing_else_of_the_principal(world: World, role: Role) -> None:
    world.grant(TODAY, TODAY)
    filed = world.file(anonymous=True)
    world.apply()
    agent = Actor(str(world.agent), role, "nr")
    assert world.seen(agent, "case_view") == {filed.id}
    assert world.seen(agent, "timeline", "case_id") == {filed.id}
    assert world.seen(agent, "mandate_view") == {world.mandate}
    assert world.seen(agent, "party_view") == {world.agent, world.principal}
    assert world.seen(agent, "licence_view") == world.seen(agent, "rating_view") == set()
    assert "rating.CaseRated" not in world.seen(agent, "timeline", "type")
    assert "rating.CaseRated" in world.seen(Actor(str(world.principal), Role.CITIZEN), "timeline", "type")


def test_the_principal_sees_all_his_own_and_who_acts_for_him(world: World) -> None:
    world.grant(TODAY, TODAY)
    filed = world.file()
    world.apply()
    principal = Actor(str(world.principal), Role.CITIZEN)
    assert world.seen(principal, "case_view") == {world.own.id, filed.id}
    assert world.seen(principal, "mandate_view") == {world.mandate}
    assert world.seen(principal, "party_view") == {world.principal, world.agent}


@pytest.mark.parametrize(
    ("first", "last", "sees"),
    [(-1, -1, False), (-9, 0, True), (0, 0, True), (0, 9, True), (1, 9, False)],
)
def test_reading_begins_and_ends_with_the_mandate(world: World, first: int, last: int, *, sees: bool) -> None:
    world.grant(TODAY + timedelta(days=first), TODAY + timedelta(days=last))
    filed = world.file()
    world.apply()
    agent = Actor(str(world.agent), Role.AGENT)
    assert world.seen(agent, "case_view") == ({filed.id} if sees else set())
    assert world.seen(agent, "party_view") == ({world.agent, world.principal} if sees else {world.agent})
    assert world.seen(agent, "mandate_view") == {world.mandate}


def test_a_revoked_mandate_shows_nothing_any_more(world: World) -> None:
    world.grant(TODAY, TODAY)
    world.file()
    revoked = MandateRevoked(world.principal, world.agent, "不再委托")
    world.story.append(world.mandate, revoked, actor=SUPERVISOR, at=MORNING)
    world.apply()
    agent, principal = Actor(str(world.agent), Role.AGENT), Actor(str(world.principal), Role.CITIZEN)
    assert world.seen(agent, "case_view") == world.seen(agent, "timeline", "case_id") == set()
    assert world.seen(agent, "party_view") == {world.agent}
    assert world.seen(principal, "party_view") == {world.principal}
    assert world.seen(principal, "mandate_view", "revoked_at") == {MORNING}


def test_mandates_are_seen_by_the_two_and_by_who_needs_them(world: World) -> None:
    window = officer("greening", Role.CLERK)
    world.grant(TODAY, TODAY, by=window)
    world.file(steps=1)
    world.apply()
    mandate = {world.mandate}
    sees: dict[str, tuple[Actor, set[UUID]]] = {
        "who entered it": (window, mandate),
        "who has a case filed under it": (officer("samr", Role.REVIEWER), mandate),
        "supervision": (SUPERVISOR, mandate),
        "another department": (officer("nr", Role.HEAD), set()),
        "another window": (replace(window, id="someone"), set()),
        "a stranger": (Actor(str(world.stranger), Role.CITIZEN), set()),
        "a strange agent": (Actor(str(world.stranger), Role.AGENT), set()),
        "the hotline": (Actor("h", Role.HOTLINE), set()),
        "nobody in particular": (Actor("x", Role.AGENT), set()),
    }
    assert {who: world.seen(actor, "mandate_view") for who, (actor, _) in sees.items()} == {
        who: expected for who, (_, expected) in sees.items()
    }


def test_mandates_of_a_party_are_those_it_gave_and_was_given(world: World) -> None:
    granted = world.grant(TODAY, TODAY)
    world.apply()
    with world.tables.selecting() as cursor:
        found = mandates_of(cursor, [world.principal, world.agent, world.stranger])
    assert found.keys() == {world.principal, world.agent}
    assert found[world.principal] == found[world.agent]
    [row] = found[world.agent]
    assert (row.kind, row.items, row.valid_to, row.revoked_at) == ("AGENT", None, granted.valid_to, None)


def away(story: Story, department: str, first: int, **changes: Any) -> Callable[[], object]:
    """The acceptor of nr is absent for a day, `first` days after the morning."""
    day = MORNING.date() + timedelta(days=first)
    event = AbsenceRegistered("nr-acceptor", "cover", department, day, day)
    return lambda: story.append(
        absence_stream("nr-acceptor"), event, actor=officer(department, Role.HEAD), **{"at": MORNING, **changes}
    )


def test_absences_are_seen_in_the_department(world: World) -> None:
    away(world.story, "nr", 5)()
    world.apply()
    for actor, seen in (
        (officer("nr"), {"nr-acceptor"}),
        (SUPERVISOR, {"nr-acceptor"}),
        (Actor("nr-acceptor", Role.ACCEPTOR), {"nr-acceptor"}),
        (officer("tax"), set()),
        (Actor(str(world.principal), Role.CITIZEN), set()),
    ):
        assert world.seen(actor, "absence_view", "officer") == seen


def test_absences_that_were_ended_or_are_over_are_gone(world: World) -> None:
    story = world.story
    away(story, "nr", 1)()
    away(story, "tax", 5)()
    away(story, "nr", 9, at=MORNING + timedelta(days=3))()  # the first is over by now
    world.apply()
    with world.tables.selecting() as cursor:
        assert absences_of(cursor, "housing") == []
        [row] = absences_of(cursor, "nr")
        assert [(absence["department"], absence["first"]) for absence in row.standing] == [
            ("tax", "2026-03-07"),
            ("nr", "2026-03-11"),
        ]
    ended = AbsenceEnded("nr-acceptor", "cover", "tax", date(2026, 3, 7))
    story.append(absence_stream("nr-acceptor"), ended, actor=officer("tax", Role.HEAD), at=MORNING)
    world.apply()
    with world.tables.selecting() as cursor:
        assert absences_of(cursor, "tax") == []
        assert absences_of(cursor, "nr")[0].departments == ["nr"]
