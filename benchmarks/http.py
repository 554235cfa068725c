"""HTTP commands a second: applications of many citizens over connections that stay open, from this process."""

from __future__ import annotations

import asyncio
import gc
import time
from uuid import uuid4

import orjson
import uvloop

from benchmarks.cases import FORM, ITEM
from benchmarks.client import connect, post
from benchmarks.figures import Figure, at_least, say
from benchmarks.processes import Running, running
from benchmarks.servers import Servers

CONNECTIONS = 64
REQUESTS = 20_000
WARM_UP = 2_000
GOAL = 2_000.0


def run(servers: Servers) -> list[Figure]:
    """Only the API runs, so that its rate is not that of the processes behind it."""
    with running(servers, "api") as system:
        uvloop.run(drive(system, WARM_UP))
        rate = uvloop.run(drive(system, REQUESTS))
    say(f"  http: {rate:,.0f} commands/s")
    return [at_least("HTTP commands", rate, "commands/s", "the limit of the design", GOAL)]


def filing(system: Running, number: int) -> bytes:
    """The bytes of one application."""
    person = number % len(system.people)
    body = orjson.dumps(
        {
            "item": ITEM,
            "applicant": system.people[person],
            "channel": "WEB",
            "answers": {},
            "form": FORM,
            # What a source or an upload has to be looked up for costs more, and is not what is measured here.
            "materials": [{"material": "form", "how": "FORM_PREFILL", "ref": None}],
        }
    )
    return post("/commands/SubmitApplication", system.tokens[person], body, f"Idempotency-Key: {uuid4()}")


async def drive(system: Running, count: int) -> float:
    """Commands a second; every one must be answered 201."""
    requests = [filing(system, number) for number in range(count)]
    waiting = iter(requests)

    async def worker() -> None:
        connection = await connect(system.port)
        for request in waiting:
            reply = await connection.ask(request)
            if reply.status != 201:
                raise RuntimeError(f"answered {reply.status}: {reply.body[:300]!r}")
        connection.close()

    gc.collect()
    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - started)
