"""Each function runs one process of Tongban until a signal."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from typing import Any

import psycopg
import structlog
from prometheus_client import REGISTRY, start_http_server
from starlette.applications import Starlette

from tongban.api.app import create_app
from tongban.api.delivery import Delivery
from tongban.api.principal import ACTOR
from tongban.api.server import server
from tongban.bootstrap.errors import NotConfigured, need_database
from tongban.commands.bus import CommandBus
from tongban.commands.ports import LogUnavailable
from tongban.commands.requests import Answer, Outcome, Request, Unavailable
from tongban.consumers.failures import TransientFailure
from tongban.consumers.feed import Feed
from tongban.consumers.kafka_feed import KafkaFeed
from tongban.consumers.loop import ConsumerDoubt, ConsumerLoop, Handler
from tongban.consumers.metrics import ConsumerMetrics
from tongban.consumers.projector import PROJECTOR, Projector
from tongban.consumers.reactor import REACTOR, Reactor
from tongban.consumers.store_feed import StoreFeed
from tongban.domain.actor import Actor, Role
from tongban.domain.ids import policy_command
from tongban.domain.recorded import Recorded
from tongban.graphql.sdl import sdl
from tongban.graphql.view import ReadView
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.issuer import embedded_verifier
from tongban.infra.key_set import remote_verifier
from tongban.infra.logs import configure
from tongban.infra.metrics import Metrics
from tongban.infra.read_access import ReadAccess
from tongban.infra.readiness import Readiness
from tongban.infra.reference import load_reference
from tongban.infra.relay import Relay, RelayDoubt
from tongban.infra.relay_metrics import RelayMetrics
from tongban.infra.settings import Settings
from tongban.infra.write_side import WriteSide, forget_old_answers, open_write_side
from tongban.projections.registry import apply_batch

_READ_CONNECTIONS = 16
_COMMAND_PATIENCE = 30.0
_CLEAN_EVERY = 3600.0

log = structlog.get_logger(__name__)


def run_api(settings: Settings) -> None:
    """Serve HTTP until a signal."""
    need_database(settings)
    configure(settings.log_level)
    metrics = Metrics()
    delivery = Delivery()
    write_side = open_write_side(settings)
    bus = CommandBus(
        write_side.batch,
        batch_limit=settings.batch_limit,
        queue_limit=settings.queue_limit,
        deadline=settings.command_deadline,
        deliver=delivery,
        observer=metrics,
    )
    metrics.watch_queue(lambda: bus.depth)
    readers = open_pool(settings.read_url, DbRole.READER, size=_READ_CONNECTIONS)
    access = ReadAccess(readers)
    access.assert_powerless()
    readiness = Readiness(settings, metrics, writer_alive=lambda: bus.alive)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        bus.start()
        readiness.start()
        _tune_garbage_collection()
        try:
            yield
        finally:
            readiness.stop()
            bus.stop()
            write_side.close()
            readers.close()

    app = create_app(
        bus=bus,
        delivery=delivery,
        verifier=remote_verifier(settings) if settings.oidc_issuer else embedded_verifier(settings),
        settings=settings,
        checks=readiness.checks,
        metrics=metrics,
        graphql=ReadView(
            reading=access.reading,
            get_actor=lambda request: request.scope.get(ACTOR),
            unsealer=write_side.vault,
            names=load_reference(),
        ),
        sdl=sdl,
        lifespan=lifespan,
    )
    server(app, settings).run()


def run_relay(settings: Settings) -> None:
    """Publish events until a signal; at any doubt the process ends with code 1."""
    need_database(settings)
    if not settings.has_broker:
        raise NotConfigured("no broker is named: set TONGBAN_KAFKA_BOOTSTRAP; without one there is nothing to relay to")
    configure(settings.log_level)
    _serve_metrics(settings)
    relay = Relay(
        database_url=settings.database_url,
        bootstrap=settings.kafka_bootstrap,
        jurisdiction=settings.jurisdiction,
        metrics=RelayMetrics(REGISTRY),
    )
    _run_until_signal(relay.run)


def run_projector(settings: Settings) -> None:
    """Apply events to the read tables until a signal; at any doubt the process ends with code 1."""
    need_database(settings)
    configure(settings.log_level)
    _serve_metrics(settings)
    _run_until_signal(lambda stop: _consumer(settings, PROJECTOR, Projector(apply_batch)).run(stop))


def run_reactor(settings: Settings) -> None:
    """Run the policies until a signal; at any doubt the process ends with code 1."""
    need_database(settings)
    configure(settings.log_level)
    _serve_metrics(settings)
    with _giving(settings) as (bus, write_side):
        reactor = Reactor(_give_to(bus), write_side.vault)

        def react(stop: threading.Event) -> None:
            threading.Thread(target=_keep_clean, args=(settings, stop), daemon=True).start()
            _consumer(settings, REACTOR, reactor).run(stop)

        _run_until_signal(react)


def _consumer(settings: Settings, name: str, handler: Handler[Any]) -> ConsumerLoop[Any]:
    feed: Feed
    if settings.has_broker:
        feed = KafkaFeed(settings.kafka_bootstrap, client_id=f"tongban-{name}")
    else:
        feed = StoreFeed(settings.database_url)
    return ConsumerLoop(
        name=name, feed=feed, database_url=settings.database_url, handler=handler, metrics=ConsumerMetrics(REGISTRY)
    )


@contextmanager
def _giving(settings: Settings) -> Iterator[tuple[CommandBus, WriteSide]]:
    write_side = open_write_side(settings)
    bus = CommandBus(write_side.batch, batch_limit=settings.batch_limit, queue_limit=settings.queue_limit)
    bus.start()
    try:
        yield bus, write_side
    finally:
        bus.stop()
        write_side.close()


def _give_to(bus: CommandBus) -> Callable[[Any, str, Recorded], None]:
    """How a policy's command reaches the write side: as the system, caused by the event, in effect when it was."""

    def give(command: Any, policy: str, recorded: Recorded) -> None:
        answered = threading.Event()
        outcomes: list[Outcome] = []

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            answered.set()

        envelope = recorded.envelope
        request = Request(
            name=type(command).__name__,
            body=command,
            actor=Actor(id=f"policy:{policy}", role=Role.SYSTEM),
            idempotency_key=policy_command(envelope.id, policy),
            fingerprint=sha256(f"{policy} {envelope.id}".encode()).digest(),
            effective_at=envelope.effective_at,
            trace=envelope.trace,
            causation=envelope.id,
        )
        try:
            bus.submit(request, done)
        except Unavailable as busy:
            raise TransientFailure(busy.code) from busy
        if not answered.wait(_COMMAND_PATIENCE):
            raise TransientFailure("no answer from the write side")
        outcome = outcomes[0]
        if isinstance(outcome, Unavailable | LogUnavailable):
            raise TransientFailure(str(outcome)) from outcome
        if not isinstance(outcome, Answer):
            raise outcome

    return give


def _keep_clean(settings: Settings, stop: threading.Event) -> None:
    while not stop.wait(_CLEAN_EVERY):
        try:
            with connect(settings.database_url, DbRole.WRITER) as conn:
                log.info("answers_forgotten", count=forget_old_answers(conn))
        except psycopg.Error as error:
            log.warning("answers_not_forgotten", error=type(error).__name__)


def _run_until_signal(run: Callable[[threading.Event], None]) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    _tune_garbage_collection()
    try:
        run(stop)
    except (RelayDoubt, ConsumerDoubt) as doubt:
        log.error("process_ends", doubt=str(doubt))
        sys.stderr.flush()
        os._exit(1)  # nothing of this process may still be on its way when the next one starts


def _tune_garbage_collection() -> None:
    """What was imported is never garbage, and a batch makes many objects that die young."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _serve_metrics(settings: Settings) -> None:
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
