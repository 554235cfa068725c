"""/livez and /readyz: whether the process serves, and whether what it says can be relied on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tongban.infra.readiness import Check

Checks = Callable[[], Sequence[Check]]


async def livez(_: Request) -> Response:
    """The event loop answers: that is all. A dead database does not call for a restart of this process."""
    return JSONResponse({"status": "live"}, headers={"cache-control": "no-store"})


class Readyz:
    """200 when all checks hold, else 503 with the reasons. `?verbose` tells every check with its figures."""

    def __init__(self, checks: Checks) -> None:
        """`checks` gives what was seen last; it must not block."""
        self._checks = checks

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        checks = self._checks()
        ready = all(check.ok for check in checks)
        body: dict[str, object] = {"status": "ready" if ready else "not ready"}
        if not ready:
            body["reasons"] = [f"{check.name}: {check.why}" for check in checks if not check.ok]
        if "verbose" in request.query_params:
            body["checks"] = {check.name: {"ok": check.ok, **check.told} for check in checks}
        return JSONResponse(body, 200 if ready else 503, headers={"cache-control": "no-store"})
