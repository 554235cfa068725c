"""The event store on a real PostgreSQL: order, atomicity, append-only, rights, and a line that is cut at COMMIT."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent as LibraryEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from tests.commands.office import Office, answered, ask, office, refused
from tests.examples import ACCEPTOR, ADMIN, CLERK, DEFINITION, publish_item, register_party, submit_application
from tests.proxy import Cut, proxy_to
from tests.servers import Database
from tongban.commands.ports import LoggedAnswer, LogUnavailable, NewEvent, StaleStream
from tongban.commands.requests import Answer, Unavailable
from tongban.domain.case.commands import AcceptApplication
from tongban.domain.catalogue.commands import PublishItem
from tongban.infra.database import DbRole, connect
from tongban.infra.event_store import APPEND_LOCK, Datastore, EventRecorder, EventStore


@pytest.fixture
def store(database: Database) -> Iterator[EventStore]:
    opened = EventStore(database.url)
    yield opened
    opened.close()


def event(stream: UUID, version: int = 1, state: bytes = b"{}") -> NewEvent:
    return NewEvent(stream, version, "case.Test", state)


def answer(stream: UUID, key: UUID | None = None) -> LoggedAnswer:
    return LoggedAnswer("clerk:1", key or uuid4(), b"f" * 32, stream, 1, "NR-1", ("case.Test", "case.Other"))


def positions(database: Database) -> list[int]:
    with psycopg.connect(database.admin_url) as conn:
        return [
            row[0] for row in conn.execute("SELECT notification_id FROM events.stored_events ORDER BY notification_id")
        ]


INSERT_ONE = (
    "INSERT INTO events.stored_events (originator_id, originator_version, topic, state) VALUES (%s, 1, 't', '')"
)


def append(store: EventStore, *what: Any) -> Sequence[int]:
    """Append, and wait until it is durable."""
    return store.start_append(*what).wait()


# ── reading and appending ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_appended_is_read_back_in_order(store: EventStore) -> None:
    one, two = uuid4(), uuid4()
    given = append(store, [event(one, 1, b"a"), event(two, 1, b"b"), event(one, 2, b"c")], [], [])
    assert list(given) == sorted(given)
    reading = store.read(after={one: 0, two: 0}, commands=[], identifiers=[])
    assert [(e.stream, e.version, e.state) for e in reading.tails] == [(one, 1, b"a"), (two, 1, b"b"), (one, 2, b"c")]
    assert [e.position for e in reading.tails] == list(given)
    assert [e.state for e in store.read(after={one: 1}, commands=[], identifiers=[]).tails] == [b"c"]
    assert store.read(after={}, commands=[], identifiers=[]).tails == []


def test_answers_and_identifiers_are_written_with_the_events(store: EventStore) -> None:
    stream, digest = uuid4(), bytes(32)
    logged = answer(stream)
    [position] = append(store, [event(stream)], [logged], [(digest, stream)])
    reading = store.read(
        after={},
        commands=[("clerk:1", logged.idempotency_key), ("clerk:2", logged.idempotency_key)],
        identifiers=[digest],
    )
    assert reading.answers == {("clerk:1", logged.idempotency_key): logged._replace(position=position)}
    assert reading.parties == {digest: stream}


@pytest.mark.parametrize("clash", ["version", "key", "identifier"])
def test_a_clash_of_any_kind_appends_nothing_at_all(database: Database, store: EventStore, clash: str) -> None:
    stream, other, digest = uuid4(), uuid4(), bytes(32)
    logged = answer(stream)
    append(store, [event(stream)], [logged], [(digest, stream)])
    before = positions(database)
    with pytest.raises(StaleStream):
        append(
            store,
            [event(other), event(stream, 1 if clash == "version" else 2)],
            [answer(other)._replace(idempotency_key=logged.idempotency_key if clash == "key" else uuid4())],
            [(digest if clash == "identifier" else b"1" * 32, other)],
        )
    assert positions(database) == before
    assert store.read(after={other: 0}, commands=[], identifiers=[b"1" * 32]).parties == {}


def test_what_a_decision_rests_on_must_still_stand(database: Database, store: EventStore) -> None:
    mandate, other = uuid4(), uuid4()
    append(store, [event(mandate)], [], [])
    append(store, [event(uuid4())], [], [], {mandate: 1, other: 0})
    append(store, [event(mandate, 2)], [], [])
    before = positions(database)
    with pytest.raises(StaleStream):
        append(store, [event(uuid4())], [answer(other)], [], {other: 0, mandate: 1})
    assert positions(database) == before
    append(store, [event(other)], [], [], {other: 0, mandate: 2})  # it may be what these events begin


def test_an_answer_without_events_is_kept_too(store: EventStore) -> None:
    logged = answer(uuid4())._replace(events=())
    assert list(append(store, [], [logged], [])) == []
    reading = store.read(after={}, commands=[("clerk:1", logged.idempotency_key)], identifiers=[])
    assert reading.answers[("clerk:1", logged.idempotency_key)].position == 0


def test_the_clock_is_the_databases(store: EventStore) -> None:
    first = store.read(after={}, commands=[], identifiers=[]).now
    second = store.read(after={}, commands=[], identifiers=[]).now
    assert first < second
    assert first.utcoffset() is not None


def test_everyone_who_listens_is_woken_by_an_append(database: Database, store: EventStore) -> None:
    with connect(database.url, DbRole.RELAY) as conn:
        conn.execute("LISTEN stored_events")
        append(store, [event(uuid4())], [], [])
        assert next(conn.notifies(timeout=5)).channel == "stored_events"


def test_a_store_that_cannot_be_reached_is_unavailable_and_comes_back(database: Database) -> None:
    name = sql.Identifier(database.name)
    store = EventStore(database.url)
    try:
        server = conninfo_to_dict(database.admin_url) | {"dbname": "postgres"}
        with psycopg.connect(**server, autocommit=True) as admin:  # type: ignore[arg-type]
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.name,))
            with pytest.raises(LogUnavailable):
                store.read(after={}, commands=[], identifiers=[])
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        deadline = monotonic() + 20
        while True:
            try:
                append(store, [event(uuid4())], [], [])
                break
            except LogUnavailable:
                assert monotonic() < deadline
    finally:
        store.close()


# ── order: a reader that follows by position loses nothing ───────────────────────────────────────────────────────────

WRITERS, APPENDS = 16, 8

SLOW_AND_FAILING = """
CREATE FUNCTION events.test_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(random() * 0.03);  -- the number is taken, the commit still to come
    IF random() < 0.2 THEN RAISE EXCEPTION 'rolled back on purpose'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER test_trouble AFTER INSERT ON events.stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION events.test_trouble();
"""


def tail(conn: psycopg.Connection[tuple[object, ...]], last: int) -> list[int]:
    query = (
        "SELECT notification_id FROM events.stored_events WHERE notification_id > %s ORDER BY notification_id LIMIT 500"
    )
    return [int(str(row[0])) for row in conn.execute(query, (last,))]


def test_a_reader_that_follows_by_position_sees_all_that_slow_failing_and_killed_writers_commit(
    database: Database,
) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute(SLOW_AND_FAILING)
    acknowledged: list[int] = []
    failures: Counter[str] = Counter()
    over = Event()

    def write(seed: int) -> None:
        rng = random.Random(seed)
        store = EventStore(database.url, size=1)
        for _ in range(APPENDS):
            try:
                acknowledged.extend(append(store, [event(uuid4()) for _ in range(rng.randint(1, 3))], [], []))
            except LogUnavailable as error:
                failures[str(error.__cause__.__class__.__name__)] += 1
        store.close()

    read: list[int] = []

    def follow() -> None:
        with connect(database.url, DbRole.RELAY) as conn:
            while True:
                done = over.is_set()
                read.extend(tail(conn, read[-1] if read else 0))
                if done:
                    return

    def kill() -> None:
        with psycopg.connect(database.admin_url, autocommit=True) as admin:
            while not over.wait(0.15):
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'tongban writer'"
                    " AND state <> 'idle' ORDER BY random() LIMIT 1"
                )

    writers = [Thread(target=write, args=(seed,)) for seed in range(WRITERS)]
    helpers = [Thread(target=follow), Thread(target=kill)]
    for thread in (*writers, *helpers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in helpers:
        thread.join()
    committed = positions(database)
    assert read == sorted(set(read)), "positions rise strictly"
    assert set(read) == set(committed)
    assert set(acknowledged) <= set(committed)
    assert len(committed) > WRITERS
    assert sum(failures.values()) > WRITERS * APPENDS // 20
    assert committed[-1] > len(committed), "some numbers were taken and rolled back"


def test_an_append_waits_for_the_one_before_it_so_no_event_comes_up_behind_a_reader(
    database: Database, store: EventStore
) -> None:
    appended = Event()
    with psycopg.connect(database.admin_url) as first, connect(database.url, DbRole.RELAY) as reader:
        first.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        first.execute(
            INSERT_ONE,
            (uuid4(),),
        )

        def append_another() -> None:
            append(store, [event(uuid4())], [], [])
            appended.set()

        second = Thread(target=append_another)
        second.start()
        assert not appended.wait(0.3)
        assert tail(reader, 0) == []
        first.commit()
        assert appended.wait(5)
        second.join()
        assert tail(reader, 0) == positions(database)


def test_the_librarys_database_functions_lose_an_event_for_such_a_reader(database: Database) -> None:
    """Why that option is refused. Should this fail one day, the library has mended it."""
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA lossy")
    given = conninfo_to_dict(database.admin_url)
    datastore = PostgresDatastore(
        dbname=str(given["dbname"]),
        host=str(given["host"]),
        port=str(given.get("port", "")),
        user=str(given["user"]),
        password="",
        schema="lossy",
        enable_db_functions=True,
    )
    try:
        recorder = PostgresApplicationRecorder(datastore, events_table_name="stored_events")
        recorder.create_table()
        with psycopg.connect(database.admin_url) as slow:
            slow.execute(
                "SELECT lossy.es_insert_events_uuid(ARRAY[ROW(%s, 1, 't', 'slow')::lossy.stored_event_uuid])",
                (uuid4(),),
            )
            recorder.insert_events([LibraryEvent(uuid4(), 1, "t", b"quick")])
            seen = [found.state for found in recorder.select_notifications(None, 10)]
            last = recorder.max_notification_id()
            slow.commit()
        seen += [found.state for found in recorder.select_notifications(last, 10, inclusive_of_start=False)]
        assert seen == [b"quick"]
        assert len(recorder.select_notifications(None, 10)) == 2
    finally:
        datastore.close()


def test_the_recorder_refuses_the_librarys_database_functions(module_database: Database) -> None:
    datastore = Datastore(module_database.url, size=2)
    datastore.enable_db_functions = True
    with pytest.raises(ValueError, match="turn them off"):
        EventRecorder(datastore)
    datastore.close()


def test_a_stuck_writer_does_not_hold_the_append_lock_for_ever(database: Database, store: EventStore) -> None:
    with store._datastore.get_connection() as conn:
        shown = [conn.execute(f"SHOW {name}").fetchone() for name in ("idle_in_transaction_session_timeout", "role")]
    assert [list(row.values()) for row in shown if row] == [["5s"], ["tongban_writer"]]
    with psycopg.connect(database.admin_url) as stuck:
        stuck.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        started = monotonic()
        with pytest.raises(LogUnavailable):
            append(store, [event(uuid4())], [], [])
        assert monotonic() - started < 4
    append(store, [event(uuid4())], [], [])


def test_analyze_runs_while_an_append_is_going_on(module_database: Database) -> None:
    with (
        psycopg.connect(module_database.admin_url) as writer,
        psycopg.connect(module_database.admin_url, autocommit=True) as admin,
    ):
        writer.execute("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        writer.execute(
            INSERT_ONE,
            (uuid4(),),
        )
        admin.execute("SET lock_timeout = '1s'")
        admin.execute("ANALYZE events.stored_events")


# ── append-only, and who may do what ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events.stored_events SET state = 'x'",
        "UPDATE events.stored_events SET notification_id = notification_id + 1",
        "DELETE FROM events.stored_events",
        "TRUNCATE events.stored_events",
        (
            "INSERT INTO events.stored_events SELECT * FROM events.stored_events"
            " ON CONFLICT (originator_id, originator_version) DO UPDATE SET state = 'x'"
        ),
    ],
)
def test_nobody_changes_or_removes_an_event_not_even_the_superuser(module_database: Database, statement: str) -> None:
    with connect(module_database.url, DbRole.WRITER) as writer:
        writer.execute(
            INSERT_ONE,
            (uuid4(),),
        )
    before = positions(module_database)
    with (
        psycopg.connect(module_database.admin_url, autocommit=True) as admin,
        pytest.raises(errors.RaiseException, match="append-only"),
    ):
        admin.execute(statement)
    assert positions(module_database) == before


@pytest.mark.parametrize("role", list(DbRole))
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE", "INSERT"])
def test_roles_have_no_right_to_change_events_and_only_the_writer_appends(
    module_database: Database, role: DbRole, verb: str
) -> None:
    statement = {
        "UPDATE": "UPDATE events.stored_events SET state = 'x'",
        "DELETE": "DELETE FROM events.stored_events",
        "TRUNCATE": "TRUNCATE events.stored_events",
        "INSERT": "INSERT INTO events.stored_events (originator_id, originator_version, topic, state)"
        " VALUES (gen_random_uuid(), 1, 't', '')",
    }[verb]
    with connect(module_database.url, role) as conn:
        if (role, verb) == (DbRole.WRITER, "INSERT"):
            conn.execute(statement)
        else:
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute(statement)


@pytest.mark.parametrize("role", [DbRole.RELAY, DbRole.PROJECTOR, DbRole.READER, DbRole.KEYS])
@pytest.mark.parametrize("table", ["events.command_log", "keys.identifier"])
def test_what_the_write_side_keeps_is_read_by_no_other_role(
    module_database: Database, role: DbRole, table: str
) -> None:
    if (role, table) == (DbRole.KEYS, "keys.identifier"):
        return  # erasing a person deletes it there
    with connect(module_database.url, role) as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute(f"SELECT FROM {table}")


def test_an_answer_that_was_given_is_never_changed(module_database: Database) -> None:
    with connect(module_database.url, DbRole.WRITER) as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute("UPDATE events.command_log SET version = 0")


def test_an_event_past_512_kib_is_not_stored(module_database: Database) -> None:
    with connect(module_database.url, DbRole.WRITER) as conn:
        insert = INSERT_ONE.replace("1, 't', ''", "%s, 't', %s")
        conn.execute(insert, (uuid4(), 1, b"x" * 524_288))
        with pytest.raises(errors.CheckViolation):
            conn.execute(insert, (uuid4(), 1, b"x" * 524_289))
        with pytest.raises(errors.CheckViolation):
            conn.execute(insert, (uuid4(), 0, b"x"))


# ── the line is cut when COMMIT is on its way ────────────────────────────────────────────────────────────────────────

CUTS = 60


def until_definite(here: Office, *requests: object) -> Sequence[Answer]:
    """Ask with the same keys until there is an answer, as a good client does."""
    for _ in range(20):
        outcomes = here.do(*requests)  # type: ignore[arg-type]
        if not any(isinstance(outcome, Unavailable) for outcome in outcomes):
            return [answered(outcome) for outcome in outcomes]
        sleep(0.02)
    raise AssertionError("never a definite answer")


def _grows_past(database: Database, before: list[int]) -> bool:
    """Whether, in the moment that a commit needs, another event has come to stand in the store."""
    deadline = monotonic() + 0.05
    while positions(database) == before:
        if monotonic() > deadline:
            return False
        sleep(0.005)
    return True


def test_a_command_whose_commit_was_cut_off_is_done_once_and_answered_the_same(database: Database) -> None:
    durable_unanswered: Counter[Cut] = Counter()
    with proxy_to(database.url) as proxy, office(database.url, store_url=proxy.url) as here:
        until_definite(here, ask(publish_item, ADMIN))
        for number in range(CUTS):
            cut = list(Cut)[number % 3]
            before = positions(database)
            request = ask(PublishItem({**DEFINITION, "nameEn": f"Cut {number}"}), ADMIN)
            proxy.arm(cut)
            [outcome] = here.do(request)
            refused(outcome, Unavailable)
            durable_unanswered[cut] += _grows_past(database, before)
            first = until_definite(here, request)
            committed = positions(database)
            assert until_definite(here, request) == first
            assert positions(database) == committed
            assert len(committed) == number + 2
            assert first[0].version == number + 2
            assert first[0].position == committed[-1]
            assert first[0].events == ("catalogue.ItemPublished",)
        assert proxy.cuts == CUTS
    assert durable_unanswered[Cut.BEFORE_COMMIT] == 0
    assert durable_unanswered[Cut.BEFORE_ANSWER] == CUTS // 3
    assert durable_unanswered[Cut.AFTER_COMMIT] > 0


def test_a_case_whose_filing_was_cut_off_is_filed_once(database: Database) -> None:
    with proxy_to(database.url) as proxy, office(database.url, store_url=proxy.url) as here:
        until_definite(here, ask(publish_item, ADMIN))
        until_definite(here, ask(register_party, CLERK))
        for cut in Cut:
            request = ask(submit_application, CLERK)
            proxy.arm(cut)
            refused(here.do(request)[0], Unavailable)
            [filed] = until_definite(here, request)
            assert filed.created
            assert filed.number
            assert until_definite(here, request) == [filed]
            assert until_definite(here, ask(AcceptApplication(filed.id), ACCEPTOR))[0].version == 3
    assert len(positions(database)) == 2 + 3 * len(Cut)
