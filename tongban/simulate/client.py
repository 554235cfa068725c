"""Sends one command at a time over HTTP and waits out what passes by itself; everything else is a refusal's code.

Each command has its idempotency key, so sending it again is always safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event
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


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends: what a token is issued for."""

    role: str
    subject: str
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a command: `code` None means it was done (or was so already), else why not.

    `repeated`: it had been done by an earlier run. `unmet`: materials that no source has, to be uploaded instead.
    """

    code: str | None
    id: str = ""
    events: tuple[str, ...] = ()
    tries: int = 1
    repeated: bool = False
    unmet: tuple[str, ...] = ()


class ServiceGone(Exception):
    """The service gave no answer for as long as the client is patient: look at its log, then run this again."""


class Stopped(Exception):
    """The simulation is being stopped: this command is not waited for any longer."""


class CommandClient:
    """Commands and uploads over one kept-alive HTTP/1.1 connection. For one thread."""

    def __init__(
        self,
        base_url: str,
        token: Callable[[Principal], str],
        renew: Callable[[], None],
        *,
        patience: float,
        stop: Event,
    ) -> None:
        """`renew` forgets tokens that have expired.

        `patience` is how many seconds one command may wait for a service that is busy, restarting or away; `stop` ends
        the waiting.
        """
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(30.0),
            trust_env=False,  # a proxy of the environment is for the internet, not for this service
        )
        self._token = token
        self._renew = renew
        self._patience = patience
        self._stop = stop

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, command: str, body: Mapping[str, Any], principal: Principal, key: UUID) -> Reply:
        """Send until there is an answer. Raises ServiceGone when none comes in time, Stopped."""
        headers = {"content-type": "application/json", "idempotency-key": str(key)}
        answer, tries = self._insist(f"/commands/{command}", orjson.dumps(body), headers, principal)
        if not answer.is_success:
            return Reply(_code(answer), tries=tries, unmet=_unmet(answer))
        told = orjson.loads(answer.content)
        repeated = answer.headers.get("idempotency-replayed") == "true"
        return Reply(None, told["id"], tuple(told["events"]), tries, repeated)

    def batch(self, command: str, bodies: Sequence[Mapping[str, Any]], principal: Principal, key: UUID) -> list[Reply]:
        """Send many commands of one kind as one batch; a reply for each, in order. Raises as `send`."""
        headers = {"content-type": "application/json", "idempotency-key": str(key)}
        content = orjson.dumps({"commands": bodies})
        answer, tries = self._insist(f"/batches/{command}", content, headers, principal)
        if not answer.is_success:
            return [Reply(_code(answer), tries=tries)] * len(bodies)
        repeated = answer.headers.get("idempotency-replayed") == "true"
        return [_of_batch(told, repeated=repeated) for told in orjson.loads(answer.content)["results"]]

    def upload(self, content: bytes, party: str, principal: Principal, mandate: str | None = None) -> Reply:
        """Upload a paper of `party` until there is an answer; its id is the ref. Raises as `send`."""
        headers = {"content-type": "text/plain"}
        acting = f"&mandate={mandate}" if mandate is not None else ""
        answer, tries = self._insist(f"/uploads?party={party}{acting}", content, headers, principal)
        if not answer.is_success:
            return Reply(_code(answer), tries=tries)
        return Reply(None, orjson.loads(answer.content)["ref"], tries=tries)

    def _insist(
        self, path: str, content: bytes, headers: Mapping[str, str], principal: Principal
    ) -> tuple[httpx.Response, int]:
        """The answer that counts, and how many tries it took."""
        give_up = time.monotonic() + self._patience
        tries = clashes = renewals = 0
        wait = _SHORTEST_WAIT
        while True:
            if self._stop.is_set():
                raise Stopped
            tries += 1
            answer = self._post(path, content, headers, principal)
            if answer is not None:
                if answer.is_success:
                    return answer, tries
                code = _code(answer)
                if code == "token-expired" and not renewals:
                    renewals += 1
                    self._renew()
                    continue
                clashing = answer.status_code == HTTPStatus.CONFLICT
                clashes += clashing
                if answer.status_code not in _BUSY and not (clashing and clashes < _CLASHES):
                    return answer, tries
            pause = max(wait, _retry_after(answer))
            if time.monotonic() + pause > give_up:
                if answer is None:
                    raise ServiceGone(f"{self._http.base_url} gave no answer for {self._patience:g} s")
                return answer, tries
            self._stop.wait(pause)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _post(
        self, path: str, content: bytes, headers: Mapping[str, str], principal: Principal
    ) -> httpx.Response | None:
        token = {"authorization": f"Bearer {self._token(principal)}"}
        try:
            return self._http.post(path, content=content, headers={**headers, **token})
        except httpx.TransportError:
            return None


def _of_batch(told: Mapping[str, Any], *, repeated: bool) -> Reply:
    if "problem" in told:
        return Reply(told["problem"]["code"])
    return Reply(None, told["id"], tuple(told["events"]), repeated=repeated)


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


def _unmet(answer: httpx.Response) -> tuple[str, ...]:
    """The materials that a refusal says must be uploaded."""
    if _code(answer) != "material-not-met":
        return ()
    return tuple(each["material"] for each in orjson.loads(answer.content)["materials"])
