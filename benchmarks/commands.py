"""Durable in-process commands, held against single-row inserts of the same size by pgbench in the same run."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from queue import SimpleQueue

import psycopg

from benchmarks.cases import answer_of, filings, prepare, steps
from benchmarks.figures import Figure, at_least, say, timed
from benchmarks.servers import DATABASE, Servers
from tongban.commands.bus import CommandBus
from tongban.commands.requests import Answer, Outcome, Request
from tongban.infra.collector import collect_rarely
from tongban.infra.embedded.postgres import SUPERUSER
from tongban.infra.write_side import open_write_side

CASES = 4_000
IN_FLIGHT = 1024
CLIENTS = 32
SECONDS = 8
SHARE = 0.9

_TABLE = "CREATE TABLE IF NOT EXISTS public.plain (LIKE events.stored_events INCLUDING ALL)"
# A row as large as the average event of the run.
_INSERT = """
INSERT INTO public.plain (originator_id, originator_version, topic, state)
VALUES (gen_random_uuid(), 1, 'case.OpinionRecorded', decode(repeat('ab', {size}), 'hex'));
"""


def run(servers: Servers) -> list[Figure]:
    """Commands of the straight path, many in flight, between two runs of pgbench."""
    collect_rarely()  # as the API does
    before = inserts(servers)
    say(f"  pgbench: {before:,.0f} inserts/s")
    rates = commands(servers)
    after = inserts(servers)
    say(f"  pgbench: {after:,.0f} inserts/s")
    count, seconds = sum(count for count, _ in rates), sum(seconds for _, seconds in rates)
    reference = (before + after) / 2
    compared = f"pgbench single-row inserts, {CLIENTS} clients, same table shape, row size and durability"
    return [at_least("durable in-process commands", count / seconds, "commands/s", compared, reference, SHARE)]


def commands(servers: Servers) -> list[tuple[int, float]]:
    """(commands, seconds) of each step of the straight path."""
    write_side = open_write_side(servers.settings)
    people = prepare(write_side.batch)
    limits = servers.settings
    bus = CommandBus(write_side.batch, batch_limit=limits.batch_limit, queue_limit=limits.queue_limit)
    bus.start()
    try:
        give(bus, filings(people, 512))
        rates = []
        answers, took = give(bus, filings(people, CASES))
        rates.append((CASES, took))
        say(f"  SubmitApplication: {CASES / took:,.0f}/s")
        for requests in steps([answer.id for answer in answers]):
            _, took = give(bus, requests)
            rates.append((len(requests), took))
            say(f"  {requests[0].name}: {len(requests) / took:,.0f}/s")
        return rates
    finally:
        bus.stop()
        write_side.close()


def give(bus: CommandBus, requests: Sequence[Request]) -> tuple[list[Answer], float]:
    """Give all commands, IN_FLIGHT at a time; their answers in order, and the seconds until the last."""
    answered: SimpleQueue[Outcome] = SimpleQueue()
    outcomes: list[Outcome] = []
    with timed() as took:
        # Outcomes come in the order of the commands: one thread decides them, and this one alone submits.
        for request in requests[:IN_FLIGHT]:
            bus.submit(request, answered.put)
        for request in requests[IN_FLIGHT:]:
            outcomes.append(answered.get())
            bus.submit(request, answered.put)
        outcomes += [answered.get() for _ in requests[:IN_FLIGHT]]
    return [answer_of(outcome) for outcome in outcomes], took[0]


def inserts(servers: Servers) -> float:
    """Single-row inserts a second by pgbench."""
    with psycopg.connect(servers.admin_url, autocommit=True) as conn:
        conn.execute(_TABLE)
        row = conn.execute("SELECT coalesce(avg(octet_length(state)), 1100)::int FROM events.stored_events").fetchone()
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_INSERT.format(size=row[0] if row else 1100))
        script.flush()
        command = [
            *(str(servers.postgres.program("pgbench")), "--no-vacuum", "--file", script.name),
            *("--client", str(CLIENTS), "--jobs", "2", "--time", str(SECONDS)),
            servers.postgres.url(SUPERUSER, DATABASE),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps = "))
    return float(line.split()[2])
