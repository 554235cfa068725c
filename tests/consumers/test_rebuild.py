"""A rebuild equals what the projector made, whatever its batches were, and can take its place while it runs."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.servers import Database
from tests.story import Story
from tongban.consumers.feed import Message, Partition
from tongban.consumers.projector import PROJECTOR, Projector
from tongban.consumers.rebuild import RebuildRefused, rebuild
from tongban.domain.actor import Actor, Role
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.read_access import ReadAccess
from tongban.infra.topics import partition_of, topic_of
from tongban.projections.registry import PROJECTIONS, apply_batch


@dataclass
class Live:
    """An event store with a projector that follows it partition by partition, in batches of any size."""

    database: Database
    story: Story
    waiting: dict[Partition, list[Message]] = field(default_factory=lambda: defaultdict(list))
    stored: int = 0

    def store(self) -> None:
        """Append what was told since; the projector has it to do."""
        with psycopg.connect(self.database.admin_url) as conn:
            for stream, version, event_type, state in self.story.states[self.stored :]:
                row = conn.execute(
                    "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
                    " VALUES (%s, %s, %s, %s) RETURNING notification_id",
                    (stream, version, event_type, state),
                ).fetchone()
                assert row is not None
                place = Partition(topic_of(event_type), partition_of(stream))
                message = Message(*place, len(self.waiting[place]), row[0], None, stream, version, state)
                self.waiting[place].append(message)
            self.stored = len(self.story.states)

    def project(self, chance: random.Random, *, share: float = 1.0) -> None:
        """Apply a share of what waits, in batches of random size from random partitions."""
        projector = Projector(apply_batch)
        left = {place: int(len(messages) * share) for place, messages in self.waiting.items()}
        with connect(self.database.url, DbRole.PROJECTOR) as conn:
            while places := [place for place, count in left.items() if count]:
                place = chance.choice(places)
                size = min(left[place], chance.choice((1, 3, 40, 500)))
                batch, self.waiting[place] = self.waiting[place][:size], self.waiting[place][size:]
                left[place] -= size
                with conn.transaction(), conn.cursor() as cursor:
                    projector.lock(cursor)
                    projector.write(cursor, projector.prepare(batch))
                    cursor.execute(
                        "INSERT INTO consumers.progress (consumer, topic, partition, last_position)"
                        " VALUES (%s, %s, %s, %s) ON CONFLICT (consumer, topic, partition)"
                        " DO UPDATE SET last_position = EXCLUDED.last_position",
                        (PROJECTOR, *place, batch[-1].position),
                    )

    def cases_seen(self) -> int:
        """How many cases a supervisor sees, through the reader's door."""
        with open_pool(self.database.url, DbRole.READER, size=1) as pool:
            access = ReadAccess(pool)
            access.assert_powerless()
            with access.reading(Actor("boss", Role.SUPERVISOR)) as cursor:
                return len(cursor.execute("SELECT id FROM case_view").fetchall())

    def schemas(self) -> set[str]:
        """The schemas of read tables that there are."""
        with psycopg.connect(self.database.admin_url) as conn:
            return {row[0] for row in conn.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read%'")}


@pytest.fixture
def live(database: Database) -> Iterator[Live]:
    """A day of cases, stored; nothing projected yet."""
    story = Story(seed=23)
    story.publish_all()
    story.day(60)
    world = Live(database, story)
    world.store()
    yield world
    assert world.schemas() == {"read"}


@pytest.mark.parametrize("seed", [1, 2])
def test_rebuild_equals_the_live_tables_whatever_the_batches_were(live: Live, seed: int) -> None:
    live.project(random.Random(seed))
    said: list[tuple[int, int]] = []
    report = rebuild(live.database.url, check=True, progress=lambda done, total: said.append((done, total)))
    assert report.equal, report
    assert not report.exchanged
    assert {table.table for table in report.tables} == {projection.name for projection in PROJECTIONS}
    assert all(table.rows for table in report.tables)
    assert said[-1] == (live.stored, live.stored)
    assert report.events == live.stored


def test_rebuild_sees_only_what_the_projector_has_passed(live: Live) -> None:
    live.project(random.Random(3), share=0.4)
    report = rebuild(live.database.url)
    assert report.equal, report
    assert 0 < report.events < live.stored
    live.project(random.Random(4))
    assert rebuild(live.database.url, check=True).equal
    assert live.cases_seen() == 60


def test_exchanged_tables_repair_what_was_wrong_and_serve_on(live: Live) -> None:
    live.project(random.Random(5))
    with connect(live.database.url, DbRole.PROJECTOR) as conn:
        conn.execute(
            "UPDATE read.case_view SET lead = 'wrong' WHERE id = (SELECT min(id::text)::uuid FROM read.case_view)"
        )
        conn.execute("DELETE FROM read.party_view")
    found = rebuild(live.database.url, check=True)
    assert {table.table for table in found.tables if not table.equal} == {"case_view", "party_view"}
    only = rebuild(live.database.url, tables=["party_view"])
    assert [(table.table, table.equal) for table in only.tables] == [("party_view", False)]
    assert [t.table for t in rebuild(live.database.url, check=True).tables if not t.equal] == ["case_view"]
    assert not rebuild(live.database.url).equal
    assert rebuild(live.database.url, check=True).equal
    assert live.cases_seen() == 60


def test_rebuild_while_the_projector_goes_on(live: Live) -> None:
    live.project(random.Random(6), share=0.3)
    stop, failed = threading.Event(), list[BaseException]()

    def go_on() -> None:
        try:
            chance = random.Random(7)
            while not stop.is_set():
                live.project(chance, share=0.2)
        except BaseException as error:  # noqa: BLE001 (told to the test below)
            failed.append(error)

    running = threading.Thread(target=go_on)
    running.start()
    try:
        reports = [rebuild(live.database.url, check=number % 2 == 0) for number in range(4)]
    finally:
        stop.set()
        running.join()
    assert failed == []
    assert [report.equal for report in reports] == [True] * 4
    live.project(random.Random(8))
    assert rebuild(live.database.url, check=True).equal


def test_streams_that_cannot_be_folded_are_parked_as_live_does(live: Live) -> None:
    stream, version, event_type, state = live.story.states[-1]
    broken = state.replace(b'"schema":1', b'"schema":9')
    live.story.states.append((stream, version + 1, event_type, broken))
    live.story.states.append((stream, version + 2, event_type, state))
    live.store()
    live.project(random.Random(9))
    parked = "SELECT stream, version, position, topic, state, error FROM consumers.parked ORDER BY position"
    with connect(live.database.url, DbRole.PROJECTOR) as conn:
        before = conn.execute(parked).fetchall()
        assert len(before) == 2
        report = rebuild(live.database.url)
        assert report.equal
        assert list(report.parked) == [str(stream)]
        assert conn.execute(parked).fetchall() == before


def test_one_rebuild_at_a_time_and_leftovers_of_a_killed_one_are_dropped(live: Live) -> None:
    live.project(random.Random(10))
    with connect(live.database.url, DbRole.PROJECTOR) as conn:
        conn.execute("CREATE SCHEMA read_next; CREATE SCHEMA read_old")
        conn.execute("SELECT pg_advisory_lock(7304)")
        with pytest.raises(RebuildRefused, match="under way"):
            rebuild(live.database.url)
        conn.execute("SELECT pg_advisory_unlock(7304)")
    assert rebuild(live.database.url).equal
    with pytest.raises(RebuildRefused, match="no read table nonsense"):
        rebuild(live.database.url, tables=["nonsense"])
