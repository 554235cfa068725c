"""POST /commands/{Name}: one request, one command, one answer. Plain ASGI, since every command comes through here."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from tongban.api.bodies import BodyReader
from tongban.api.giving import Giver
from tongban.api.limits import Limits, Rate, read_body
from tongban.api.materials import Materials
from tongban.api.principal import actor_from, pass_rate
from tongban.api.problems import (
    INVALID_IF_MATCH,
    KEY_REQUIRED,
    METHOD_NOT_ALLOWED,
    UNKNOWN_COMMAND,
    UNSUPPORTED_MEDIA_TYPE,
    Headers,
    Problem,
    problem_of,
    render,
)
from tongban.api.trace import continue_trace, trace_id
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Handler
from tongban.commands.requests import Answer, Outcome, Request, Unavailable
from tongban.domain.errors import RoleNotAllowed, StaleVersion
from tongban.infra.command_records import CommandRecords, Seen
from tongban.infra.metrics import Metrics
from tongban.infra.tokens import Verifier

PREFIX = "/commands/"
_UUID = re.compile(rb'"?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"?')
_VERSION = re.compile(rb'"([1-9][0-9]{0,17})"')
_JSON = re.compile(rb'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
_SINGLE = frozenset({b"authorization", b"idempotency-key", b"if-match", b"content-type", b"content-length"})

log = structlog.get_logger(__name__)


def public_handlers() -> Mapping[str, Handler]:
    """The commands that can be given over HTTP."""
    return {name: handler for name, handler in HANDLERS.items() if handler.public}


class CommandEndpoint:
    """The ASGI application of all commands. Everything that is made once per command is made at the start."""

    def __init__(
        self,
        *,
        giver: Giver,
        verifier: Verifier,
        metrics: Metrics,
        limits: Limits,
        rate: Rate,
        records: CommandRecords | None,
        materials: Materials | None,
    ) -> None:
        """`materials` finds out about what commands claim; without it commands are taken as they come."""
        self._giver = giver
        self._materials = materials
        self._verifier = verifier
        self._metrics = metrics
        self._limits = limits
        self._rate = rate
        self._records = records
        self._handlers = public_handlers()
        self._readers = {name: BodyReader(name, handler.body) for name, handler in self._handlers.items()}
        self._latencies: dict[tuple[str, str], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing that a caller sends raises out of here."""
        started = time.perf_counter()
        name: str = scope["path"][len(PREFIX) :]
        headers = headers_of(scope)
        trace = continue_trace(headers.get(b"traceparent", b"").decode("latin-1"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace_id=trace_id(trace))
        try:
            answer = await self._answer(name, scope["method"], headers, receive, trace)
        except Exception as error:
            problem = problem_of(error)
            outcome = problem.kind.code
            if problem.kind.ours:
                log.error("command_failed", code=outcome, exc_info=error)
            else:
                log.info("command_refused", code=outcome)
            status, told, body = render(problem, headers.get(b"accept-language", b"").decode("latin-1"))
            # Its frames hold the body, and it is held by one of them: until the collector's next, rare run.
            error.__traceback__ = None
        else:
            outcome = "done" if answer.events else "already_so"
            # The event says the same with its trace id; a line per command would cost a fifth of the rate.
            log.debug("command_done", stream=answer.id, version=answer.version, position=answer.position)
            status, told, body = _render(answer)
        self._observe(name, outcome, time.perf_counter() - started)
        told.append((b"traceparent", trace.encode()))
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, name: str, method: str, headers: Mapping[bytes, bytes], receive: Receive, trace: str
    ) -> Answer:
        if method != "POST":
            raise Problem(METHOD_NOT_ALLOWED, headers=[(b"allow", b"POST")])
        check_media_type(headers)
        raw = await read_body(receive, headers.get(b"content-length"), self._limits.command_body)
        actor = await actor_from(headers.get(b"authorization"), self._verifier)
        pass_rate(self._rate, actor)
        handler = self._handlers.get(name)
        if handler is None:
            raise Problem(UNKNOWN_COMMAND, commands=list(self._handlers))
        key = idempotency_key(headers)
        structlog.contextvars.bind_contextvars(command=name, command_id=str(key))
        expected = _expected_version(headers)
        body = self._readers[name].read(raw)
        if (case_id := getattr(body.command, "case_id", None)) is not None:
            structlog.contextvars.bind_contextvars(case_id=str(case_id))
        if actor.role not in handler.roles:
            raise RoleNotAllowed(role=actor.role, allowed=handler.roles)
        request = Request(
            name=name,
            body=body.command,
            actor=actor,
            idempotency_key=key,
            fingerprint=body.fingerprint,
            expected_version=expected,
            effective_at=body.effective_at,
            trace=trace,
        )
        try:
            return await (self._giver if self._materials is None else self._materials).give(request)
        except StaleVersion as stale:
            [told] = await changes_told(self._records, [stale])
            assert isinstance(told, Exception)
            raise told from None

    def _observe(self, name: str, outcome: str, seconds: float) -> None:
        # Names that are no command must not become time series.
        key = (name if name in self._handlers else "unknown", outcome)
        latency = self._latencies.get(key)
        if latency is None:
            latency = self._latencies[key] = self._metrics.command_seconds.labels(*key)
        latency.observe(seconds)


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name. One that must stand alone but is repeated becomes a value that nothing accepts."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = b", ".join((headers[name], value)) if name in _SINGLE and name in headers else value
    return headers


def idempotency_key(headers: Mapping[bytes, bytes]) -> UUID:
    """The Idempotency-Key. Raises Problem (400)."""
    found = _UUID.fullmatch(headers.get(b"idempotency-key", b""))
    if found is None:
        raise Problem(KEY_REQUIRED)
    return UUID(found[1].decode())


def check_media_type(headers: Mapping[bytes, bytes]) -> None:
    """Raises Problem (415) unless the body is JSON."""
    if not _JSON.fullmatch(headers.get(b"content-type", b"")):
        raise Problem(UNSUPPORTED_MEDIA_TYPE)


async def changes_told(records: CommandRecords | None, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes, where a stale version comes with what changed since, if that can be had."""
    stale = [outcome for outcome in outcomes if isinstance(outcome, StaleVersion)]
    if records is None or not stale:
        return list(outcomes)
    try:
        found = iter(await asyncio.to_thread(records.changes, [_seen(**outcome.fields) for outcome in stale]))
    except Unavailable:
        log.warning("changes_not_told", count=len(stale))
        return list(outcomes)
    return [
        StaleVersion(**outcome.fields, changed=next(found)) if isinstance(outcome, StaleVersion) else outcome
        for outcome in outcomes
    ]


def _seen(*, id: Any, expected: Any, current: Any) -> Seen:  # noqa: A002 - the refusal's own names
    return Seen(id, expected, current)


def status_of(answer: Answer) -> int:
    """201 where a stream begins with it."""
    return 201 if answer.created else 200


def _expected_version(headers: Mapping[bytes, bytes]) -> int | None:
    given = headers.get(b"if-match")
    if given is None:
        return None
    found = _VERSION.fullmatch(given.strip())
    if found is None:
        raise Problem(INVALID_IF_MATCH)
    return int(found[1])


def _render(answer: Answer) -> tuple[int, Headers, bytes]:
    body = orjson.dumps(
        {
            "id": answer.id,
            "number": answer.number,
            "version": answer.version,
            "position": answer.position,
            "events": answer.events,
        }
    )
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"etag", b'"%d"' % answer.version),
        (b"cache-control", b"no-store"),
    ]
    if answer.repeated:
        headers.append((b"idempotency-replayed", b"true"))
    return status_of(answer), headers, body
