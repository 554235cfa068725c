"""Tongban's own processes, as they run in production, for the benchmarks that measure from outside."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.cases import prepare
from benchmarks.servers import Servers
from tongban.domain.actor import Role
from tongban.infra.embedded import ports
from tongban.infra.embedded.process import Child
from tongban.infra.issuer import Issuer
from tongban.infra.write_side import open_write_side


@dataclass(frozen=True, slots=True)
class Running:
    """The API's port, the people that are registered, and a token for each."""

    port: int
    people: list[str]
    tokens: list[str]


@contextmanager
def running(servers: Servers, *names: str) -> Iterator[Running]:
    """The named processes, ready, with the catalogue published and people registered."""
    write_side = open_write_side(servers.settings)
    people = [str(person) for person in prepare(write_side.batch)]
    write_side.close()
    issuer = Issuer(servers.settings)
    tokens = [issuer.issue(Role.CITIZEN, person, ttl=7200) for person in people]
    port = ports.free_ports(1)[0]
    env = {
        **os.environ,
        "TONGBAN_DATABASE_URL": servers.settings.database_url,
        "TONGBAN_KAFKA_BOOTSTRAP": servers.settings.kafka_bootstrap if "relay" in names else "",
        "TONGBAN_DATA": str(servers.settings.data),
        "TONGBAN_PORT": str(port),
        **{f"TONGBAN_SIMULATED_{share}": "0" for share in ("MISSING", "FAILING", "SLOW")},
    }
    with ExitStack() as stack:
        for name in names:
            child = Child([sys.executable, "-m", "tongban", name], log=servers.settings.data / f"{name}.log", env=env)
            stack.callback(child.stop, 5.0)
        _wait(f"http://127.0.0.1:{port}/{'readyz' if 'project' in names else 'livez'}")
        yield Running(port, people, tokens)


def _wait(address: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"{address} does not answer")
