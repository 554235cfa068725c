"""The real command API for tests of the simulation: on a database, behind uvicorn on a port of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import httpx
from joserfc import jwt
from starlette.types import ASGIApp

from tests.api.serving import prepared_materials
from tongban.api.app import create_app
from tongban.api.delivery import Delivery
from tongban.api.limits import Limits
from tongban.api.server import server
from tongban.commands.batch import Batch
from tongban.commands.bus import CommandBus
from tongban.commands.handling import Desk
from tongban.domain.actor import Role
from tongban.infra import event_codec, identifiers
from tongban.infra.database import DbRole, open_pool
from tongban.infra.embedded.ports import free_ports
from tongban.infra.event_store import EventStore
from tongban.infra.issuer import ISSUER, Issuer, embedded_verifier, load_key
from tongban.infra.metrics import Metrics
from tongban.infra.numbers import SerialNumbers
from tongban.infra.reference import load_reference, sample_items
from tongban.infra.settings import Settings
from tongban.infra.vault import Vault
from tongban.infra.write_side import WriteSide


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
        """Publish the sample items."""
        token = self.token("admin", "admin-1", None)
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            for item in sample_items():
                headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())}
                client.post("/commands/PublishItem", json={"item": item}, headers=headers).raise_for_status()


@contextmanager
def running_service(
    database_url: str, folder: Path, *, limits: Limits | None = None, port: int | None = None
) -> Iterator[Service]:
    """The command API over this database."""
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
        materials=make,
        access=access,
        limits=limits,
    )
    bus.start()
    try:
        with served(app, settings) as url:
            yield Service(url, issuer, settings)
    finally:
        bus.stop()
        materials.close()
        write_side.close()


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
