"""Whether this system is ready, looked at again and again in a thread of its own, so that asking costs nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg
import structlog
from kafka import KafkaAdminClient

from tongban.infra.database import DbRole, connect
from tongban.infra.lag import Behind, Lag, LagReader
from tongban.infra.metrics import Metrics
from tongban.infra.settings import Settings

LOOK_EVERY = 1.0
BROKER_EVERY = 5.0
# A look that is older than this says nothing any more.
STALE = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so. `why` says what is wrong, or nothing."""

    name: str
    ok: bool
    why: str = ""
    told: dict[str, Any] = field(default_factory=dict)


class Broker(Protocol):
    """Something that can be asked whether the broker answers."""

    def ask(self) -> None:
        """Raises when it does not."""
        ...


class KafkaBroker:
    """Asks a Kafka cluster who its controller is, over one connection that is made again after a failure."""

    def __init__(self, bootstrap: str) -> None:
        """`bootstrap` is host:port[,host:port]."""
        self._addresses = [part.strip() for part in bootstrap.split(",")]
        self._admin: Any = None

    def ask(self) -> None:
        """Raises OSError, or what kafka-python raises."""
        try:
            if self._admin is None:
                # A client that finds nobody leaves its sockets open, so knock first.
                self._knock()
                self._admin = KafkaAdminClient(
                    bootstrap_servers=self._addresses,
                    client_id="tongban-readiness",
                    bootstrap_timeout_ms=2_000,
                    request_timeout_ms=2_000,
                )
            self._admin.describe_cluster()
        except Exception:
            self.close()
            raise

    def _knock(self) -> None:
        """Raises OSError when no address of the cluster takes a connection."""
        error: OSError | None = None
        for address in self._addresses:
            host, _, port = address.rpartition(":")
            try:
                socket.create_connection((host, int(port)), timeout=2).close()
                return
            except OSError as refused:
                error = refused
        raise error or OSError("no address is named")

    def close(self) -> None:
        """Close the connection."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(Exception):
                admin.close()


class Readiness:
    """Looks every second at database, broker, relay and projection; keeps what it saw last, and tells the metrics.

    `writer_alive` says whether the thread that writes commands runs.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        writer_alive: Callable[[], bool] = lambda: True,
        broker: Broker | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._writer_alive = writer_alive
        self._broker = broker or (KafkaBroker(settings.kafka_bootstrap) if settings.has_broker else None)
        self._broker_check: Check | None = None
        self._broker_asked = float("-inf")
        self._reader: LagReader | None = None
        self._checks: tuple[Check, ...] = (Check("start", ok=False, why="nothing was looked at yet"),)
        self._looked = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="readiness", daemon=True)

    def start(self) -> None:
        """Begin looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking, and close what was opened."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)
        self._forget()
        if isinstance(self._broker, KafkaBroker):
            self._broker.close()

    def checks(self) -> tuple[Check, ...]:
        """What was seen last. One look that hangs makes all of it untrue."""
        age = time.monotonic() - self._looked
        if age > STALE:
            return (Check("look", ok=False, why=f"the last look at the system was {age:.0f} s ago"),)
        return self._checks

    def look(self) -> tuple[Check, ...]:
        """Look now."""
        checks = [
            Check("writer", ok=True)
            if self._writer_alive()
            else Check("writer", ok=False, why="the thread that writes commands has died")
        ]
        try:
            lag = self._lag()
        except psycopg.Error as error:
            self._forget()
            checks.append(Check("database", ok=False, why=f"PostgreSQL does not answer ({type(error).__name__})"))
        else:
            checks.append(Check("database", ok=True))
            checks += self._lag_checks(lag)
            self._tell(lag)
        if self._broker is not None:
            checks.append(self._ask_broker(self._broker))
        self._checks, self._looked = tuple(checks), time.monotonic()
        self._metrics.ready.set(all(check.ok for check in checks))
        return self._checks

    def _run(self) -> None:
        before: frozenset[str] = frozenset()
        while not self._stop.is_set():
            try:
                failing = frozenset(check.name for check in self.look() if not check.ok)
                if failing != before:
                    log.warning("readiness_changed", failing=sorted(failing))
                before = failing
            except Exception as error:
                # Whatever it is, /readyz says so once the last look is too old; the next look may go well.
                log.error("readiness_look_failed", exc_info=error)
                self._forget()
            self._stop.wait(LOOK_EVERY)

    def _lag(self) -> Lag:
        if self._reader is None:
            events = connect(self._settings.database_url, DbRole.WRITER)
            try:
                progress = connect(self._settings.read_url, DbRole.READER)
            except psycopg.Error:
                events.close()
                raise
            self._reader = LagReader(events, progress, has_broker=self._settings.has_broker)
        return self._reader.read(time.monotonic())

    def _forget(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.events.close()
            reader.progress.close()

    def _lag_checks(self, lag: Lag) -> list[Check]:
        checks = [] if lag.relay is None else [self._within("relay", lag.relay)]
        # The reactor being late makes no answer wrong; its lag is told by the metrics.
        checks.append(self._within("projection", lag.consumers["projector"]))
        return checks

    def _within(self, name: str, behind: Behind) -> Check:
        limit = self._settings.lag_limit
        ok = behind.seconds <= limit
        why = "" if ok else f"{behind.events} events behind for {behind.seconds:.1f} s; the limit is {limit:g} s"
        return Check(name, ok, why, {"events": behind.events, "seconds": round(behind.seconds, 3)})

    def _ask_broker(self, broker: Broker) -> Check:
        now = time.monotonic()
        if self._broker_check is None or now - self._broker_asked >= BROKER_EVERY:
            self._broker_asked = now
            try:
                broker.ask()
                self._broker_check = Check("broker", ok=True)
            except Exception as error:  # noqa: BLE001 - whatever the client raises, the broker does not answer
                self._broker_check = Check("broker", ok=False, why=f"Kafka does not answer ({type(error).__name__})")
        return self._broker_check

    def _tell(self, lag: Lag) -> None:
        if lag.relay is not None:
            self._metrics.relay_lag_events.set(lag.relay.events)
            self._metrics.relay_lag_seconds.set(lag.relay.seconds)
        for name, behind in lag.consumers.items():
            self._metrics.consumer_lag_events.labels(name).set(behind.events)
            self._metrics.consumer_lag_seconds.labels(name).set(behind.seconds)
        for name, count in lag.parked.items():
            self._metrics.parked_streams.labels(name).set(count)
