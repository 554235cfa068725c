"""Sends one command at a time over HTTP and waits out what passes by itself; everything else is a refusal's code.

Each command has its idempotency key, so sending it again is always safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
import orjson

IssueToken = Callable[[str, str, str | None], str]
"""(role, subject, department) -> a bearer token."""

_BUSY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_CLASHES = 8
_SHORTEST_WAIT, _LONGEST_WAIT = 0.05, 5.0
_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends: what a token is issued for."""

    role: str
    subject: str
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a command: `code` None means it was done (or was so already), else why not."""

    code: str | None
    id: str = ""
    events: tuple[str, ...] = ()
    tries: int = 1


class ServiceGone(Exception):
    """The service gave no answer for as long as the client is patient: look at its log, then run this again."""


class CommandClient:
    """POST /commands/{Name} over kept-alive HTTP/1.1 connections."""

    def __init__(self, base_url: str, issue_token: IssueToken, *, connections: int, patience: float = 60.0) -> None:
        """`patience` is how many seconds one command may wait for a service that is busy, restarting or away."""
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(30.0),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,  # a proxy of the environment is for the internet, not for this service
        )
        self._token = lru_cache(_TOKENS)(
            lambda principal: issue_token(principal.role, principal.subject, principal.department)
        )
        self._patience = patience

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, command: str, body: Mapping[str, Any], principal: Principal, key: UUID) -> Reply:
        """Send until there is an answer. Raises ServiceGone when none comes in time."""
        content = orjson.dumps(body)
        give_up = asyncio.get_running_loop().time() + self._patience
        tries = clashes = renewals = 0
        wait = _SHORTEST_WAIT
        while True:
            tries += 1
            answer = await self._post(command, content, principal, key)
            if answer is not None:
                if answer.is_success:
                    told = orjson.loads(answer.content)
                    return Reply(None, told["id"], tuple(told["events"]), tries)
                code = _code(answer)
                if answer.status_code == HTTPStatus.UNAUTHORIZED and code == "token-expired" and not renewals:
                    renewals += 1
                    self._token.cache_clear()
                    continue
                if answer.status_code == HTTPStatus.CONFLICT:
                    clashes += 1
                if answer.status_code not in _BUSY and not 0 < clashes < _CLASHES:
                    return Reply(code, tries=tries)
            pause = max(wait, _retry_after(answer))
            if asyncio.get_running_loop().time() + pause > give_up:
                if answer is None:
                    raise ServiceGone(f"{self._http.base_url} gave no answer for {self._patience:.0f} s")
                return Reply(_code(answer), tries=tries)
            await asyncio.sleep(pause)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _post(self, command: str, content: bytes, principal: Principal, key: UUID) -> httpx.Response | None:
        headers = {
            "authorization": f"Bearer {self._token(principal)}",
            "content-type": "application/json",
            "idempotency-key": str(key),
        }
        try:
            return await self._http.post(f"/commands/{command}", content=content, headers=headers)
        except httpx.TransportError:
            return None


def _retry_after(answer: httpx.Response | None) -> float:
    told = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(told) if told.isascii() and told.isdigit() else 0.0


def _code(answer: httpx.Response) -> str:
    """The problem's code, never its detail: a refusal may speak of a person."""
    try:
        code = orjson.loads(answer.content)["code"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        code = None
    return code if isinstance(code, str) else f"http-{answer.status_code}"
