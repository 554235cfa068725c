"""The real command API for tests of the simulation: on a database, behind uvicorn on a port of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
from joserfc import jwt
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter
from starlette.types import ASGIApp

from tests.api.serving import prepared_materials
from tests.running import running
from tongban.api.app import create_app
from tongban.api.delivery import Delivery
from tongban.api.limits import Limits
from tongban.api.server import server
from tongban.bootstrap.reacting import OwnWriteSide, give_all_to, open_reactor
from tongban.commands.batch import Batch
from tongban.commands.bus import CommandBus
from tongban.commands.handling import Desk
from tongban.consumers.loop import ConsumerLoop
from tongban.consumers.metrics import ConsumerMetrics, TimerMetrics
from tongban.consumers.projector import PROJECTOR, Projector
from tongban.consumers.reactor import REACTOR
from tongban.consumers.store_feed import StoreFeed
from tongban.consumers.timers import Timers
from tongban.domain.actor import Role
from tongban.domain.calendar.commands import ImportCalendar
from tongban.infra import event_codec, identifiers
from tongban.infra.command_records import CommandRecords
from tongban.infra.database import DbRole, open_pool
from tongban.infra.embedded.ports import free_ports
from tongban.infra.event_store import EventStore
from tongban.infra.issuer import ISSUER, Issuer, embedded_verifier, load_key
from tongban.infra.metrics import Metrics
from tongban.infra.numbers import SerialNumbers
from tongban.infra.reference import load_reference, sample_bundles, sample_calendars, sample_items
from tongban.infra.settings import Settings
from tongban.infra.vault import Vault
from tongban.infra.write_side import WriteSide
from tongban.projections.registry import apply_batch

GRACE = 60.0


@dataclass(frozen=True)
class Service:
    """A running service: where it is, and who issues its tokens."""

    url: str
    issuer: Issuer
    settings: Settings

    def token(self, role: str, subject: str, department: str | None) -> str:
        """A token as the simulation asks for it."""
        return self.issuer.issue(Role(role), subject, department=department)

    def expired(self, role: str, subject: str, department: str | None) -> str:
        """A token that was good an hour ago."""
        key = load_key(self.settings.secrets_folder)
        header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
        who = {"sub": subject, "role": role, **({"department": department} if department else {})}
        then = int(time.time()) - 3600
        claims = {"iss": ISSUER, "aud": self.settings.oidc_audience, **who, "iat": then - 60, "exp": then}
        return jwt.encode(header, claims, key, ["ES256"])

    def publish_catalogue(self) -> None:
        """Publish the sample items and bundles, and import the calendars."""
        token = self.token("admin", "admin-1", None)
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            for item in sample_items():
                headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
                client.post("/commands/PublishItem", json={"item": item}, headers=headers).raise_for_status()
            for bundle in sample_bundles():
                headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
                client.post("/commands/PublishBundle", json={"bundle": bundle}, headers=headers).raise_for_status()
            for calendar in sample_calendars():
                headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
                body = TypeAdapter(ImportCalendar).dump_python(calendar, mode="json")
                client.post("/commands/ImportCalendar", json=body, headers=headers).raise_for_status()


@contextmanager
def running_service(
    database_url: str, folder: Path, *, limits: Limits | None = None, port: int | None = None, behind: bool = True
) -> Iterator[Service]:
    """The command API over this database; `behind` it policies and timers, which wait for late entries."""
    settings = Settings(
        database_url=database_url,
        data=folder,
        port=port or free_ports(1)[0],
        simulated_missing=0.1,
        simulated_failing=0.05,
    )
    log = EventStore(database_url)
    keys, numbers = (open_pool(database_url, role, size=2) for role in (DbRole.KEYS, DbRole.WRITER))
    pepper, key_encryption_key = b"p" * 32, b"k" * 32
    desk = Desk(
        identifiers=SimpleNamespace(
            normalise=identifiers.normalise,
            problem_with=identifiers.problem_with,
            digest=lambda kind, identifier: identifiers.identifier_digest(pepper, kind, identifier),
        ),
        numbers=SerialNumbers(numbers),
        licence_types=load_reference(),
    )
    delivery = Delivery()
    vault = Vault(keys, key_encryption_key)
    batch = Batch(log=log, codec=event_codec, keyring=vault, desk=desk)
    write_side = WriteSide(batch, log, vault, (keys, numbers))
    bus = CommandBus(batch, deliver=delivery)
    issuer = Issuer(settings)
    materials = ExitStack()
    make, access = materials.enter_context(prepared_materials(settings, write_side))
    app = create_app(
        bus=bus,
        delivery=delivery,
        verifier=embedded_verifier(settings),
        settings=settings,
        checks=list,
        metrics=Metrics(),
        records=CommandRecords(numbers),
        materials=make,
        access=access,
        limits=limits,
    )
    bus.start()
    try:
        with (
            acting_by_itself(database_url, OwnWriteSide(give_all_to(bus), vault, log)) if behind else nullcontext(),
            served(app, settings) as url,
        ):
            yield Service(url, issuer, settings)
    finally:
        bus.stop()
        materials.close()
        write_side.close()


@contextmanager
def acting_by_itself(database_url: str, own: OwnWriteSide) -> Iterator[None]:
    """Policies, timers and the projector that tells the timers what is due."""
    with open_reactor(own) as reactor, ExitStack() as stack:
        handlers: dict[str, Any] = {REACTOR: reactor, PROJECTOR: Projector(apply_batch)}
        for name, handler in handlers.items():
            loop = ConsumerLoop(
                name=name,
                feed=StoreFeed(database_url),
                database_url=database_url,
                handler=handler,
                metrics=ConsumerMetrics(CollectorRegistry()),
            )
            stack.enter_context(running(loop.run))
        metrics = TimerMetrics(CollectorRegistry())
        timers = Timers(database_url=database_url, give=own.give_all, metrics=metrics, grace=GRACE)
        stack.enter_context(running(timers.run))
        yield


@contextmanager
def served(app: ASGIApp, settings: Settings) -> Iterator[str]:
    """Serve an application in a thread; gives its address."""
    web = server(app, settings)
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    while not web.started and thread.is_alive():
        time.sleep(0.01)
    assert web.started
    try:
        yield f"http://{settings.host}:{settings.port}"
    finally:
        web.should_exit = True
        thread.join(10)
