"""The whole write side behind real HTTP: embedded PostgreSQL, command bus, uvicorn in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import uvicorn
from starlette.types import ASGIApp

from tests.servers import Database
from tongban.api.app import create_app
from tongban.api.delivery import Delivery
from tongban.api.giving import Bus, Giver
from tongban.api.limits import Limits
from tongban.api.materials import Materials
from tongban.api.server import server as make_server
from tongban.commands.bus import CommandBus
from tongban.domain.actor import Role
from tongban.domain.recorded import Recorded
from tongban.infra.command_records import CommandRecords
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.event_codec import decode
from tongban.infra.history import all_events, case_history
from tongban.infra.issuer import Issuer, embedded_verifier
from tongban.infra.metrics import Metrics
from tongban.infra.read_access import ReadAccess
from tongban.infra.reference import sample_items
from tongban.infra.settings import Settings
from tongban.infra.sources.registry import open_sources
from tongban.infra.write_side import WriteSide, open_prepared, open_vault, open_write_side
from tongban.projections.registry import apply_batch


def citizen_id(serial: int) -> str:
    """A made-up valid number of a person born in Beijing on 1949-12-31 (GB 11643 with its check character)."""
    body = f"11010519491231{serial:03d}"
    weighted = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
    return body + "10X98765432"[weighted % 11]


CITIZEN_IDS = (citizen_id(2), citizen_id(3))


@contextmanager
def command_bus(settings: Settings, delivery: Delivery, **options: Any) -> Iterator[tuple[CommandBus, WriteSide]]:
    """The real bus on the real database, started."""
    write_side = open_write_side(settings)
    bus = CommandBus(write_side.batch, deliver=delivery, **options)
    bus.start()
    try:
        yield bus, write_side
    finally:
        bus.stop()
        write_side.close()


@contextmanager
def prepared_materials(
    settings: Settings, write_side: WriteSide
) -> Iterator[tuple[Callable[[Giver], Materials], ReadAccess]]:
    """Uploads, drafts and sources on the real database, and reading it as somebody."""
    prepared = open_prepared(settings, write_side.vault)
    with open_pool(settings.read_url, DbRole.READER, size=4) as readers:
        access = ReadAccess(readers)
        sources = open_sources(settings, access)

        def make(giver: Giver) -> Materials:
            return Materials(
                prepared=prepared,
                sources=sources,
                event_log=write_side.store,
                vault=write_side.vault,
                giver=giver,
                evidence_hours=settings.evidence_hours,
            )

        try:
            yield make, access
        finally:
            prepared.pool.close()


@contextmanager
def served(app: ASGIApp, settings: Settings) -> Iterator[str]:
    """`app` on a free loopback port, in a thread; the base URL."""
    running: uvicorn.Server = make_server(app, settings.model_copy(update={"port": 0}))
    thread = threading.Thread(target=running.run, name="uvicorn")
    thread.start()
    try:
        until = time.monotonic() + 20
        while not running.started:
            assert thread.is_alive(), "uvicorn ended before it served"
            assert time.monotonic() < until, "uvicorn does not start"
            time.sleep(0.01)
        port = running.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


@dataclass(frozen=True)
class Tongban:
    """A served write side, and what a test asks it with."""

    url: str
    client: httpx.Client
    issuer: Issuer
    settings: Settings
    metrics: Metrics

    def token(self, role: Role, subject: str, department: str | None = None, ttl: int = 3600) -> str:
        return self.issuer.issue(role, subject, department=department, ttl=ttl)

    def officer(self, role: Role, department: str | None = None) -> str:
        return self.token(role, f"{role}-1", department)

    def give(
        self, name: str, body: Any, token: str | None, *, key: UUID | str | None = None, **headers: str
    ) -> httpx.Response:
        """POST one command. `body` is bytes, or what httpx makes JSON of."""
        sent = {"idempotency-key": str(key or uuid4()), "content-type": "application/json"}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        sent |= {each.replace("_", "-"): value for each, value in headers.items()}
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post(f"/commands/{name}", headers=sent, **content)

    def events(self) -> int:
        """How many events there are."""
        with psycopg.connect(self.settings.admin_database_url) as connection:
            row = connection.execute("SELECT count(*) FROM events.stored_events").fetchone()
        assert row is not None
        return int(row[0])

    def recorded(self, stream: UUID | str) -> list[Recorded]:
        """The events of a stream, unsealed."""
        vault, keys = open_vault(self.settings)
        with keys, psycopg.connect(self.settings.admin_database_url) as conn:
            return case_history(conn, UUID(str(stream)), vault)

    def project(self) -> None:
        """Bring the read tables up to date."""
        with psycopg.connect(self.settings.admin_database_url) as conn:
            events = [decode(state, position) for position, _, _, _, state in all_events(conn)]
        with connect(self.settings.database_url, DbRole.PROJECTOR) as conn, conn.transaction(), conn.cursor() as cursor:
            cursor.execute("SET LOCAL search_path TO read")
            apply_batch(cursor, events)

    def erase(self, person: str) -> None:
        """Destroy a person's key."""
        with connect(self.settings.database_url, DbRole.KEYS) as conn:
            conn.execute("UPDATE keys.person_key SET state = 'destroyed', wrapped = NULL WHERE subject = %s", (person,))

    def publish(self, item_id: str) -> None:
        """Publish an item of the sample catalogue, or its next version."""
        item = next(item for item in sample_items() if item["id"] == item_id)
        assert self.give("PublishItem", {"item": item}, self.officer(Role.ADMIN)).status_code in (200, 201)

    def publish_plain(self, item_id: str) -> None:
        """Publish an item of the sample catalogue that asks for no paper: for tests of other things."""
        item = next(item for item in sample_items() if item["id"] == item_id)
        papers = [paper | {"necessity": "OPTIONAL"} for paper in item["materials"]]
        answer = self.give("PublishItem", {"item": item | {"materials": papers}}, self.officer(Role.ADMIN))
        assert answer.is_success, answer.text

    def changed_item(self, item_id: str) -> dict[str, Any]:
        """An item of the sample catalogue under a name it never had."""
        item = next(item for item in sample_items() if item["id"] == item_id)
        return item | {"nameEn": f"name {uuid4()}"}

    def publish_changed(self, item_id: str) -> None:
        """Publish a new version of an item."""
        assert self.give("PublishItem", {"item": self.changed_item(item_id)}, self.officer(Role.ADMIN)).is_success

    def register(self, identifier: str = CITIZEN_IDS[0], name: str = "张伟") -> str:
        """A person's party id."""
        body = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": identifier, "name": name}
        answer = self.give("RegisterParty", body, self.officer(Role.CLERK, "samr"))
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["id"])


def settings_for(database: Database, folder: Path, **more: Any) -> Settings:
    """Settings of a system on one database, with its secrets in a folder of its own."""
    return Settings(database_url=database.url, admin_database_url=database.admin_url, data=folder, **more)


@contextmanager
def tongban(
    settings: Settings,
    *,
    bus: Bus | None = None,
    delivery: Delivery | None = None,
    limits: Limits | None = None,
    **bus_options: Any,
) -> Iterator[Tongban]:
    """A served write side; with `bus`, that one instead of a started real one, with the `delivery` it was given."""
    delivery = delivery or Delivery()
    metrics = Metrics()
    issuer = Issuer(settings)
    generous = limits or Limits(commands_per_second=100_000, commands_burst=100_000)

    with ExitStack() as stack:
        make: Callable[[Giver], Materials] | None = None
        access: ReadAccess | None = None
        if bus is not None:
            used = bus
        else:
            used, write_side = stack.enter_context(command_bus(settings, delivery, observer=metrics, **bus_options))
            make, access = stack.enter_context(prepared_materials(settings, write_side))
        records = stack.enter_context(open_pool(settings.database_url, DbRole.WRITER, size=2))
        app = create_app(
            bus=used,
            delivery=delivery,
            verifier=embedded_verifier(settings),
            settings=settings,
            checks=tuple,
            metrics=metrics,
            records=CommandRecords(records),
            materials=make,
            access=access,
            limits=generous,
        )
        with served(app, settings) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            yield Tongban(url, client, issuer, settings, metrics)
