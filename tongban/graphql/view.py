"""GraphQL over HTTP: POST with JSON, GET for queries; one request = one worker thread = one read transaction.

A request that names a version which cannot be seen yet waits between two of them, without thread and connection.

Statuses follow the GraphQL-over-HTTP draft: a request that was not executed is 400 under
`application/graphql-response+json`, and 200 under `application/json` if it was well-formed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import UUID

import orjson
import psycopg
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from psycopg import Cursor
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from tongban.domain.actor import Actor, Role
from tongban.domain.personal import Unsealer
from tongban.graphql.context import NORMAL, Measures, Names, Reading
from tongban.graphql.errors import INVALID, ReadUnavailable
from tongban.graphql.schema import SCHEMA
from tongban.projections.cases import cases_by_ids

MAY_INTROSPECT = frozenset({Role.INTEGRATOR, Role.ADMIN, Role.SUPERVISOR})
"""Who may ask for the schema by introspection; everybody may read `/schema.graphql`."""

LONGEST_WAIT = 2.0
"""Seconds that one request may spend waiting for projections, in all."""
MOST_WAITING = 100
"""Requests of one process that may wait at once; the next is told that the version cannot be seen yet."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.2

_RESPONSE = "application/graphql-response+json"
_JSON = "application/json"


def _now() -> datetime:
    return datetime.now(UTC)


class ReadView(GraphQL[None, None]):
    """The ASGI endpoint. It takes what it needs from the outside, so that it knows neither pools nor keys."""

    def __init__(
        self,
        *,
        reading: Callable[[Actor | None], AbstractContextManager[Cursor[Any]]],
        get_actor: Callable[[Request], Actor | None],
        unsealer: Unsealer,
        names: Names,
        may_introspect: Collection[Role] = MAY_INTROSPECT,
        measures: Measures = NORMAL,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """`reading(actor)` opens the transaction; `get_actor(request)` says who asks (None: sees nothing).

        `now` is the clock by which deadlines are told.
        """
        super().__init__(SCHEMA, graphql_ide=None, subscription_protocols=())
        self._reading = reading
        self._get_actor = get_actor
        self._unsealer = unsealer
        self._names = names
        self._may_introspect = may_introspect
        self._measures = measures
        self._now = now
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is wrong with it is said in JSON."""
        if scope["type"] == "websocket":
            # Nothing to subscribe to yet; closing before accepting answers the handshake with 403.
            await WebSocket(scope, receive, send).close()
            return
        request = Request(scope, receive)
        media_type = _media_type(request)
        if media_type is None:
            response = _failure(406, f"Accept {_RESPONSE} or {_JSON}.", "not-acceptable", _JSON)
        else:
            try:
                response = await self.run(request)
            except HTTPException as problem:
                response = _failure(problem.status_code, problem.reason, INVALID, media_type)
            except (psycopg.OperationalError, ReadUnavailable):
                response = _failure(503, "The read tables cannot be reached now.", "unavailable", media_type)
                response.headers["retry-after"] = "1"
        await response(scope, receive, send)

    def should_render_graphql_ide(self, request: Any) -> bool:  # noqa: ARG002 (the base class's signature)
        """Never: an IDE would be loaded from elsewhere."""
        return False

    def decode_json(self, data: str | bytes) -> object:
        """Strict JSON: no NaN, no lone surrogates, UTF-8 only."""
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        """Chinese stays Chinese, not escapes."""
        return orjson.dumps(data)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """The request's parameters. Raises HTTPException(400)."""
        try:
            data = await super().parse_http_body(request)
        except AttributeError:
            raise HTTPException(400, "The body must be a JSON object with `query`.") from None
        if isinstance(data, GraphQLRequestData) and not isinstance(data.operation_name, str | None):
            raise HTTPException(400, "`operationName` must be a string or null.")
        return data

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: None,  # noqa: ARG002 (the base class's signature)
        root_value: None,  # noqa: ARG002 (the base class's signature)
        sub_response: Response,  # noqa: ARG002 (the base class's signature)
    ) -> ExecutionResult:
        """Run the whole operation in one worker thread, in one transaction that is told who asks.

        Where it names versions that cannot be seen yet, once more when they can.
        """
        if isinstance(request_data, list):
            raise HTTPException(400, "Batching is not enabled")
        allowed = OperationType.from_http(request_adapter.method)
        actor = self._get_actor(request)
        deadline = monotonic() + LONGEST_WAIT
        try:
            while True:
                result, awaited = await run_in_threadpool(self._execute, request_data, allowed, actor)
                if not awaited or not await self._projected(awaited, actor, deadline):
                    return result
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason(request_adapter.method)) from error
        except MissingQueryError as error:
            raise HTTPException(400, "No GraphQL query found in the request") from error

    async def _projected(self, awaited: Mapping[UUID, int], actor: Actor | None, deadline: float) -> bool:
        """Wait until the cases have reached their versions. False: not in time, or too many wait already."""
        if self._waiting >= MOST_WAITING:
            return False
        self._waiting += 1
        try:
            pause = _FIRST_PAUSE
            while (left := deadline - monotonic()) > 0:
                await asyncio.sleep(min(pause, left))
                if await run_in_threadpool(self._are_projected, awaited, actor):
                    return True
                pause = min(pause * 1.5, _LONGEST_PAUSE)
            return False
        finally:
            self._waiting -= 1

    def _are_projected(self, awaited: Mapping[UUID, int], actor: Actor | None) -> bool:
        with self._reading(actor) as cursor:
            seen = cases_by_ids(cursor, list(awaited))
        return all(case in seen and seen[case].version >= version for case, version in awaited.items())

    def _execute(
        self, asked: GraphQLRequestData, allowed: Collection[OperationType], actor: Actor | None
    ) -> tuple[ExecutionResult, Mapping[UUID, int]]:
        """The result, and the versions that it could not see yet."""
        with self._reading(actor) as cursor:
            context = Reading(
                actor=actor,
                cursor=cursor,
                unsealer=self._unsealer,
                names=self._names,
                now=self._now(),
                measures=self._measures,
                may_introspect=actor is not None and actor.role in self._may_introspect,
            )
            result = self.schema.execute_sync(
                asked.query,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
                allowed_operation_types=allowed,
            )
        return result, context.awaited

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Remember which media type the client takes."""
        response = await super().get_sub_response(request)
        response.media_type = _media_type(request) or _JSON
        return response

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:  # noqa: ARG002 (the base class's signature)
        """`data` is left out where nothing was executed, as the draft asks."""
        answer: dict[str, Any] = {}
        errors = result.errors or []
        if result.data is not None or any(error.path for error in errors):
            answer["data"] = result.data
        if errors:
            answer["errors"] = [error.formatted for error in errors]
        return answer  # type: ignore[return-value]

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """The answer, with the status of its media type."""
        media_type = sub_response.media_type or _JSON
        status = 400 if media_type == _RESPONSE and "data" not in response_data else 200
        return _response(response_data, status, media_type)


def _media_type(request: Request | WebSocket) -> str | None:
    """The media type to answer with; None if the client takes none of ours."""
    accept = request.headers.get("accept", "*/*")
    taken = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    if _RESPONSE in taken:
        return _RESPONSE
    return _JSON if taken & {_JSON, "application/*", "*/*", ""} else None


def _failure(status: int, message: str, code: str, media_type: str) -> Response:
    return _response({"errors": [{"message": message, "extensions": {"code": code}}]}, status, media_type)


def _response(data: object, status: int, media_type: str) -> Response:
    return Response(orjson.dumps(data), status, media_type=f"{media_type}; charset=utf-8")
