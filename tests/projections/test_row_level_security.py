"""Who sees which row: every role against every read table; and the check that nothing lets a reader around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.projections.conftest import ReadTables
from tests.servers import Database
from tests.story import Story, Told, officer
from tongban.domain.actor import Actor, Role
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.read_access import ReadAccess, ReaderTooPowerful, check_powerless
from tongban.projections.registry import PROJECTIONS

OFFICERS = (Role.CLERK, Role.ACCEPTOR, Role.REVIEWER, Role.DECIDER, Role.HEAD, Role.INSPECTOR)
NOBODIES = (Role.HOTLINE, Role.DATA_CENTRE, Role.ADMIN, Role.INTEGRATOR, Role.SYSTEM)


@dataclass
class World:
    """Three cases.

    `ours` of samr, anonymously rated; `theirs` of nr, housing and tax, rated by name; `filed` of greening, filed at
    samr's counter.
    """

    access: ReadAccess
    ours: Told
    theirs: Told
    filed: Told

    def visible(self, actor: Actor | None, table: str, column: str) -> set[Any]:
        """The values of a column that somebody sees."""
        with self.access.reading(actor) as cursor:
            return {row[0] for row in cursor.execute(f"SELECT {column} FROM {table}")}


@pytest.fixture(scope="module")
def world(module_database: Database) -> Iterator[World]:
    """The three cases, projected."""
    story = Story()
    story.publish_all()
    ours = story.case(story.register("甲"), "food-licence", anonymous=True)
    theirs = story.case(story.register("乙"), "property-transfer")
    filed = story.case(story.register("丙"), "kitchen-waste", steps=1, clerk=officer("samr", Role.CLERK))
    with connect(module_database.url, DbRole.PROJECTOR) as conn:
        ReadTables(module_database, conn).apply(story.events)
    with open_pool(module_database.url, DbRole.READER, size=2) as pool:
        yield World(ReadAccess(pool), ours, theirs, filed)


def seen(world: World, actor: Actor | None) -> dict[str, set[Any]]:
    """What somebody sees of every table: the cases (or parties) that its rows are of."""
    tables = {
        "case_view": "id",
        "department_queue": "case_id",
        "timeline": "case_id",
        "licence_view": "case_id",
        "party_view": "id",
        "rating_view": "case_id",
    }
    return {table: world.visible(actor, table, column) for table, column in tables.items()}


TABLES = ("case_view", "department_queue", "timeline", "licence_view", "party_view", "rating_view")
NOTHING: dict[str, set[UUID]] = {table: set() for table in TABLES}


def test_without_a_reader_nothing_is_seen(world: World) -> None:
    assert seen(world, None) == NOTHING
    assert world.visible(None, "item_view", "item_id") == set()
    assert world.visible(None, "item_version_view", "item_id") == set()
    assert world.visible(None, "calendar_view", "calendar_version") == set()
    assert world.visible(None, "calendar_version_view", "year") == set()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_everybody_sees_the_calendar(world: World, role: Role) -> None:
    assert world.visible(Actor("x", role), "calendar_view", "calendar_version") == {2}
    assert world.visible(Actor("x", role), "calendar_version_view", "year") == {2025, 2026}


@pytest.mark.parametrize("role", NOBODIES)
def test_roles_without_a_rule_see_the_catalogue_only(world: World, role: Role) -> None:
    for subject in (str(world.ours.applicant), "x", ""):
        assert seen(world, Actor(subject, role, "samr")) == NOTHING
    assert len(world.visible(Actor("x", role), "item_view", "item_id")) == 3


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.ENTERPRISE, Role.AGENT])
def test_applicants_see_their_own(world: World, role: Role) -> None:
    ours = world.ours
    assert seen(world, Actor(str(ours.applicant), role, "nr")) == {
        "case_view": {ours.id},
        "department_queue": set(),
        "timeline": {ours.id},
        "licence_view": {ours.id},
        "party_view": {ours.applicant},
        "rating_view": {ours.id},
    }


@pytest.mark.parametrize("subject", ["", "x", "'; DROP", str(uuid4()), "samr-clerk"])
def test_applicants_unknown_or_malformed_see_nothing(world: World, subject: str) -> None:
    assert seen(world, Actor(subject, Role.CITIZEN, "samr")) == NOTHING


@pytest.mark.parametrize("role", OFFICERS)
@pytest.mark.parametrize("department", ["nr", "housing", "tax"])
def test_officers_see_what_their_department_takes_part_in(world: World, role: Role, department: str) -> None:
    theirs = world.theirs
    assert seen(world, officer(department, role)) == {
        "case_view": {theirs.id},
        "department_queue": set(),
        "timeline": {theirs.id},
        "licence_view": {theirs.id} if department == "nr" else set(),
        "party_view": {theirs.applicant},
        "rating_view": {theirs.id},
    }


@pytest.mark.parametrize("role", OFFICERS)
def test_officers_never_learn_who_rated_anonymously(world: World, role: Role) -> None:
    actor = Actor("another", role, "samr")
    found = seen(world, actor)
    assert found["case_view"] == {world.ours.id}
    assert found["rating_view"] == set()
    with world.access.reading(actor) as cursor:
        cursor.execute("SELECT type FROM timeline WHERE case_id = %s", (world.ours.id,))
        assert "rating.CaseRated" not in {row[0] for row in cursor}
        cursor.execute(
            "SELECT count(*) FROM timeline WHERE actor_id = %s AND type LIKE 'rating%%'",
            (str(world.ours.applicant),),
        )
        assert cursor.fetchone() == (0,)


def test_officers_see_what_they_filed_for_another_department(world: World) -> None:
    clerk = officer("samr", Role.CLERK)
    assert seen(world, clerk)["case_view"] == {world.ours.id, world.filed.id}
    assert seen(world, clerk)["department_queue"] == set()
    assert seen(world, officer("greening"))["department_queue"] == {world.filed.id}


@pytest.mark.parametrize("role", OFFICERS)
@pytest.mark.parametrize("department", [None, "", "fire", "samr,nr", "samr\0", "{samr}", "%"])
def test_officers_of_no_or_another_department_see_nothing(world: World, role: Role, department: str | None) -> None:
    assert seen(world, Actor("stranger", role, department)) == NOTHING


def test_supervisors_see_everything(world: World) -> None:
    every = {world.ours.id, world.theirs.id, world.filed.id}
    found = seen(world, Actor("s", Role.SUPERVISOR))
    assert found["case_view"] == found["timeline"] == every
    assert found["rating_view"] == found["licence_view"] == {world.ours.id, world.theirs.id}
    assert len(found["party_view"]) == 3


def test_one_reader_leaves_nothing_behind_for_the_next(world: World) -> None:
    for _ in range(4):
        assert world.visible(Actor("s", Role.SUPERVISOR), "case_view", "id")
        assert world.visible(None, "case_view", "id") == set()


def test_readers_cannot_write_or_leave_their_role(world: World) -> None:
    for statement in (
        "DELETE FROM case_view",
        "UPDATE case_view SET lead = 'x'",
        "SELECT * FROM events.stored_events",
    ):
        with pytest.raises(psycopg.Error), world.access.reading(Actor("s", Role.SUPERVISOR)) as cursor:
            cursor.execute(statement.encode())


def test_the_owner_itself_is_bound(database: Database) -> None:
    with connect(database.url, DbRole.PROJECTOR) as conn:
        forced = conn.execute(
            "SELECT count(*) FROM pg_class"
            " WHERE relnamespace = 'read'::regnamespace AND relkind = 'r' AND relforcerowsecurity"
        ).fetchone()
        tables = conn.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'read'::regnamespace AND relkind = 'r'"
        ).fetchone()
    assert forced == tables == (len(PROJECTIONS),)


@pytest.mark.parametrize(
    ("weakening", "said"),
    [
        ("ALTER ROLE tongban_reader BYPASSRLS", "BYPASSRLS"),
        ("ALTER TABLE read.timeline NO FORCE ROW LEVEL SECURITY", "read.timeline"),
        ("ALTER TABLE read.case_view DISABLE ROW LEVEL SECURITY", "read.case_view"),
        ("DROP POLICY see ON read.party_view", "read.party_view"),
        ("ALTER TABLE read.rating_view OWNER TO tongban_reader", "owns read.rating_view"),
        ("CREATE TABLE read.extra (x int)", "read.extra"),
        ("CREATE VIEW read.around AS SELECT * FROM read.case_view", "read.around"),
        ("GRANT tongban_projector TO tongban_reader WITH INHERIT TRUE", "owns read."),
    ],
)
def test_start_is_refused_when_the_reader_is_too_powerful(database: Database, weakening: str, said: str) -> None:
    with connect(database.url, DbRole.READER) as reader:
        check_powerless(reader)
    with psycopg.connect(database.admin_url) as admin:
        # Roles belong to the whole server: the weakening is rolled back after the check, which looks from inside.
        admin.execute("GRANT CREATE ON SCHEMA read TO tongban_reader")
        admin.execute(weakening.encode())
        admin.execute("SET LOCAL ROLE tongban_reader")
        with pytest.raises(ReaderTooPowerful, match=said) as caught:
            check_powerless(admin)
        assert "\n" not in str(caught.value)
        admin.rollback()
