"""How much a caller may send: bytes in one body, requests in a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tongban.api.problems import BODY_TOO_LARGE, Headers, Problem

COMMAND_BODY = 262_144
GRAPHQL_BODY = 32_768
BATCH_BODY = 8 * 1024 * 1024

# What is read and dropped of a body that is too large, so that a client that is still sending sees the answer
# instead of a reset connection. Past it the connection is closed on the sender.
_DRAINED = 16 * 1024 * 1024
_REMEMBERED = 100_000
_CLOSE: Headers = [(b"connection", b"close")]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one API process. Rates are per principal: requests per second, and how many at once on top."""

    command_body: int = COMMAND_BODY
    graphql_body: int = GRAPHQL_BODY
    batch_body: int = BATCH_BODY
    commands_per_second: float = 200.0
    commands_burst: int = 400
    queries_per_second: float = 200.0
    queries_burst: int = 400


async def read_body(receive: Receive, announced: bytes | None, limit: int) -> bytes:
    """The whole body, of at most `limit` bytes, whether its length is announced or it comes in chunks.

    Raises Problem (413) for a larger one, and for one whose sender went away.
    """
    too_large = announced is not None and (not announced.isdigit() or int(announced[:12]) > limit)
    if too_large and announced is not None and int(announced[:12] if announced.isdigit() else b"0") > _DRAINED:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _too_large(limit)
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        too_large = too_large or size > limit
        if not too_large:
            chunks.append(chunk)
        elif size > _DRAINED:
            break
        if not message.get("more_body", False):
            break
    if too_large:
        raise _too_large(limit)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem(BODY_TOO_LARGE, f"At most {limit} bytes are taken.", headers=_CLOSE, limit=limit)


class LimitBody:
    """ASGI: reads the body of a request within a limit before the application inside sees it. Raises Problem (413)."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        """Wrap `app`; `limit` in bytes."""
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything but HTTP as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        body = await read_body(receive, announced, self._limit)
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()  # a disconnect, for whoever streams an answer
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


class Rate:
    """How often each key may pass: the generic cell rate algorithm (ITU-T I.371), in memory, one number per key."""

    def __init__(self, per_second: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`per_second` in the long run, and `burst` at once."""
        self._interval = 1.0 / per_second
        self._tolerance = burst * self._interval
        self._clock = clock
        self._due: dict[str, float] = {}

    def wait(self, key: str) -> float:
        """Seconds until `key` may pass; 0.0 lets it pass now, and counts it."""
        now = self._clock()
        due = max(self._due.get(key, now), now) + self._interval
        if due - now > self._tolerance:
            return due - now - self._tolerance
        self._due[key] = due
        self._forget(now)
        return 0.0

    def charge(self, key: str, times: int) -> None:
        """Count as so many more; who was let in once may owe more than a burst, and waits for all of it afterwards."""
        now = self._clock()
        self._due[key] = max(self._due.get(key, now), now) + times * self._interval

    def _forget(self, now: float) -> None:
        if len(self._due) > _REMEMBERED:
            self._due = {name: at for name, at in self._due.items() if at > now}
