"""POST /batches/{Name}: many commands of one kind in one request, each judged alone. GET /batches/{id}: how far it is.

A batch that is sent again does only what is missing. What was done is told by the command log, under keys made of the
batch's id and the command's place; what was answered is kept, so that a refusal that was told stays what it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from tongban.api.bodies import BodyReader, load_object, need_object, wrong_at
from tongban.api.commands import (
    changes_told,
    check_media_type,
    headers_of,
    idempotency_key,
    public_handlers,
    status_of,
)
from tongban.api.giving import Giver
from tongban.api.limits import Limits, Rate, read_body
from tongban.api.materials import Materials
from tongban.api.principal import actor_from, pass_rate, rate_key
from tongban.api.problems import (
    BATCH_UNFINISHED,
    DEADLINE_PASSED,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    UNKNOWN_BATCH,
    UNKNOWN_COMMAND,
    Headers,
    Problem,
    preferred_language,
    problem_of,
    retry_after,
)
from tongban.api.trace import continue_trace, trace_id
from tongban.commands.requests import Answer, KeyInFlight, KeyReused, Outcome, Request, Unavailable, principal_of
from tongban.commands.work import logged_answer
from tongban.domain.actor import Actor
from tongban.domain.errors import RoleNotAllowed
from tongban.domain.ids import batch_command
from tongban.infra.command_records import CommandBatch, CommandRecords
from tongban.infra.tokens import Verifier

PREFIX = "/batches/"
_READ_AT_ONCE = 50
_VERSIONS = range(1, 10**18)

log = structlog.get_logger(__name__)


class Batches:
    """The ASGI application of batches."""

    def __init__(
        self,
        *,
        giver: Giver,
        verifier: Verifier,
        records: CommandRecords,
        rate: Rate,
        limits: Limits,
        at_once: int,
        most: int,
        materials: Materials | None,
    ) -> None:
        """`most` commands are taken, `at_once` given before their answers are waited for."""
        self._giver = giver
        self._materials = materials
        self._verifier = verifier
        self._records = records
        self._rate = rate
        self._limits = limits
        self._at_once = at_once
        self._most = most
        self._handlers = public_handlers()
        self._readers = {name: BodyReader(name, handler.body) for name, handler in self._handlers.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises what is to be told as a problem."""
        target: str = scope["path"][len(PREFIX) :]
        headers = headers_of(scope)
        trace = continue_trace(headers.get(b"traceparent", b"").decode("latin-1"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace_id=trace_id(trace))
        if scope["method"] == "POST":
            body, replayed = await self._give(target, headers, receive, trace)
        elif scope["method"] == "GET":
            body, replayed = await self._look(target, headers), False
        else:
            raise Problem(METHOD_NOT_ALLOWED, headers=[(b"allow", b"GET, POST")])
        told: Headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"traceparent", trace.encode()),
        ]
        if replayed:
            told.append((b"idempotency-replayed", b"true"))
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": told})
        await send({"type": "http.response.body", "body": body})

    async def _give(
        self, name: str, headers: Mapping[bytes, bytes], receive: Receive, trace: str
    ) -> tuple[bytes, bool]:
        check_media_type(headers)
        raw = await read_body(receive, headers.get(b"content-length"), self._limits.batch_body)
        actor = await actor_from(headers.get(b"authorization"), self._verifier)
        pass_rate(self._rate, actor)
        handler = self._handlers.get(name)
        if handler is None:
            raise Problem(UNKNOWN_COMMAND, commands=list(self._handlers))
        batch = idempotency_key(headers)
        structlog.contextvars.bind_contextvars(command=name, batch=str(batch))
        commands = self._commands(load_object(raw))
        if actor.role not in handler.roles:
            raise RoleNotAllowed(role=actor.role, allowed=handler.roles)
        # The request was let in as one command is; those after it wait for all of it.
        self._rate.charge(rate_key(actor), len(commands) - 1)
        asked = await self._read(name, commands, actor, batch, trace)
        given = CommandBatch(batch, name, _fingerprint(name, asked), len(asked), None)
        kept = await asyncio.to_thread(self._records.open_batch, principal_of(actor), given)
        if kept.fingerprint != given.fingerprint:
            raise KeyReused(idempotency_key=batch)
        if kept.answer is not None:
            return kept.answer, True
        outcomes = await changes_told(self._records, await self._do(asked))
        return await self._conclude(principal_of(actor), given, outcomes, headers), False

    def _commands(self, members: Mapping[str, Any]) -> list[Any]:
        commands = members.get("commands")
        if not isinstance(commands, list) or len(members) != 1:
            raise wrong_at((), "an object with one member, commands, a list of command bodies, is required")
        if not 1 <= len(commands) <= self._most:
            raise wrong_at(("commands",), f"from 1 to {self._most} commands are required")
        return commands

    async def _read(
        self, name: str, commands: Sequence[Any], actor: Actor, batch: UUID, trace: str
    ) -> list[Request | Problem]:
        """What is asked by each, or why that cannot be read."""
        asked: list[Request | Problem] = []
        for index, command in enumerate(commands):
            if index % _READ_AT_ONCE == 0:
                await asyncio.sleep(0)  # others are served meanwhile
            try:
                expected = _expected_version(need_object(command))
                body = self._readers[name].take(command)
            except Problem as unreadable:
                asked.append(unreadable)
                continue
            asked.append(
                Request(
                    name=name,
                    body=body.command,
                    actor=actor,
                    idempotency_key=batch_command(batch, index),
                    fingerprint=body.fingerprint,
                    expected_version=expected,
                    effective_at=body.effective_at,
                    trace=trace,
                    batch=batch,
                )
            )
        return asked

    async def _do(self, asked: Sequence[Request | Problem]) -> list[Outcome]:
        """The outcome of each, in order: so many at once that they share commits. Ends where one has none yet."""
        outcomes: list[Outcome] = []
        for start in range(0, len(asked), self._at_once):
            outcomes += await self._do_some(asked[start : start + self._at_once])
            if any(map(_passes, outcomes)):
                outcomes += [Unavailable()] * (len(asked) - len(outcomes))
                break
        return outcomes

    async def _do_some(self, asked: Sequence[Request | Problem]) -> list[Outcome]:
        if self._materials is None:
            return await self._giver.give_all(asked)
        # Whatever is to be found out first is found out side by side, so that all still share commits.
        ready = await asyncio.gather(*map(self._materials.made_out, asked))
        outcomes = await self._giver.give_all(ready)
        await asyncio.gather(*map(self._materials.done, asked, outcomes))
        return outcomes

    async def _conclude(
        self, principal: str, batch: CommandBatch, outcomes: Sequence[Outcome], headers: Mapping[bytes, bytes]
    ) -> bytes:
        language = preferred_language(headers.get(b"accept-language", b"").decode("latin-1"))
        results = [_result(index, outcome, language) for index, outcome in enumerate(outcomes)]
        tally = _tally(results)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and problem_of(outcome).kind is INTERNAL_ERROR:
                log.error("command_failed", code=INTERNAL_ERROR.code, exc_info=outcome)
        missing = sum(map(_passes, outcomes))
        log.info("batch_given", size=batch.size, done=tally["done"], missing=missing)
        if missing:
            # No single command is told of yet: what was refused so far is judged again with the rest.
            raise Problem(BATCH_UNFINISHED, headers=retry_after(1), batch=batch.id, done=tally["done"], missing=missing)
        body = orjson.dumps({"batch": batch.id, "results": results, **tally}, default=str)
        return await asyncio.to_thread(self._records.close_batch, principal, batch.id, body)

    async def _look(self, target: str, headers: Mapping[bytes, bytes]) -> bytes:
        actor = await actor_from(headers.get(b"authorization"), self._verifier)
        pass_rate(self._rate, actor)
        principal = principal_of(actor)
        try:
            batch = UUID(target)
        except ValueError:
            raise Problem(UNKNOWN_BATCH) from None
        kept = await asyncio.to_thread(self._records.find_batch, principal, batch)
        if kept is None:
            raise Problem(UNKNOWN_BATCH)
        if kept.answer is not None:
            return kept.answer
        keys = [batch_command(batch, index) for index in range(kept.size)]
        done = await asyncio.to_thread(self._records.answers, principal, keys)
        results = [_result(index, logged_answer(done[key]), "en") for index, key in enumerate(keys) if key in done]
        missing = kept.size - len(results)
        return orjson.dumps({"batch": batch, "results": results, **_tally(results), "missing": missing})


def _expected_version(members: dict[str, Any]) -> int | None:
    """Takes `expected_version` out of a command's members: in a batch it stands there instead of in If-Match."""
    expected = members.pop("expected_version", None)
    if expected is None:
        return None
    if type(expected) is not int or expected not in _VERSIONS:
        raise wrong_at(("expected_version",), "a version, from 1, is required")
    return expected


def _fingerprint(name: str, asked: Sequence[Request | Problem]) -> bytes:
    """The digest of all that is asked. Of what cannot be read it is why, since that will be answered."""
    digest = sha256(name.encode())
    for request in asked:
        if isinstance(request, Request):
            digest.update(b"%b %d\n" % (request.fingerprint, request.expected_version or 0))
        else:
            digest.update(orjson.dumps(request.document("en"), default=str))
    return digest.digest()


def _passes(outcome: Outcome) -> bool:
    """Whether it is no outcome yet: the command may be done later, or may have been."""
    return isinstance(outcome, Unavailable | KeyInFlight) or (
        isinstance(outcome, Problem) and outcome.kind is DEADLINE_PASSED
    )


def _result(index: int, outcome: Outcome, language: str) -> dict[str, Any]:
    if isinstance(outcome, Answer):
        told = {"id": outcome.id, "number": outcome.number, "version": outcome.version, "position": outcome.position}
        return {"index": index, "status": status_of(outcome), **told, "events": outcome.events}
    problem = problem_of(outcome).document(language)
    return {"index": index, "status": problem["status"], "problem": problem}


def _tally(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    refused = sum("problem" in result for result in results)
    return {"done": len(results) - refused, "refused": refused}
