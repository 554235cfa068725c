"""A data source as another office runs it: a server of its own, spoken to over a real connection, that can go wrong."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tongban.infra.sources.protocol import Question, SourceFailed
from tongban.infra.sources.simulated import SimulatedSource


@dataclass
class SourceServer:
    """Where it is, what it was asked, and what it does next.

    `wrong` are the ways in which its next answers go wrong, one each; then it answers as the simulated source does.
    """

    source: SimulatedSource
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        told = orjson.loads(await request.body())
        self.asked.append(told)
        wrong = self.wrong.pop(0) if self.wrong else ""
        match wrong:
            case "slow":
                await asyncio.sleep(30)
            case "empty":
                return Response(b"{}", 404, media_type="application/json")
            case "html":
                return Response(b"<html>maintenance</html>", media_type="text/html")
            case "lying":
                return Response(b'{"found": "yes", "as_of": "soon", "evidence_id": 7}', media_type="application/json")
            case "unnamed":
                return Response(b'{"found": true, "as_of": "2026-03-02T09:00:00Z", "evidence_id": ""}')
            case "huge":
                return Response(b"[" + b"0," * 100_000 + b"0]", media_type="application/json")
            case _ if wrong.isdigit():
                return Response(b"{}", int(wrong), media_type="application/json")
            case _:
                pass
        question = Question(**{**told, "subject": UUID(told["subject"]), "request_id": UUID(told["request_id"])})
        try:
            answer = await self.source.ask(question)
        except SourceFailed:
            return Response(b"{}", 500)
        return Response(orjson.dumps(answer), media_type="application/json")


@contextmanager
def source_server(source: SimulatedSource) -> Iterator[SourceServer]:
    """A running source on a free port of the loopback."""
    server = SourceServer(source)
    app = Starlette(routes=[Route("/answers", server.answer, methods=["POST"])])
    web = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=0))
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    while not web.started:
        assert thread.is_alive()
        time.sleep(0.005)
    server.url = f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        web.should_exit = True
        thread.join(10)


def nobody_listens() -> str:
    """The address of a source that is down."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
