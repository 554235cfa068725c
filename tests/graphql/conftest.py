"""The real endpoint over real read tables; who asks is said in headers instead of a token."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.requests import Request

from tests.projections.conftest import ReadTables
from tests.servers import Database
from tests.story import Story, Told, officer
from tongban.domain.actor import Actor, Role
from tongban.domain.party.events import PartyKind
from tongban.graphql.view import ReadView
from tongban.infra.catalogue_names import CatalogueNames
from tongban.infra.database import DbRole, connect, open_pool
from tongban.infra.read_access import ReadAccess
from tongban.infra.reference import load_reference

SUPERVISOR = Actor("boss", Role.SUPERVISOR)


def citizen(party: UUID) -> Actor:
    """A person asking for himself."""
    return Actor(str(party), Role.CITIZEN)


@dataclass
class Asked:
    """An answer."""

    response: httpx.Response

    @property
    def data(self) -> Any:
        """`data`, where there are no errors."""
        body = self.response.json()
        assert "errors" not in body, body
        return body["data"]

    @property
    def codes(self) -> list[str]:
        """The codes of the errors."""
        return [error["extensions"]["code"] for error in self.response.json()["errors"]]


@dataclass
class World:
    """Told cases behind the endpoint."""

    story: Story
    view: ReadView
    tables: ReadTables
    buyer: UUID = field(init=False)
    shop: UUID = field(init=False)
    transfer: Told = field(init=False)
    food: Told = field(init=False)
    open_food: Told = field(init=False)

    def send(self, actor: Actor | None, method: str = "POST", **request: Any) -> httpx.Response:
        """One HTTP request as somebody."""

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.view)
            headers = {**({"actor": _written(actor)} if actor else {}), **request.pop("headers", {})}
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, "/", headers=headers, **request)

        return asyncio.run(go())

    def ask(self, actor: Actor | None, query: str, variables: Mapping[str, Any] | None = None) -> Asked:
        """One query as somebody."""
        return Asked(self.send(actor, json={"query": query, "variables": variables or {}}))


def _written(actor: Actor) -> str:
    return f"{actor.role}|{actor.id}|{actor.department or ''}"


def _read(request: Request) -> Actor | None:
    if "actor" not in request.headers:
        return None
    role, subject, department = request.headers["actor"].split("|")
    return Actor(subject, Role(role), department or None)


@pytest.fixture(scope="module")
def world(module_database: Database) -> Iterator[World]:
    """A transfer (rated by name), a food licence (rated anonymously) and one still open."""
    story = Story(seed=11)
    story.publish_all()
    buyer = story.register("王小明")
    shop = story.register("好味饭店", PartyKind.ORGANISATION)
    transfer = story.case(buyer, "property-transfer", grade=2)
    food = story.case(shop, "food-licence", anonymous=True, grade=5)
    open_food = story.case(shop, "food-licence", steps=2)
    with reader_of(module_database, story) as view:
        view.tables.apply(story.events)
        view.buyer, view.shop = buyer, shop
        view.transfer, view.food, view.open_food = transfer, food, open_food
        yield view


@contextmanager
def reader_of(database: Database, story: Story, **how: Any) -> Iterator[World]:
    """The endpoint over the read tables of a database; what personal boxes hold is told by the story."""
    with (
        connect(database.url, DbRole.PROJECTOR) as conn,
        open_pool(database.url, DbRole.READER, size=2) as pool,
    ):
        view = ReadView(
            reading=ReadAccess(pool).reading,
            get_actor=_read,
            unsealer=story,
            names=CatalogueNames(load_reference()),
            **how,
        )
        yield World(story, view, ReadTables(database, conn))


__all__ = ["SUPERVISOR", "Asked", "World", "citizen", "officer", "reader_of"]
