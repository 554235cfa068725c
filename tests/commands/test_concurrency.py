"""Many callers, two processes: nothing accepted is lost or doubled, and no stream has a hole."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from hashlib import sha256
from uuid import UUID

import psycopg
import pytest

from tests.commands.office import Office
from tests.commands.storm import Tally, storm_elsewhere
from tests.servers import Database
from tongban.domain.registry import AGGREGATES
from tongban.infra.event_codec import decode


def check_the_store(database: Database) -> Counter[UUID]:
    """Every stream has versions 1 … n, an unbroken chain, and holders that follow from its events. Events by stream."""
    with psycopg.connect(database.admin_url) as conn:
        rows = conn.execute(
            "SELECT originator_id, originator_version, notification_id, state FROM events.stored_events"
            " ORDER BY notification_id"
        ).fetchall()
    versions: Counter[UUID] = Counter()
    tips: dict[UUID, str] = {}
    states: dict[UUID, object] = {}
    for stream, version, position, state in rows:
        recorded = decode(bytes(state), position)
        versions[stream] += 1
        assert version == recorded.envelope.version == versions[stream]
        assert recorded.envelope.prev == tips.get(stream)
        tips[stream] = sha256(state).hexdigest()
        aggregate = AGGREGATES[recorded.envelope.type.split(".")[0]]
        before = states.get(stream, aggregate.initial)
        states[stream] = aggregate.evolve(before, recorded.event, recorded.envelope.effective_at)
        assert recorded.envelope.holders == aggregate.holders(states[stream])
    return versions


@pytest.mark.parametrize(("cases", "commands"), [(1, 40), (50, 60)])
def test_two_processes_with_16_callers_each_lose_and_double_nothing(
    database: Database, here: Office, cases: int, commands: int
) -> None:
    opened = [here.open_case() for _ in range(cases)]
    before = check_the_store(database)
    context = multiprocessing.get_context("spawn")
    go, told = context.Event(), context.Queue()
    processes = [
        context.Process(target=storm_elsewhere, args=(database.url, opened, f"p{n}", commands, go, told))
        for n in range(2)
    ]
    for process in processes:
        process.start()
    go.set()
    total = Tally()
    for _ in processes:
        total.add(told.get(timeout=120))
    for process in processes:
        process.join(timeout=30)
        assert process.exitcode == 0
    assert total.defects == []
    assert total.accepted + total.refused == total.sent == 32 * commands
    assert total.accepted > 32
    after = check_the_store(database)
    assert after - before == +total.events
    with psycopg.connect(database.admin_url) as conn:
        logged = conn.execute("SELECT count(*) FROM events.command_log").fetchone()
    assert logged == (total.accepted + 3 * cases,)
