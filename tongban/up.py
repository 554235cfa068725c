"""`tongban up`: the whole system on one machine, supervised.

In: a port, a data directory, how many cases to simulate, which broker. Out: running servers and processes,
lines on the terminal that say what happens, and nothing left running afterwards. The processes are started
by their command line, as they would be in production; this module knows none of their code.
"""

import fcntl
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO

from tongban.infra.embedded import ports
from tongban.infra.embedded.exec_child import die_with_parent
from tongban.infra.embedded.kafka import Kafka
from tongban.infra.embedded.postgres import SUPERUSER, Postgres
from tongban.infra.embedded.process import Child, StartError
from tongban.infra.embedded.supervisor import StoppedError, Supervisor

DATABASE = "tongban"
LOGIN = "tongban"
BROKERS = ("auto", "local", "none")
PROCESSES = ("api", "relay", "project", "react")
TONGBAN = (sys.executable, "-m", "tongban")

ADDRESSES = "up.env"
"""In the data directory while the system is up: addresses other commands need, one `NAME=value` a line."""
LATE_ENTRY_SECONDS = "60"
"""How long deadlines that passed before their case was entered wait for the rest of it, unless the environment says."""
SIMULATED = "simulated"
"""In the data directory once a day has been simulated: how many cases."""
FIRST_DAY = "2018"
"""The seed of the simulated day, so that a start that was cut short goes on where it stopped."""
NO_TOPICS = "topics are off, read tables follow the event store directly"


def up(
    *,
    port: int,
    data: Path,
    cases: int,
    broker: str = "auto",
    tongban: Sequence[str] = TONGBAN,
    kafka_cache: Path | None = None,
) -> int:
    """Run everything until a signal comes; 0 after an orderly stop, 1 when it could not start.

    `broker`: `auto` (a local Kafka where it can be had), `local` (or fail), `none`; TONGBAN_KAFKA_BOOTSTRAP
    wins over all of them. `tongban` is the command that the processes' names are appended to, `kafka_cache` a
    directory of jars (default: in `data`). Only one may run per data directory. With
    TONGBAN_FOLLOW_PARENT set (make does) a killed parent stops it, too.
    """
    if broker not in BROKERS:
        print(f"tongban up: --broker {broker} is none of {', '.join(BROKERS)}.", file=sys.stderr, flush=True)
        return 1
    if os.environ.pop("TONGBAN_FOLLOW_PARENT", None):
        die_with_parent(os.getppid(), signal.SIGTERM)
    supervisor = Supervisor(say=_say)
    with _signals(supervisor):
        try:
            with _only_one(data.absolute()) as folder:
                system = _System(supervisor, port, folder, tongban)
                try:
                    system.bring_up(broker, kafka_cache)
                    system.first_day(cases)
                    system.say_what_to_try()
                    supervisor.keep_alive()
                finally:
                    if supervisor.stopping:
                        _say("stopping …")
                    supervisor.stop_all()
                    (folder / ADDRESSES).unlink(missing_ok=True)
        except StoppedError:
            pass
        except StartError as error:
            if not supervisor.stopping:
                print(f"tongban up: {error}", file=sys.stderr, flush=True)
                return 1
    _say("stopped")
    return 0


@dataclass
class Process:
    """One process of Tongban; ready as soon as it runs, unless `is_ready` knows better."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool] = lambda: True
    child: Child | None = None

    def start(self) -> None:
        """Start it; what it writes goes to its log."""
        self.child = Child(self.command, log=self.log, env=self.env)

    def ready(self) -> bool:
        """Whether it runs and says that it can work."""
        return self.child is not None and self.child.alive and self.is_ready()

    def stop(self, grace: float = 10.0) -> None:
        """Ask it to end; after `grace` seconds kill it."""
        if self.child is not None:
            self.child.stop(grace)


@dataclass
class _System:
    """What is brought up, in the order in which that happens."""

    supervisor: Supervisor
    port: int
    data: Path
    tongban: Sequence[str]
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    psql: str = ""

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def here(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.port}"

    def bring_up(self, broker: str, kafka_cache: Path | None) -> None:
        """Servers, migrations, processes; returns once the API says that it is ready."""
        if not ports.is_free(self.port):
            raise StartError(f"Port {self.port} is taken; choose another with PORT or --port.")
        self.env |= {"TONGBAN_PORT": str(self.port), "TONGBAN_DATA": str(self.data), "PYTHONUNBUFFERED": "1"}
        # What is simulated is entered late: a deadline that has passed waits until the rest of its case is there.
        self.env.setdefault("TONGBAN_TIMER_GRACE", LATE_ENTRY_SECONDS)
        self.start_database()
        self.start_broker(broker, kafka_cache)
        self.run("migrate")
        del self.env["TONGBAN_ADMIN_DATABASE_URL"]  # only migrations need a superuser
        self.write_addresses()
        for name in PROCESSES:
            if name == "relay" and not self.env.get("TONGBAN_KAFKA_BOOTSTRAP"):
                continue
            self.supervisor.launch(Process(name, [*self.tongban, name], dict(self.env), self.logs / f"{name}.log"))
        self.supervisor.wait_until(lambda: _is_ready(self.here), f"{self.here}/readyz", self.logs / "api.log")
        self.supervisor.coming_up = False
        _say(f"ready on {self.here}")

    def start_database(self) -> None:
        """The database that is named, else an embedded server; its addresses go to `env`."""
        if self.env.get("TONGBAN_DATABASE_URL"):
            self.env.setdefault("TONGBAN_ADMIN_DATABASE_URL", self.env["TONGBAN_DATABASE_URL"])
            self.psql = 'psql "$TONGBAN_DATABASE_URL"'
            _say("PostgreSQL: the one that TONGBAN_DATABASE_URL names")
            return
        postgres = Postgres(self.data / "postgres", log=self.logs / "postgres.log")
        self.supervisor.start(postgres)
        postgres.ensure_database(DATABASE)
        self.env["TONGBAN_DATABASE_URL"] = postgres.url(LOGIN, DATABASE)
        self.env["TONGBAN_ADMIN_DATABASE_URL"] = postgres.url(SUPERUSER, DATABASE)
        self.psql = f"{postgres.program('psql')} '{self.env['TONGBAN_ADMIN_DATABASE_URL']}'"
        _say(f"PostgreSQL: embedded, data in {postgres.pgdata}")

    def start_broker(self, broker: str, cache: Path | None) -> None:
        """The broker that is named, else an embedded one, else none; its address goes to `env`."""
        if self.env.get("TONGBAN_KAFKA_BOOTSTRAP"):
            _say(f"Kafka: {self.env['TONGBAN_KAFKA_BOOTSTRAP']}")
            return
        self.env.pop("TONGBAN_KAFKA_BOOTSTRAP", None)
        if broker == "none":
            _say(f"Kafka: none asked for; {NO_TOPICS}")
            return
        log = self.logs / "kafka.log"
        kafka = Kafka(self.data / "kafka", log=log, cache=cache, stopping=lambda: self.supervisor.stopping)
        try:
            _fetch(kafka)
        except StartError as error:
            self.supervisor.check()
            if broker == "local":
                raise StartError(f"Apache Kafka cannot run here: {error}") from error
            _say(f"Kafka: {str(error).splitlines()[0].rstrip('.')}; {NO_TOPICS}")
            return
        self.supervisor.start(kafka)
        self.env["TONGBAN_KAFKA_BOOTSTRAP"] = kafka.bootstrap
        _say(f"Kafka: embedded on {kafka.bootstrap}")

    def write_addresses(self) -> None:
        """For the commands of another terminal."""
        names = ("TONGBAN_DATABASE_URL", "TONGBAN_KAFKA_BOOTSTRAP", "TONGBAN_PORT")
        file = self.data / ADDRESSES
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={self.env[name]}\n" for name in names if name in self.env))

    def first_day(self, cases: int) -> None:
        """The sample catalogue at every start (seeding twice changes nothing), a day's cases at the first."""
        self.run("seed")
        marker = self.data / SIMULATED
        if marker.exists():
            _say(f"a day of {marker.read_text().strip()} cases was simulated before; more with `tongban simulate`")
            return
        if cases <= 0:
            return
        _say(f"simulating a short day of {cases} cases (CASES=0 leaves that out) …")
        try:
            self.run("simulate", "--cases", str(cases), "--seed", FIRST_DAY, on_terminal=True)
        except StartError as error:
            _say(f"{error}; the system runs all the same, and the next start tries again")
        else:
            marker.write_text(f"{cases}\n")

    def run(self, name: str, *options: str, on_terminal: bool = False) -> None:
        """One command of Tongban to its end."""
        log = None if on_terminal else self.logs / f"{name}.log"
        self.supervisor.run(name, [*self.tongban, name, *options], self.env, log=log)

    def say_what_to_try(self) -> None:
        """A few lines for a person who has just started it for the first time."""
        tongban = ".venv/bin/tongban" if Path(".venv/bin/tongban").exists() else "tongban"
        if self.data != Path(".tongban").absolute():
            tongban = f"TONGBAN_DATA='{self.data}' {tongban}"
        bootstrap = self.env.get("TONGBAN_KAFKA_BOOTSTRAP")
        query = 'query={department(code:"samr"){queue(first:5){edges{node{id number state}}}}}'
        lines = [
            ("a token", f"TOKEN=$({tongban} token --role acceptor --subject officer-1 --department samr)"),
            ("a queue", f'curl -sG {self.here}/graphql -H "Authorization: Bearer $TOKEN" \\'),
            ("", f"  --data-urlencode '{query}'"),
            ("one case", f"{tongban} replay CASE"),
            ("commands", f"{self.here}/openapi.json"),
            ("all well?", f"{self.here}/readyz   {self.here}/metrics   {tongban} status"),
            ("database", self.psql),
            *([("topics", f"kcat -b {bootstrap} -L")] if bootstrap else []),
            ("logs", str(self.logs)),
        ]
        print("\nTongban runs. To try:")
        print("\n".join(f"  {what:<10} {how}" for what, how in lines))
        print(f"Ctrl-C stops all of it; the data stay in {self.data}", flush=True)


def _fetch(kafka: Kafka) -> None:
    """Get what the broker needs to start; StartError with one line when that cannot be had."""
    missing = kafka.why_unavailable()
    if missing is not None:
        raise StartError(missing)
    if kafka.must_fetch():
        _say("Kafka: fetching Apache Kafka by Maven, once …")
        kafka.fetch()


def _is_ready(here: str) -> bool:
    try:
        with urllib.request.urlopen(f"{here}/readyz", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _only_one(data: Path) -> Iterator[Path]:
    """Hold the data directory's lock, and give the directory."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "up.lock").open("a+")
    except OSError as error:
        raise StartError(
            f"The data directory {data} cannot be written ({error.strerror}); choose another with DATA or --data."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(
                f"Tongban already runs on {data} (process {_written(lock)}); stop it or choose another DATA."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield data


def _written(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip() or "unknown"


@contextmanager
def _signals(supervisor: Supervisor) -> Iterator[None]:
    """Ctrl-C, kill and a closed terminal reach the supervisor; at the end the old handlers come back."""
    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, supervisor.signalled) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    print(f"tongban up: {line}", flush=True)
