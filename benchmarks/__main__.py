"""Run every benchmark; progress on stderr, one JSON document on stdout. Names as arguments run only those."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable

import orjson

from benchmarks import commands, decisions, flow, http, latency
from benchmarks.figures import Figure, say
from benchmarks.servers import Servers, servers
from tongban.infra.logs import configure

BENCHMARKS: dict[str, Callable[[Servers], list[Figure]]] = {
    "commands": commands.run,
    "flow": flow.run,
    "http": http.run,
    "latency": latency.run,
}
NEED_KAFKA = {"flow", "latency"}
WITHOUT_SERVERS: dict[str, Callable[[], list[Figure]]] = {"decisions": decisions.run}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    every = [*WITHOUT_SERVERS, *BENCHMARKS]
    if unknown := [name for name in names if name not in every]:
        raise SystemExit(f"benchmarks: there is no {', '.join(unknown)}; there are {', '.join(every)}")
    configure("WARNING")  # stdout is for the JSON
    figures: list[Figure] = []
    left_out: dict[str, str] = {}
    for name, run_alone in WITHOUT_SERVERS.items():
        if not names or name in names:
            say(f"{name} …")
            figures += run_alone()
    for name, run in BENCHMARKS.items():
        if names and name not in names:
            continue
        with servers() as started:
            if name in NEED_KAFKA and started.missing:
                left_out[name] = started.missing
                continue
            say(f"{name} …")
            figures += run(started)
    report = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "figures": [figure.as_json() for figure in figures],
        "left_out": left_out,
    }
    sys.stdout.buffer.write(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
