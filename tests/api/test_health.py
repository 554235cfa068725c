"""/livez and /readyz, and the lag they are honest about, on real tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb
from starlette.applications import Starlette
from starlette.routing import Route

from tests.api.serving import citizen_id, served, settings_for, tongban
from tests.servers import Database
from tongban.api.health import Readyz, livez
from tongban.infra.database import DbRole, connect
from tongban.infra.lag import Behind, Lag, LagReader
from tongban.infra.metrics import Metrics
from tongban.infra.readiness import KafkaBroker, Readiness
from tongban.infra.settings import Settings


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Three parties are registered: positions 1 to 3, all of the topic of parties."""
    made = settings_for(database, tmp_path)
    with tongban(made) as system:
        for serial in range(3):
            system.register(citizen_id(serial))
    return made


@contextmanager
def reader(settings: Settings, *, has_broker: bool) -> Iterator[LagReader]:
    with (
        connect(settings.database_url, DbRole.WRITER) as events,
        connect(settings.read_url, DbRole.READER) as progress,
    ):
        yield LagReader(events, progress, has_broker=has_broker)


def told(settings: Settings, statement: str, *values: object) -> None:
    with psycopg.connect(settings.admin_database_url) as connection:
        connection.execute(statement, values)


def applied(settings: Settings, topic: str, partition: int, offset: int, position: int) -> None:
    told(
        settings,
        "INSERT INTO consumers.progress (consumer, topic, partition, next_offset, last_position)"
        " VALUES ('projector', %s, %s, %s, %s) ON CONFLICT (consumer, topic, partition)"
        " DO UPDATE SET next_offset = excluded.next_offset, last_position = excluded.last_position",
        topic,
        partition,
        offset,
        position,
    )


def relayed(settings: Settings, position: int, **marks: tuple[int, int]) -> None:
    partitions = {
        f"tongban.party.v1:{name[1:]}": {"prev": at, "offset": offset} for name, (at, offset) in marks.items()
    }
    told(
        settings,
        "UPDATE relay.checkpoint SET position = %s, partitions = %s",
        position,
        Jsonb(partitions),
    )


def test_without_a_broker_lag_is_counted_from_the_store(settings: Settings) -> None:
    with reader(settings, has_broker=False) as lag:
        seen = lag.read(0)
        assert seen.relay is None
        assert seen.consumers["projector"].events == 3
        assert 0 < seen.consumers["projector"].seconds < 60
        applied(settings, "store", 0, 3, 2)
        assert lag.read(1).consumers["projector"].events == 1
        applied(settings, "store", 0, 4, 3)
        assert lag.read(2).consumers["projector"] == Behind()


def test_with_a_broker_relay_and_projection_are_counted_apart(settings: Settings) -> None:
    with reader(settings, has_broker=True) as lag:
        seen = lag.read(0)
        assert seen.relay is not None
        assert seen.relay.events == 3
        assert seen.consumers["projector"] == Behind(), "nothing is on a topic yet"
        relayed(settings, 3, p0=(1, 0), p4=(3, 1))
        seen = lag.read(10)
        assert seen.relay == Behind()
        assert seen.consumers["projector"] == Behind(events=3, seconds=10), "since the last look, at the latest"
        applied(settings, "tongban.party.v1", 0, 1, 1)
        applied(settings, "tongban.party.v1", 4, 1, 2)
        assert lag.read(15).consumers["projector"] == Behind(events=1, seconds=15)
        applied(settings, "tongban.party.v1", 4, 2, 3)
        assert lag.read(16).consumers["projector"] == Behind()


def test_a_consumer_that_keeps_up_with_a_busy_partition_is_never_far_behind(settings: Settings) -> None:
    with reader(settings, has_broker=True) as lag:
        applied(settings, "tongban.party.v1", 0, 0, -1)
        for step in range(1, 20):
            relayed(settings, 3, p0=(step, step - 1))
            seen = lag.read(float(step)).consumers["projector"]
            if step > 1:
                assert seen.seconds <= 2
            applied(settings, "tongban.party.v1", 0, step, step)


def test_an_idle_partition_that_gets_an_event_is_not_behind_since_its_last_one(settings: Settings) -> None:
    with reader(settings, has_broker=True) as lag:
        relayed(settings, 1, p0=(1, 0))
        applied(settings, "tongban.party.v1", 0, 1, 1)
        lag.read(0)
        lag.read(7_000)
        relayed(settings, 3, p0=(3, 1))
        assert lag.read(7_001).consumers["projector"] == Behind(events=1, seconds=1)


def test_parked_streams_are_counted_by_consumer(settings: Settings) -> None:
    told(
        settings,
        "INSERT INTO consumers.parked (consumer, stream, version, position, topic, state, error)"
        " SELECT 'projector', originator_id, 1, notification_id, topic, state, 'x' FROM events.stored_events",
    )
    with reader(settings, has_broker=False) as lag:
        assert lag.read(0).parked == {"projector": 3, "reactor": 0}


def names(readiness: Readiness) -> dict[str, bool]:
    return {check.name: check.ok for check in readiness.look()}


def test_readiness_fails_for_a_projection_past_its_limit_and_says_so(settings: Settings) -> None:
    metrics = Metrics()
    late = settings.model_copy(update={"lag_limit": 0.0})
    readiness = Readiness(late, metrics)
    assert names(readiness) == {"writer": True, "database": True, "projection": False}
    assert "3 events behind" in readiness.checks()[-1].why
    applied(settings, "store", 0, 4, 3)
    assert all(names(readiness).values())
    assert b"tongban_ready 1.0" in metrics.exposition()[0]
    assert b'tongban_consumer_lag_events{consumer="projector"} 0.0' in metrics.exposition()[0]
    readiness.stop()


def test_readiness_fails_without_database_broker_or_writer(settings: Settings, database: Database) -> None:
    gone = settings.model_copy(
        update={"database_url": database.url.replace(database.name, "no_such"), "kafka_bootstrap": "127.0.0.1:1"}
    )
    readiness = Readiness(gone, Metrics(), writer_alive=lambda: False)
    assert names(readiness) == {"writer": False, "database": False, "broker": False}
    readiness.stop()


def test_readiness_comes_back_with_the_database(settings: Settings) -> None:
    readiness = Readiness(settings, Metrics())
    assert names(readiness)["database"]
    told(
        settings,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()",
    )
    assert not names(readiness)["database"]
    assert names(readiness)["database"]
    readiness.stop()


def test_a_broker_that_answers_is_ready(kafka_bootstrap: str) -> None:
    broker = KafkaBroker(kafka_bootstrap)
    broker.ask()
    broker.ask()
    broker.close()


def test_addresses_answer_what_was_seen(settings: Settings) -> None:
    readiness = Readiness(settings.model_copy(update={"lag_limit": 0.0}), Metrics())
    app = Starlette(routes=[Route("/livez", livez), Route("/readyz", Readyz(readiness.checks).answer)])
    with served(app, settings) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/livez").json() == {"status": "live"}
        first = client.get("/readyz")
        assert (first.status_code, first.json()["status"]) == (503, "not ready")
        readiness.start()
        until = time.monotonic() + 10
        while "projection" not in client.get("/readyz").text:
            assert time.monotonic() < until
            time.sleep(0.02)
        late = client.get("/readyz?verbose")
        assert late.status_code == 503
        assert late.json()["reasons"][0].startswith("projection: 3 events behind")
        assert late.json()["checks"]["database"] == {"ok": True}
        assert late.json()["checks"]["projection"]["events"] == 3
        applied(settings, "store", 0, 4, 3)
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert client.get("/readyz").json() == {"status": "ready"}
        readiness.stop()


def test_a_look_that_hangs_is_not_ready(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    readiness = Readiness(settings, Metrics())
    applied(settings, "store", 0, 4, 3)
    assert all(names(readiness).values())
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    assert [check.ok for check in readiness.checks()] == [False]
    monkeypatch.undo()
    readiness.stop()


def test_no_lag_at_all_is_told_for_an_empty_store(database: Database, tmp_path: Path) -> None:
    with reader(settings_for(database, tmp_path), has_broker=False) as lag:
        assert lag.read(0) == Lag(None, {"projector": Behind(), "reactor": Behind()}, {"projector": 0, "reactor": 0})
