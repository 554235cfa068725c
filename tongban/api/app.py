"""The HTTP application: which address leads where. What it needs is handed in by `bootstrap`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import orjson
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tongban.api.asyncapi import asyncapi
from tongban.api.batches import Batches
from tongban.api.commands import CommandEndpoint
from tongban.api.delivery import Delivery
from tongban.api.drafts import DraftEndpoints
from tongban.api.giving import Bus, Giver
from tongban.api.health import Checks, Readyz, livez
from tongban.api.limits import LimitBody, Limits, Rate
from tongban.api.materials import Materials
from tongban.api.openapi import openapi
from tongban.api.principal import Authenticated, header_of
from tongban.api.problems import METHOD_NOT_ALLOWED, UNKNOWN_ROUTE, Kind, Problem, problem_of, render
from tongban.api.uploads import UploadEndpoints
from tongban.infra.command_records import CommandRecords
from tongban.infra.metrics import Metrics
from tongban.infra.read_access import ReadAccess
from tongban.infra.settings import Settings
from tongban.infra.tokens import Verifier

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

log = structlog.get_logger(__name__)


def create_app(
    *,
    bus: Bus,
    delivery: Delivery,
    verifier: Verifier,
    settings: Settings,
    checks: Checks,
    metrics: Metrics,
    records: CommandRecords | None = None,
    materials: Callable[[Giver], Materials] | None = None,
    access: ReadAccess | None = None,
    graphql: ASGIApp | None = None,
    sdl: Callable[[], str] | None = None,
    limits: Limits | None = None,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """The application.

    `delivery` is what the bus was given as `deliver`. Without `records` no refusal says what changed, and there are no
    batches. `materials` makes what finds out about materials, and with it come uploads and drafts; `access` lets
    officers see uploads through their cases. `graphql` finds the caller in `scope[principal.ACTOR]`.
    `lifespan` starts and stops what belongs to the process (the bus, readiness).
    """
    limits = limits or Limits()
    rate = Rate(limits.commands_per_second, limits.commands_burst)
    giver = Giver(bus, delivery, settings.command_deadline)
    prepared = materials(giver) if materials else None
    direct: dict[str, ASGIApp] = {}
    direct["/commands"] = CommandEndpoint(
        giver=giver,
        verifier=verifier,
        metrics=metrics,
        limits=limits,
        rate=rate,
        records=records,
        materials=prepared,
    )
    if records is not None:
        direct["/batches"] = Batches(
            giver=giver,
            verifier=verifier,
            records=records,
            rate=rate,
            limits=limits,
            at_once=settings.batch_limit,
            most=settings.batch_commands,
            materials=prepared,
        )
    routes: list[BaseRoute] = [
        Route("/openapi.json", _document(openapi)),
        Route("/asyncapi.json", _document(asyncapi)),
        Route("/livez", livez),
        Route("/readyz", Readyz(checks).answer),
        Route("/metrics", _exposition(metrics)),
    ]
    if prepared is not None:
        uploads = UploadEndpoints(
            prepared, access, verifier, rate, limit=settings.upload_limit, types=settings.upload_types
        )
        routes += uploads.routes() + DraftEndpoints(prepared, verifier, rate, limit=limits.command_body).routes()
    if sdl is not None:
        routes.append(Route("/schema.graphql", _text(sdl)))
    if graphql is not None:
        queries = Rate(limits.queries_per_second, limits.queries_burst)
        # The caller first, so that a stranger's body is never read.
        guarded = Authenticated(LimitBody(graphql, limits.graphql_body), verifier, queries)
        routes += [Route("/graphql", guarded), Mount("/graphql", guarded)]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, metrics=metrics, direct=direct)],
        exception_handlers={HTTPException: _told_as_problem},
        lifespan=_with_own(delivery, prepared, lifespan),
    )


class Guard:
    """ASGI, outermost: whatever is raised inside becomes a problem document, and every answer is counted.

    Commands go straight to their endpoint (`direct`): routing and the exception layer would cost a tenth of their rate.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, direct: Mapping[str, ASGIApp]) -> None:
        """Wrap `app`."""
        self._app = app
        self._direct = direct
        self._metrics = metrics
        self._counters: dict[tuple[str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def counting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-content-type-options", b"nosniff")]
            await send(message)

        route, _, rest = scope["path"][1:].partition("/")
        app = self._direct.get("/" + route, self._app) if rest else self._app
        try:
            await app(scope, receive, counting)
        except Exception as error:
            problem = problem_of(error)
            if problem.kind.ours:
                log.error("request_failed", code=problem.kind.code, exc_info=error)
            if status == 0:
                accepted = (header_of(scope, b"accept-language") or b"").decode("latin-1")
                status, headers, body = render(problem, accepted)
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
            # Its frames hold the body, and it is held by one of them: until the collector's next, rare run.
            error.__traceback__ = None
        self._count(scope["path"], status)

    def _count(self, path: str, status: int) -> None:
        route = "/" + path.split("/", 2)[1]
        key = (route if route in _COUNTED else "other", status)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._metrics.http_requests.labels(*key)
        counter.inc()


# Addresses that strangers make up must not become time series.
_COUNTED = frozenset(
    {
        "/commands",
        "/batches",
        "/graphql",
        "/uploads",
        "/drafts",
        "/openapi.json",
        "/asyncapi.json",
        "/schema.graphql",
        "/livez",
        "/readyz",
        "/metrics",
    }
)


def _with_own(delivery: Delivery, materials: Materials | None, inner: Lifespan | None) -> Lifespan:
    """What belongs to the serving loop, around what belongs to the process."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        delivery.attach()
        try:
            if inner is None:
                yield
            else:
                async with inner(app):
                    yield
        finally:
            if materials is not None:
                await materials.close()

    return lifespan


async def _told_as_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = {404: UNKNOWN_ROUTE, 405: METHOD_NOT_ALLOWED}.get(error.status_code)
    if kind is None:
        kind = Kind("http-error", error.status_code, error.detail, error.detail)
    allowed = [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]
    status, headers, body = render(Problem(kind, headers=allowed), request.headers.get("accept-language", ""))
    response = Response(body, status)
    response.raw_headers = headers
    return response


def _document(make: Callable[[], dict[str, Any]]) -> Callable[[Request], Response]:
    body = orjson.dumps(make(), option=orjson.OPT_INDENT_2)

    def document(_: Request) -> Response:
        return Response(body, media_type="application/json")

    return document


def _text(make: Callable[[], str]) -> Callable[[Request], Response]:
    body = make()

    def text(_: Request) -> Response:
        return Response(body, media_type="text/plain")

    return text


def _exposition(metrics: Metrics) -> Callable[[Request], Response]:
    def exposition(_: Request) -> Response:
        body, media_type = metrics.exposition()
        return Response(body, media_type=media_type)

    return exposition
