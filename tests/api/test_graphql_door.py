"""The door before /graphql: who asks is known and in bounds before the application behind it sees a request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.api.serving import served
from tongban.api.app import create_app
from tongban.api.delivery import Delivery, Done
from tongban.api.limits import Limits
from tongban.api.principal import ACTOR
from tongban.commands.requests import Request as Asked
from tongban.domain.actor import Role
from tongban.infra.issuer import Issuer, embedded_verifier
from tongban.infra.metrics import Metrics
from tongban.infra.settings import Settings


class NoBus:
    def submit(self, request: Asked, done: Done) -> None:  # noqa: ARG002 - never asked
        raise AssertionError("no command is given here")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells who asked and how long the body was; fails when asked to."""
    request = Request(scope, receive)
    body = await request.body()
    if body == b"fail":
        raise RuntimeError("inside")
    actor = scope[ACTOR]
    await JSONResponse({"id": actor.id, "role": actor.role, "length": len(body)})(scope, receive, send)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    app = create_app(
        bus=NoBus(),
        delivery=Delivery(),
        verifier=embedded_verifier(settings),
        settings=settings,
        checks=tuple,
        metrics=Metrics(),
        graphql=echo,
        sdl=lambda: "type Query { me: ID }\n",
        limits=Limits(queries_per_second=0.1, queries_burst=4),
    )
    with served(app, settings) as url, httpx.Client(base_url=url, trust_env=False) as made:
        yield made


def bearer(settings: Settings) -> dict[str, str]:
    return {"authorization": f"Bearer {Issuer(settings).issue(Role.SUPERVISOR, 's-1')}"}


def test_the_application_behind_finds_the_actor_and_the_body(settings: Settings, client: httpx.Client) -> None:
    answer = client.post("/graphql", headers=bearer(settings), content=b"x" * 32_768)
    assert answer.json() == {"id": "s-1", "role": "supervisor", "length": 32_768}
    assert client.get("/graphql?query={me{id}}", headers=bearer(settings)).json()["length"] == 0


def test_strangers_are_answered_401_before_their_body_is_read(client: httpx.Client) -> None:
    for path in ("/graphql", "/graphql/", "/graphql/x"):
        answer = client.post(path, content=b"x" * 100_000)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing"), path


def test_a_large_query_is_answered_413(settings: Settings, client: httpx.Client) -> None:
    answer = client.post("/graphql", headers=bearer(settings), content=b"x" * 32_769)
    assert (answer.status_code, answer.json()["limit"]) == (413, 32_768)


def test_a_caller_that_asks_too_often_is_answered_429(settings: Settings, client: httpx.Client) -> None:
    statuses = [client.post("/graphql", headers=bearer(settings)).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]


def test_a_failure_behind_the_door_is_500_without_its_inside(settings: Settings, client: httpx.Client) -> None:
    answer = client.post("/graphql", headers=bearer(settings), content=b"fail")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "inside" not in answer.text


def test_documents_are_open_to_everyone(client: httpx.Client) -> None:
    assert client.get("/schema.graphql").text == "type Query { me: ID }\n"
    for path in ("/openapi.json", "/asyncapi.json", "/livez", "/metrics"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
