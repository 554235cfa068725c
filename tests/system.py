"""The whole system as processes of its own, each of which a test may kill, stop, continue or wipe at any moment."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import without_kafka
from tests.servers import LOGIN, TEST_SETTINGS, NoKafkaError
from tongban.infra.embedded import kafka_jars, ports
from tongban.infra.embedded.kafka import Kafka
from tongban.infra.embedded.postgres import SUPERUSER, Postgres
from tongban.infra.embedded.process import Child

DATABASE = "tongban"
PROCESSES = ("api", "relay", "project", "react")
SERVERS = ("postgres", "kafka")
SOURCES_THAT_ANSWER = {f"TONGBAN_SIMULATED_{share}": "0" for share in ("MISSING", "FAILING", "SLOW")}
RESTART_PAUSE = 0.2
READY_SECONDS = 120.0


class System:
    """PostgreSQL, Kafka, api, relay, project and react; what dies is started again after a short pause."""

    def __init__(self, folder: Path) -> None:
        """Everything lives below `folder`, whose path is short enough for a unix socket."""
        self.folder = folder
        self.port = ports.free_ports(1)[0]
        self.postgres = Postgres(folder / "pg", log=folder / "postgres.log", settings=TEST_SETTINGS)
        self.kafka = Kafka(folder / "kafka", log=folder / "kafka.log", cache=kafka_jars.shared_cache())
        self.children: dict[str, Child] = {}
        self.held: set[str] = set()
        self.deaths: dict[str, int] = dict.fromkeys((*PROCESSES, *SERVERS), 0)
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """The database, as the processes' login."""
        return self.postgres.url(LOGIN, DATABASE)

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process."""
        return {
            **os.environ,
            "TONGBAN_DATABASE_URL": self.database_url,
            "TONGBAN_ADMIN_DATABASE_URL": self.postgres.url(SUPERUSER, DATABASE),
            "TONGBAN_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "TONGBAN_PORT": str(self.port),
            "TONGBAN_DATA": str(self.folder),
            **SOURCES_THAT_ANSWER,
            # What is entered late, step by step, is not overtaken by what the law makes of silence.
            "TONGBAN_TIMER_GRACE": "60",
        }

    def start(self) -> None:
        """Start everything and wait until the API is ready."""
        for server in (self.postgres, self.kafka):
            server.start()
        for server in (self.postgres, self.kafka):
            server.wait_ready()
        self.postgres.ensure_database(DATABASE)
        self.run("migrate")
        for name in PROCESSES:
            self._start(name)
        self._watcher.start()
        self.wait_ready()

    def stop(self) -> None:
        """Stop everything."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        for child in self.children.values():
            child.send(signal.SIGCONT)
            child.stop(5.0)
        self.kafka.stop(2.0)
        self.postgres.stop(5.0)

    def run(self, *command: str) -> str:
        """One tool of the command line, to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tongban", *command], env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"tongban {' '.join(command)}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def kill(self, name: str) -> None:
        """SIGKILL one of the processes or servers, once it lives; the watcher starts it again."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with self._lock:
                child = self._child(name)
                if child is not None and child.alive:
                    child.send(signal.SIGKILL)
                    self.deaths[name] += 1
                    return
            time.sleep(RESTART_PAUSE)
        raise AssertionError(f"{name} does not come back to life; logs are in {self.folder}")

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """SIGSTOP a process, and let it go on afterwards."""
        child = self._child(name)
        assert child is not None
        child.send(signal.SIGSTOP)
        try:
            yield
        finally:
            child.send(signal.SIGCONT)

    def replace_broker(self) -> None:
        """Kill the broker and put an empty one in its place: all topics are gone."""
        with self._lock:
            assert self.kafka.child is not None
            self.kafka.child.send(signal.SIGKILL)
            self.kafka.stop(0.0)
            for found in (self.folder / "kafka").iterdir():
                if found.is_dir() and not found.name.startswith("jars"):
                    shutil.rmtree(found)
            self.kafka.start()
            self.deaths["kafka"] += 1
        self.kafka.wait_ready()

    def wait_ready(self) -> None:
        """Wait until /readyz says so."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            assert time.monotonic() < deadline, f"not ready within {READY_SECONDS} s; logs are in {self.folder}"
            time.sleep(0.2)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _child(self, name: str) -> Child | None:
        if name == "postgres":
            return self.postgres.child
        if name == "kafka":
            return self.kafka.child
        return self.children.get(name)

    def _start(self, name: str) -> None:
        command = [sys.executable, "-m", "tongban", name.partition("-")[0]]
        self.children[name] = Child(command, log=self.folder / f"{name}.log", env=self.env)

    def add(self, name: str) -> None:
        """One more process, named such as `relay-2`."""
        with self._lock:
            self._start(name)
            self.deaths[name] = 0

    def _watch(self) -> None:
        while not self._stopping.wait(RESTART_PAUSE):
            with self._lock:
                for server in (self.postgres, self.kafka):
                    if server.child is not None and not server.child.alive:
                        server.start()
                for name, child in list(self.children.items()):
                    if not child.alive:
                        self._start(name)


@contextmanager
def running_system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Everything running in a folder of its own, with the sample catalogue published; left out where no Kafka is."""
    folder = Path(tempfile.mkdtemp(prefix="tongban-system-"))
    system = System(folder)
    missing = system.kafka.why_unavailable()
    if missing is not None:
        shutil.rmtree(folder)
        without_kafka(request, NoKafkaError(missing))
    try:
        system.start()
        system.run("seed")
        yield system
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)


def random_kills(rng: random.Random, each: int) -> list[str]:
    """Every process and server `each` times, in random order."""
    victims = [name for name in (*PROCESSES, *SERVERS) for _ in range(each)]
    rng.shuffle(victims)
    return victims
