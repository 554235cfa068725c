"""The projector with the real projections: poison parks its stream and nothing else, and comes back when mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from psycopg import Cursor

from tests.consumers.conftest import Source, store_source
from tests.consumers.recording import loop
from tests.running import eventually, running
from tests.servers import Database
from tests.story import Story
from tongban.consumers.parked import list_parked, retry
from tongban.consumers.projector import PROJECTOR, Projector
from tongban.domain.recorded import Recorded
from tongban.infra.database import DbRole, connect
from tongban.infra.topics import topic_of
from tongban.projections.projection import PoisonEvent
from tongban.projections.registry import apply_batch

TABLES = ("case_view", "timeline", "department_queue", "licence_view", "party_view", "item_view", "rating_view")


@pytest.fixture
def store(database: Database) -> Source:
    return store_source(database)


@pytest.fixture
def story() -> Story:
    told = Story(seed=11)
    told.publish_all()
    told.day(20)
    return told


def project(source: Source, upto: int, handler: Projector | None = None) -> None:
    """Run the projector until everything up to position `upto` is handled."""
    with running(loop(handler or Projector(apply_batch), source.feed(), source.database, name=PROJECTOR).run):
        eventually(lambda: last_handled(source.database) >= upto)


def last_handled(database: Database) -> int:
    with psycopg.connect(database.admin_url) as conn:
        row = conn.execute(
            "SELECT coalesce(max(last_position), -1) FROM consumers.progress WHERE consumer = 'projector'"
        ).fetchone()
        assert row is not None
        return int(row[0])


def rows(database: Database, without: Sequence[UUID] = ()) -> dict[str, list[str]]:
    """Every row of the read tables as text, except those that speak of the streams `without`."""
    found = {}
    with psycopg.connect(database.admin_url) as conn:
        tables = [r[0] for r in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'read' ORDER BY 1")]
        for table in tables:
            texts = [r[0] for r in conn.execute(f"SELECT t::text FROM read.{table} t ORDER BY 1")]
            found[table] = [text for text in texts if not any(str(stream) in text for stream in without)]
    return found


def parked(database: Database) -> list[tuple[UUID, int]]:
    with psycopg.connect(database.admin_url) as conn:
        return [(row.stream, row.version) for row in list_parked(conn)]


class Poisoned:
    """The real projections, which refuse one event until they are mended."""

    def __init__(self, position: int, error: Exception) -> None:
        self.position = position
        self.error: Exception | None = error

    def __call__(self, cursor: Cursor[tuple[Any, ...]], events: Sequence[Recorded]) -> None:
        apply_batch(cursor, events)
        if self.error is not None and any(event.position == self.position for event in events):
            raise self.error


def case_of(story: Story) -> tuple[UUID, int]:
    """A case with several events, and the index of its second event in the store."""
    for index, (stream, version, event_type, _) in enumerate(story.states):
        if event_type == "case.MaterialsReceived" and version == 2:
            return stream, index
    raise AssertionError


def test_both_feeds_give_the_same_rows_as_one_fold_of_the_store(source: Source, story: Story) -> None:
    positions = source.append(*story.states)
    with running(loop(Projector(apply_batch), source.feed(), source.database, name=PROJECTOR).run):
        eventually(lambda: handled(source.database) == len(positions))
    projected = rows(source.database)
    assert sum(map(len, projected.values())) > 100
    with connect(source.database.url, DbRole.PROJECTOR) as conn, conn.transaction(), conn.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO read")
        for table in projected:
            cursor.execute(f"DELETE FROM {table}")
        from tongban.infra.event_codec import decode

        apply_batch(
            cursor,
            [decode(s[3], position) for s, position in zip(story.states, positions, strict=True)],
        )
    assert rows(source.database) == projected


def handled(database: Database) -> int:
    """Events that the projector has behind it, by its progress."""
    with psycopg.connect(database.admin_url) as conn:
        progress: dict[str, int] = dict(
            conn.execute(
                "SELECT topic, max(last_position) FROM consumers.progress WHERE consumer = 'projector' GROUP BY topic"
            ).fetchall()
        )
        stored = conn.execute("SELECT topic, notification_id FROM events.stored_events").fetchall()
    behind = progress.get("store", -1)
    return sum(position <= max(behind, progress.get(topic_of(event_type), -1)) for event_type, position in stored)


@pytest.mark.parametrize(
    "state", [b"", b"\xff\x00", b"null", b'{"type":"case.Unheard"}', b"[" * 100_000], ids=lambda s: repr(s[:8])
)
def test_an_unreadable_event_parks_its_stream_and_all_else_flows(store: Source, story: Story, state: bytes) -> None:
    stream, index = case_of(story)
    broken = [*story.states]
    broken[index] = (*broken[index][:3], state)
    positions = store.append(*broken)
    project(store, positions[-1])
    versions = [version for s, version, _, _ in story.states if s == stream]
    assert parked(store.database) == [(stream, version) for version in versions[1:]]
    assert len(rows(store.database)["case_view"]) == len({s for s, _, t, _ in story.states if t.startswith("case.")})


@pytest.mark.parametrize("error", ["poison", "data", "integrity"])
def test_a_parked_case_comes_back_when_the_fault_is_mended(store: Source, story: Story, error: str) -> None:
    stream, index = case_of(story)
    positions = store.append(*story.states)
    errors: dict[str, Exception] = {
        "poison": PoisonEvent(stream, positions[index], "refused"),
        "data": psycopg.errors.NumericValueOutOfRange(),
        "integrity": psycopg.errors.CheckViolation(),
    }
    poisoned = Poisoned(positions[index], errors[error])
    project(store, positions[-1], Projector(poisoned))
    versions = [version for s, version, _, _ in story.states if s == stream]
    assert parked(store.database) == [(stream, version) for version in versions[1:]]
    conn = connect(store.database.url, DbRole.PROJECTOR)
    [kept] = retry(conn, PROJECTOR, Projector(poisoned), case=stream)
    assert (kept.handled, kept.problem is None) == (0, False)
    assert len(parked(store.database)) == len(versions) - 1
    assert retry(conn, PROJECTOR, Projector(apply_batch), case=uuid4()) == []
    poisoned.error = None
    [mended] = retry(conn, PROJECTOR, Projector(poisoned), case=stream)
    assert (mended.stream, mended.handled, mended.problem) == (stream, len(versions) - 1, None)
    assert parked(store.database) == []
    conn.close()
    live = rows(store.database)
    with psycopg.connect(store.database.admin_url, autocommit=True) as admin:
        for table in live:
            admin.execute(f"DELETE FROM read.{table}")
        admin.execute("DELETE FROM consumers.progress")
    project(store, positions[-1])
    assert rows(store.database) == live


def test_later_events_of_a_parked_stream_are_parked_too_after_a_restart(store: Source, story: Story) -> None:
    stream, index = case_of(story)
    first, later = story.states[: index + 1], story.states[index + 1 :]
    broken = [*first[:index], (*first[index][:3], b"{")]
    positions = store.append(*broken)
    project(store, positions[-1])
    positions = store.append(*later)
    project(store, positions[-1])
    versions = [version for s, version, _, _ in story.states if s == stream]
    assert parked(store.database) == [(stream, version) for version in versions[1:]]


def test_an_event_that_names_another_stream_than_its_row_is_poison(store: Source, story: Story) -> None:
    _, index = case_of(story)
    stranger = uuid4()
    [position] = store.append((stranger, 1, story.states[index][2], story.states[index][3]))
    project(store, position)
    assert parked(store.database) == [(stranger, 1)]


def test_no_personal_value_stands_in_a_parked_row(store: Source) -> None:
    story = Story(seed=3)
    canary = "张金丝雀"
    story.register(canary)
    index = len(story.states) - 1
    [position] = store.append(story.states[index])
    project(store, position, Projector(Poisoned(position, PoisonEvent(story.states[index][0], position, "refused"))))
    with psycopg.connect(store.database.admin_url) as conn:
        [(state, problem)] = conn.execute("SELECT state, error FROM consumers.parked").fetchall()
    assert canary not in state.decode()
    assert canary not in problem


ACTOR = {"role": "clerk", **dict.fromkeys(("department", "district", "on_behalf_of", "mandate"))}


def misshapen(state: bytes, **changes: Any) -> bytes:
    """The bytes of an event with other values in its envelope; its form stays that of format v1."""
    return orjson.dumps({**orjson.loads(state), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"holders": {"main": None}},
        {"holders": {"main": 5}},
        {"holders": []},
        {"actor": {"id": None, **ACTOR}},
        {"actor": {"id": {}, **ACTOR}},
        {"actor": {"id": "a\0b", **ACTOR}},
        {"holders": {"main": "dept:\0"}},
    ],
    ids=str,
)
def test_a_misshapen_envelope_parks_its_stream_and_all_else_flows(
    store: Source, story: Story, changes: dict[str, Any]
) -> None:
    stream, index = case_of(story)
    broken = [*story.states]
    broken[index] = (*broken[index][:3], misshapen(broken[index][3], **changes))
    positions = store.append(*broken)
    project(store, positions[-1])
    versions = [version for s, version, _, _ in story.states if s == stream]
    assert parked(store.database) == [(stream, version) for version in versions[1:]]
    with connect(store.database.url, DbRole.PROJECTOR) as conn:
        [kept] = retry(conn, PROJECTOR, Projector(apply_batch), case=stream)
    assert kept.handled == 0
    assert len(rows(store.database)["case_view"]) == len({s for s, _, t, _ in story.states if t.startswith("case.")})
