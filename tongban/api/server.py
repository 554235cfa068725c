"""Serving the application with uvicorn, with the limits that keep a slow or hostile peer from holding it."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

from tongban.infra.settings import Settings

# Connections and requests at once; past that uvicorn answers 503 by itself.
_CONCURRENCY = 5_000
_IDLE_SECONDS = 75


def server(app: ASGIApp, settings: Settings) -> uvicorn.Server:
    """The server, not yet started: `run()` returns after SIGINT or SIGTERM, once open requests are answered."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            # Whose address a request comes from decides nothing here, so no header is trusted for it.
            proxy_headers=False,
            server_header=False,
            # Lines of ours, in our form (infra/logs.py).
            log_config=None,
            access_log=False,
            limit_concurrency=_CONCURRENCY,
            backlog=2048,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=10,
            lifespan="on",
        )
    )
