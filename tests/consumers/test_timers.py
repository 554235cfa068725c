"""Timers: what is due is given once, by any number of workers, and nothing that is due is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from tests.commands.office import Office, office
from tests.commands.office import running as running_bus
from tests.examples import collect_licence
from tests.running import eventually, running
from tests.servers import Database
from tests.story import Story
from tongban.bootstrap.reacting import give_all_to
from tongban.commands.bus import CommandBus
from tongban.commands.handlers import HANDLERS
from tongban.commands.requests import KeyInFlight
from tongban.consumers.failures import TransientFailure
from tongban.consumers.metrics import TimerMetrics
from tongban.consumers.orders import Order
from tongban.consumers.timers import Timers, list_refused, retry_timers
from tongban.domain.actor import Role
from tongban.domain.case.commands import RecomputeDeadlines
from tongban.domain.case.events import MaterialsReceived
from tongban.domain.case.guards import APPLICANT_CORRECTION, CORRECTION, TOLERATED
from tongban.domain.case.state import Status
from tongban.domain.errors import EffectiveTimeBeforeCause, EffectiveTimeInFuture, NotYours, StaleVersion
from tongban.domain.licence.commands import CollectLicence
from tongban.domain.timers import CLOCK_TIMERS, TIMERS, after, timer_command
from tongban.infra.database import DbRole, connect
from tongban.projections.cases import CaseRow, fold
from tongban.projections.timers import TimerRow, timer_rows, timers_of

PAST = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
COLLECT = "COLLECT"


def collect(licence: UUID) -> CollectLicence:
    return replace(collect_licence, licence_id=licence)


@dataclass
class Given:
    """A write side that notes what it is given; `outcomes` are what it answers first, by stream."""

    orders: list[Order] = field(default_factory=list)
    outcomes: dict[UUID, list[Exception | None]] = field(default_factory=dict)

    def __call__(self, orders: Sequence[Order]) -> list[Exception | None]:
        self.orders += orders
        return [
            waiting.pop(0) if (waiting := self.outcomes.get(order.command.licence_id)) else None for order in orders
        ]


def arm(database: Database, *rows: tuple[UUID, str, datetime]) -> None:
    """Rows of the read table, as the projector would write them."""
    with psycopg.connect(database.admin_url) as conn, conn.cursor() as cursor:
        cursor.executemany("INSERT INTO read.timer VALUES (%s, %s, %s)", rows)


def notes(database: Database) -> dict[UUID, tuple[bool, str | None]]:
    """Stream → whether it was answered, and why it was refused."""
    with psycopg.connect(database.admin_url) as conn:
        rows = conn.execute("SELECT stream, answered_at IS NOT NULL, problem FROM consumers.due_timer").fetchall()
    return {stream: (answered, problem) for stream, answered, problem in rows}


def timers(database: Database, give: Any, **more: Any) -> Timers:
    metrics = TimerMetrics(CollectorRegistry())
    return Timers(
        database_url=database.url, give=give, metrics=metrics, **{"timers": {COLLECT: collect}, "poll": 0.02, **more}
    )


def turn(database: Database, worker: Timers) -> int:
    with connect(database.url, DbRole.PROJECTOR) as conn:
        return worker.turn(conn)


@pytest.fixture
def bus(database: Database) -> Iterator[CommandBus]:
    with office(database.url) as here, running_bus(here.batch) as started:
        register_holder(here)
        yield started


def register_holder(here: Office) -> None:
    here.open_case()


def collected(database: Database) -> Counter[UUID]:
    with psycopg.connect(database.admin_url) as conn:
        rows = conn.execute(
            "SELECT originator_id FROM events.stored_events WHERE topic = 'licence.LicenceCollected'"
        ).fetchall()
    return Counter(row[0] for row in rows)


# ── when, and what ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_due_is_given_once_in_the_name_of_its_timer_and_what_is_not_waits(database: Database) -> None:
    due, later, strange = uuid4(), uuid4(), uuid4()
    arm(database, (due, COLLECT, PAST), (later, COLLECT, datetime(2999, 1, 1, tzinfo=UTC)), (strange, "OTHER", PAST))
    given = Given()
    worker = timers(database, given)
    assert [turn(database, worker) for _ in range(3)] == [1, 0, 0]
    [order] = given.orders
    assert order == Order(collect(due), "timer:COLLECT", timer_command(due, COLLECT, PAST), PAST)
    assert notes(database) == {due: (True, None)}


def test_a_moment_may_be_named_in_place_of_the_databases(database: Database) -> None:
    stream = uuid4()
    arm(database, (stream, COLLECT, datetime(2999, 1, 1, tzinfo=UTC)))
    given = Given()
    assert turn(database, timers(database, given, now=lambda: datetime(2998, 12, 31, tzinfo=UTC))) == 0
    assert turn(database, timers(database, given, now=lambda: datetime(2999, 1, 2, tzinfo=UTC))) == 1


def test_a_timer_that_is_due_at_another_moment_is_given_again(database: Database) -> None:
    stream, given = uuid4(), Given()
    arm(database, (stream, COLLECT, PAST))
    worker = timers(database, given)
    assert turn(database, worker) == 1
    with psycopg.connect(database.admin_url) as conn:
        conn.execute("UPDATE read.timer SET due_at = due_at + interval '1 day'")
    assert turn(database, worker) == 1
    assert len({order.id for order in given.orders}) == 2


def test_what_is_done_within_the_grace_is_not_given(database: Database) -> None:
    done, open_ = uuid4(), uuid4()
    arm(database, (done, COLLECT, PAST), (open_, COLLECT, PAST))
    given = Given()
    worker = timers(database, given, grace=60)
    assert turn(database, worker) == 0
    with psycopg.connect(database.admin_url) as conn:
        conn.execute("DELETE FROM read.timer WHERE stream = %s", (done,))
        conn.execute("UPDATE consumers.due_timer SET found_at = found_at - interval '61 seconds'")
    assert turn(database, worker) == 1
    assert notes(database) == {open_: (True, None)}


def test_the_id_does_not_depend_on_the_time_zone_of_the_session() -> None:
    stream = uuid4()
    elsewhere = PAST.astimezone(after(date(2026, 3, 2)).tzinfo)
    assert timer_command(stream, COLLECT, PAST) == timer_command(stream, COLLECT, elsewhere)
    assert after(date(2026, 3, 2)) == PAST


@pytest.mark.parametrize(
    "outcome",
    [TransientFailure("full"), StaleVersion(), KeyInFlight(), EffectiveTimeInFuture()],
    ids=lambda outcome: type(outcome).__name__,
)
def test_what_cannot_be_taken_now_is_given_again_and_a_clock_that_was_set_back_stops_nothing(
    database: Database, outcome: Exception
) -> None:
    slow, quick = uuid4(), uuid4()
    arm(database, (slow, COLLECT, PAST), (quick, COLLECT, PAST + timedelta(hours=1)))
    given = Given(outcomes={slow: [outcome, outcome]})
    worker = timers(database, given)
    assert [turn(database, worker) for _ in range(4)] == [1, 0, 1, 0]
    assert Counter(order.command.licence_id for order in given.orders) == {slow: 3, quick: 1}
    assert notes(database) == {slow: (True, None), quick: (True, None)}


def test_where_someone_acted_after_it_was_due_the_command_takes_effect_now(database: Database) -> None:
    stream = uuid4()
    arm(database, (stream, COLLECT, PAST))
    given = Given(outcomes={stream: [EffectiveTimeBeforeCause()]})
    assert turn(database, timers(database, given)) == 1
    assert [order.effective_at for order in given.orders] == [PAST, None]
    assert len({order.id for order in given.orders}) == 1


@pytest.mark.parametrize(
    ("outcome", "problem"), [(NotYours(), "not-yours"), (ZeroDivisionError("x"), "ZeroDivisionError")]
)
def test_a_refused_timer_is_noted_holds_up_none_and_can_be_given_again(
    database: Database, outcome: Exception, problem: str
) -> None:
    bad, good = uuid4(), uuid4()
    arm(database, (bad, COLLECT, PAST), (good, COLLECT, PAST))
    given = Given(outcomes={bad: [outcome]})
    worker = timers(database, given)
    assert [turn(database, worker) for _ in range(3)] == [2, 0, 0]
    assert notes(database) == {bad: (True, problem), good: (True, None)}
    with connect(database.url, DbRole.PROJECTOR) as conn:
        assert [(row.stream, row.kind, row.problem) for row in list_refused(conn)] == [(bad, COLLECT, problem)]
        assert retry_timers(conn, uuid4()) == 0
        assert retry_timers(conn, bad) == 1
    assert turn(database, worker) == 1
    assert notes(database)[bad] == (True, None)


# ── exactly once ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_many_timers_and_workers_give_each_effect_once(database: Database, bus: CommandBus) -> None:
    licences = [uuid4() for _ in range(600)]
    arm(database, *((licence, COLLECT, PAST) for licence in licences))
    workers = [timers(database, give_all_to(bus), at_once=50) for _ in range(3)]
    with running(workers[0].run), running(workers[1].run), running(workers[2].run):
        eventually(lambda: sum(answered for answered, _ in notes(database).values()) == len(licences))
    assert collected(database) == Counter(licences)


def test_a_worker_that_dies_after_the_commit_and_before_its_note_leaves_one_effect(
    database: Database, bus: CommandBus
) -> None:
    licences = [uuid4() for _ in range(5)]
    arm(database, *((licence, COLLECT, PAST) for licence in licences))
    give_all = give_all_to(bus)

    def die(orders: Sequence[Order]) -> list[Exception | None]:
        give_all(orders)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turn(database, timers(database, die))
    assert collected(database) == Counter(licences)
    assert not any(answered for answered, _ in notes(database).values())
    assert turn(database, timers(database, give_all)) == 5
    with psycopg.connect(database.admin_url) as conn:
        conn.execute("DELETE FROM consumers.due_timer")
        conn.execute("DELETE FROM events.command_log")
    assert turn(database, timers(database, give_all)) == 5, "a note that was lost, and an answer that was forgotten"
    assert collected(database) == Counter(licences)


def test_a_lost_session_is_opened_again(database: Database) -> None:
    first, second, given = uuid4(), uuid4(), Given()
    worker = timers(database, given)
    arm(database, (first, COLLECT, PAST))
    stop = threading.Event()
    with running(lambda _: worker.run(stop)):
        eventually(lambda: len(given.orders) == 1)
        with psycopg.connect(database.admin_url, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        arm(database, (second, COLLECT, PAST))
        eventually(lambda: len(given.orders) == 2)
        stop.set()


def test_notes_are_forgotten_when_nothing_arms_them_any_more(database: Database) -> None:
    gone, kept, refused = uuid4(), uuid4(), uuid4()
    arm(database, *((stream, COLLECT, PAST) for stream in (gone, kept, refused)))
    given = Given(outcomes={refused: [NotYours()]})
    turn(database, timers(database, given))
    with psycopg.connect(database.admin_url) as conn:
        conn.execute("DELETE FROM read.timer WHERE stream <> %s", (kept,))
        conn.execute("UPDATE consumers.due_timer SET answered_at = answered_at - interval '31 days'")
    stop = threading.Event()
    with running(lambda _: timers(database, given).run(stop)):
        eventually(lambda: set(notes(database)) == {kept, refused})
        stop.set()


# ── what arms them ───────────────────────────────────────────────────────────────────────────────────────────────────


def clock(due: str, **changes: Any) -> Mapping[str, Any]:
    return {"due": due, "stopped": None, "pauses": [], **changes}


def test_a_running_clock_arms_the_midnight_after_its_last_day() -> None:
    stream = uuid4()
    clocks = {"CORRECTION": clock("2026-03-02"), "LEGAL": clock("2026-03-20")}
    assert list(timers_of(stream, clocks, ["CORRECTION", "TOLERATED"])) == [TimerRow(stream, "CORRECTION", PAST)]


@pytest.mark.parametrize(
    "change",
    [{"stopped": "2026-03-01"}, {"pauses": [{"end": "2026-02-27"}, {"end": None}]}],
    ids=["stopped", "paused"],
)
def test_a_clock_that_was_met_or_stands_still_arms_nothing(change: dict[str, Any]) -> None:
    assert list(timers_of(uuid4(), {"CORRECTION": clock("2026-03-02", **change)}, ["CORRECTION"])) == []
    resumed = clock("2026-03-02", pauses=[{"end": "2026-02-27"}])
    assert len(list(timers_of(uuid4(), {"CORRECTION": resumed}, ["CORRECTION"]))) == 1


@pytest.fixture(scope="module")
def filed() -> CaseRow:
    """A case as the read table has it right after it came in."""
    story = Story(seed=3)
    story.publish_all()
    story.day(5)
    row: CaseRow | None = None
    received = next(e for e in story.events if isinstance(e.event, MaterialsReceived))
    for recorded in story.events:
        if (
            recorded.envelope.stream == received.envelope.stream
            and recorded.envelope.version <= received.envelope.version
        ):
            row = fold(row, recorded)
    assert row is not None
    return row


def test_a_case_that_came_in_is_accepted_by_law_after_its_last_day(filed: CaseRow) -> None:
    [row] = timer_rows(filed)
    due = date.fromisoformat(filed.clocks["CORRECTION"]["due"])
    assert row == TimerRow(filed.id, "CORRECTION", after(due))


def test_a_renewal_is_looked_at_when_the_licence_has_expired_and_the_case_is_under_review(filed: CaseRow) -> None:
    renewal = filed._replace(clocks={}, renews_until=date(2026, 3, 2))
    assert list(timer_rows(renewal)) == []
    assert list(timer_rows(renewal._replace(status=Status.ACCEPTED))) == [TimerRow(filed.id, "RENEWAL", PAST)]
    assert list(timer_rows(renewal._replace(status=Status.GRANTED))) == []


def test_every_timer_gives_a_command_that_only_the_system_may_give() -> None:
    for kind, command in {**TIMERS, "calendar": RecomputeDeadlines}.items():
        handler = HANDLERS[type(command(uuid4())).__name__]
        assert (handler.roles, handler.public) == (frozenset({Role.SYSTEM}), False), kind
    assert set(CLOCK_TIMERS) == {CORRECTION, APPLICANT_CORRECTION, TOLERATED}
