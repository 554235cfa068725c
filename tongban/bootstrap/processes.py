"""Each function runs one process of Tongban until a signal."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import structlog
from prometheus_client import REGISTRY, start_http_server
from starlette.applications import Starlette

from tongban.api.app import create_app
from tongban.api.delivery import Delivery
from tongban.api.materials import Materials
from tongban.api.principal import ACTOR
from tongban.api.server import server
from tongban.bootstrap.errors import NotConfigured, need_database
from tongban.bootstrap.reacting import REACTED_AT_ONCE, open_reactor, own_write_side
from tongban.commands.bus import CommandBus
from tongban.commands.ports import LogUnavailable
from tongban.consumers.feed import Feed
from tongban.consumers.kafka_feed import KafkaFeed
from tongban.consumers.loop import ConsumerDoubt, ConsumerLoop, Handler
from tongban.consumers.metrics import ConsumerMetrics, TimerMetrics
from tongban.consumers.projector import PROJECTOR, Projector
from tongban.consumers.reactor import REACTOR
from tongban.consumers.recomputing import Recomputing
from tongban.consumers.store_feed import StoreFeed
from tongban.consumers.timers import Timers
from tongban.domain.case.commands import RecomputeDeadlines
from tongban.domain.lights import Thresholds
from tongban.domain.waiting import OfficeHours
from tongban.graphql.context import Measures
from tongban.graphql.sdl import sdl
from tongban.graphql.view import ReadView
from tongban.infra.catalogue_names import CatalogueNames
from tongban.infra.collector import collect_rarely
from tongban.infra.command_records import CommandRecords
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
from tongban.infra.sources.registry import open_sources
from tongban.infra.write_side import forget_old_answers, open_prepared, open_write_side, sweep_materials
from tongban.projections.registry import apply_batch

_READ_CONNECTIONS = 16
_RECORD_CONNECTIONS = 2
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
    records = open_pool(settings.database_url, DbRole.WRITER, size=_RECORD_CONNECTIONS)
    access.assert_powerless()
    prepared = open_prepared(settings, write_side.vault)
    sources = open_sources(settings, access)
    readiness = Readiness(settings, metrics, writer_alive=lambda: bus.alive)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        bus.start()
        readiness.start()
        collect_rarely()
        try:
            yield
        finally:
            readiness.stop()
            bus.stop()
            prepared.pool.close()
            write_side.close()
            readers.close()
            records.close()

    app = create_app(
        bus=bus,
        delivery=delivery,
        verifier=remote_verifier(settings) if settings.oidc_issuer else embedded_verifier(settings),
        settings=settings,
        checks=readiness.checks,
        metrics=metrics,
        records=CommandRecords(records),
        materials=lambda giver: Materials(
            prepared=prepared,
            sources=sources,
            event_log=write_side.store,
            vault=write_side.vault,
            giver=giver,
            evidence_hours=settings.evidence_hours,
        ),
        access=access,
        graphql=ReadView(
            reading=access.reading,
            get_actor=lambda request: request.scope.get(ACTOR),
            unsealer=write_side.vault,
            names=CatalogueNames(load_reference()),
            measures=Measures(
                lights=Thresholds(settings.yellow_share, settings.yellow_days),
                hours=OfficeHours(settings.office_opens, settings.office_closes),
            ),
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
    """Run the policies and the timers until a signal; at any doubt the process ends with code 1."""
    need_database(settings)
    configure(settings.log_level)
    _serve_metrics(settings)
    with own_write_side(settings) as own, open_reactor(own) as reactor:
        metrics = TimerMetrics(REGISTRY)
        recomputing = Recomputing(own.give_all, metrics, RecomputeDeadlines)
        timers = Timers(
            database_url=settings.database_url,
            give=own.give_all,
            metrics=metrics,
            recomputing=recomputing,
            grace=settings.timer_grace,
        )

        def react(stop: threading.Event) -> None:
            threading.Thread(target=_keep_clean, args=(settings, stop), daemon=True).start()
            threading.Thread(target=_or_end, args=(timers.run, stop), name="timers", daemon=True).start()
            _consumer(settings, REACTOR, reactor, limit=REACTED_AT_ONCE).run(stop)

        _run_until_signal(react)


def _consumer(settings: Settings, name: str, handler: Handler[Any], *, limit: int = 2_000) -> ConsumerLoop[Any]:
    feed: Feed
    if settings.has_broker:
        feed = KafkaFeed(settings.kafka_bootstrap, client_id=f"tongban-{name}", limit=limit)
    else:
        feed = StoreFeed(settings.database_url, limit=limit)
    return ConsumerLoop(
        name=name, feed=feed, database_url=settings.database_url, handler=handler, metrics=ConsumerMetrics(REGISTRY)
    )


def _or_end(run: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Run in a thread of a process that is of no use without it."""
    try:
        run(stop)
    except BaseException:
        log.exception("process_ends")
        sys.stderr.flush()
        os._exit(1)


def _keep_clean(settings: Settings, stop: threading.Event) -> None:
    while not stop.wait(_CLEAN_EVERY):
        try:
            # First: which uploads to keep is told by the answers that are forgotten next.
            log.info("materials_swept", **sweep_materials(settings))
            with connect(settings.database_url, DbRole.WRITER) as conn:
                log.info("answers_forgotten", count=forget_old_answers(conn))
        except (psycopg.Error, LogUnavailable, OSError) as error:
            log.warning("not_cleaned", error=type(error).__name__)


def _run_until_signal(run: Callable[[threading.Event], None]) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(stop)
    except (RelayDoubt, ConsumerDoubt) as doubt:
        log.error("process_ends", doubt=str(doubt))
        sys.stderr.flush()
        os._exit(1)  # nothing of this process may still be on its way when the next one starts


def _serve_metrics(settings: Settings) -> None:
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
