"""From the sending of a command until GraphQL shows it, with everything running, at a steady 200 commands a second."""

from __future__ import annotations

import asyncio
import time
from statistics import quantiles

import orjson
import uvloop

from benchmarks.client import Connection, connect, post
from benchmarks.figures import Figure, at_most, say
from benchmarks.http import filing
from benchmarks.processes import Running, running
from benchmarks.servers import Servers

RATE = 200
SECONDS = 20
WARM_UP_SECONDS = 5
# Every fifth command is looked for: looking is not part of the load that is measured.
LOOK_AT_EVERY = 5
P50_MS, P99_MS = 100.0, 400.0

_QUERY = "query($id: ID!, $v: Int) { case(id: $id, minVersion: $v) { number version } }"


def run(servers: Servers) -> list[Figure]:
    """The figures at the middle and at the far end."""
    with running(servers, "api", "relay", "project", "react") as system:
        uvloop.run(drive(system, WARM_UP_SECONDS))
        seen = uvloop.run(drive(system, SECONDS))
    cuts = quantiles(seen, n=100)
    say(f"  latency: p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms of {len(seen)} looks")
    compared = f"the limit of the design, at {RATE} commands/s"
    return [
        at_most("command → visible in GraphQL, p50", cuts[49], "ms", compared, P50_MS),
        at_most("command → visible in GraphQL, p99", cuts[98], "ms", compared, P99_MS),
    ]


async def drive(system: Running, seconds: int) -> list[float]:
    """Send at the rate, whatever the answers take; milliseconds until GraphQL showed what was looked for."""
    idle: list[Connection] = [await connect(system.port) for _ in range(96)]
    requests = [filing(system, number) for number in range(RATE * seconds)]
    seen: list[float] = []

    async def one(number: int, request: bytes) -> None:
        connection = idle.pop() if idle else await connect(system.port)
        sent = time.perf_counter()
        reply = await connection.ask(request)
        if reply.status != 201:
            raise RuntimeError(f"answered {reply.status}: {reply.body[:300]!r}")
        if number % LOOK_AT_EVERY == 0:
            told = orjson.loads(reply.body)
            await look(connection, system.tokens[number % len(system.tokens)], told["id"], told["version"])
            seen.append((time.perf_counter() - sent) * 1000)
        idle.append(connection)

    started = time.perf_counter()
    tasks = []
    for number, request in enumerate(requests):
        await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, request)))
    await asyncio.gather(*tasks)
    for connection in idle:
        connection.close()
    return seen


async def look(connection: Connection, token: str, case: str, version: int) -> None:
    """Ask until the case is shown at this version."""
    body = orjson.dumps({"query": _QUERY, "variables": {"id": case, "v": version}})
    request = post("/graphql", token, body, "Accept: application/json")
    while True:
        reply = await connection.ask(request)
        told = orjson.loads(reply.body)
        if (told.get("data") or {}).get("case"):
            return
        if reply.status != 200:
            raise RuntimeError(f"GraphQL answered {reply.status}: {reply.body[:300]!r}")
