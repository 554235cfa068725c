"""SIGKILL of any one process at any moment, under load: nothing acknowledged is lost, nothing is there twice.

KILLS (default 2) is how often each process is killed; `make chaos` sets 20.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import httpx
import orjson
import psycopg
import pytest

from tests.chaos.load import Load
from tests.chaos.truth import every_acknowledged_command_is_there_once, every_event_reached_its_topic_in_order
from tests.system import DATABASE, System, random_kills, running_system
from tongban.domain.actor import Role
from tongban.infra.embedded.postgres import SUPERUSER
from tongban.infra.issuer import Issuer
from tongban.infra.settings import Settings

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.integration, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(10**6))))
CALLERS = 6
PERSON = "11010519491231002X"


@pytest.fixture
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Everything running, for one test."""
    with running_system(request) as running:
        yield running


def token(system: System, role: str, subject: str, department: str | None) -> str:
    """A token of the system's own issuer."""
    settings = Settings(data=system.folder)
    return Issuer(settings).issue(Role(role), subject, department=department, ttl=7200)


def begin(system: System) -> Load:
    """Register the applicant and set the callers to work."""
    body = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": PERSON, "name": "金丝雀"}
    headers = {
        "Authorization": f"Bearer {token(system, 'clerk', 'clerk-1', 'nr')}",
        "Idempotency-Key": "6f6b9a0e-5b0a-4c39-8f3a-0c7a1f6d1a11",
    }
    answer = httpx.post(f"{system.url}/commands/RegisterParty", json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    load = Load(system.url, lambda *who: token(system, *who), answer.json()["id"])
    load.start(CALLERS)
    return load


def check(system: System, load: Load) -> None:
    """Let the callers finish, wait until everything is projected, and look at everything."""
    load.finish()
    system.wait_ready()
    settle(system)
    assert load.refused == []
    assert load.acknowledged
    admin = system.postgres.url(SUPERUSER, DATABASE)
    every_acknowledged_command_is_there_once(admin, load.acknowledged)
    counts = every_event_reached_its_topic_in_order(admin, system.kafka.bootstrap)
    system.run("verify")
    report = system.run("rebuild", "--check", "--json")
    with psycopg.connect(admin) as conn:
        parked = conn.execute("SELECT count(*) FROM consumers.parked").fetchone()
    assert parked == (0,), "events were parked"
    print(f"seed {SEED}: {len(load.acknowledged)} commands, {load.retries} retries, {dict(counts)}, {system.deaths}")
    assert orjson.loads(report.splitlines()[-1])["equal"] is True


def settle(system: System, seconds: float = 120.0) -> None:
    """Wait until relay and consumers have reached the newest event, and policies ask for nothing more."""
    deadline = time.monotonic() + seconds
    seen: list[tuple[int, ...]] = []
    while time.monotonic() < deadline:
        with psycopg.connect(system.postgres.url(SUPERUSER, DATABASE)) as conn:
            row = conn.execute(
                "SELECT coalesce(max(notification_id), 0),"
                " (SELECT position FROM relay.checkpoint WHERE name = 'main'),"
                " (SELECT max(last_position) FROM consumers.progress WHERE consumer = 'projector'),"
                " (SELECT max(last_position) FROM consumers.progress WHERE consumer = 'reactor')"
                " FROM events.stored_events"
            ).fetchone()
        assert row is not None
        seen.append(tuple(row))
        if len(set(row)) == 1 and len(seen) > 5 and len(set(seen[-5:])) == 1:
            return
        time.sleep(0.3)
    raise AssertionError(f"newest event, relay, projector, reactor stand at {seen[-1]}; logs are in {system.folder}")


def test_killing_each_process_at_random_loses_nothing_and_doubles_nothing(system: System) -> None:
    rng = random.Random(SEED)
    load = begin(system)
    for victim in random_kills(rng, KILLS):
        time.sleep(rng.uniform(0.3, 1.5))
        system.kill(victim)
    assert set(system.deaths.values()) == {KILLS}
    check(system, load)


def test_an_empty_broker_in_place_of_the_old_one_gets_everything_again(system: System) -> None:
    load = begin(system)
    time.sleep(3)
    system.replace_broker()
    time.sleep(3)
    system.kill("kafka")
    time.sleep(2)
    check(system, load)


def test_a_second_relay_and_one_that_was_stopped_yield_repeats_at_worst(system: System) -> None:
    load = begin(system)
    system.add("relay-2")
    system.add("project-2")
    for _ in range(max(2, KILLS // 4)):
        time.sleep(1)
        with system.paused("relay"):
            time.sleep(2)
        with system.paused("project"):
            time.sleep(2)
    check(system, load)
