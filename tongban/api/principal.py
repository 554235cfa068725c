"""Who asks: from the Authorization header to an actor, and what is said to those without a good token."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tongban.api.limits import Rate
from tongban.api.problems import (
    ISSUER_UNREACHABLE,
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    TOKEN_MISSING,
    TOO_MANY_REQUESTS,
    Headers,
    Problem,
    retry_after,
)
from tongban.domain.actor import Actor
from tongban.infra.tokens import IssuerUnreachable, TokenRefused, Verifier

ACTOR = "tongban.actor"
"""Where in the ASGI scope an application behind `Authenticated` finds the actor."""

_ASK: Headers = [(b"www-authenticate", b'Bearer realm="tongban"')]


def _refuse(error: str) -> Headers:
    return [(b"www-authenticate", f'Bearer realm="tongban", error="{error}"'.encode())]


async def actor_from(authorization: bytes | None, verifier: Verifier) -> Actor:
    """The actor of a bearer token (RFC 6750). Raises Problem (401, or 503 when no token can be checked)."""
    scheme, _, token = (authorization or b"").partition(b" ")
    if scheme.lower() != b"bearer" or not token.strip():
        raise Problem(TOKEN_MISSING, headers=_ASK)
    try:
        return await verifier.verify(token.strip().decode("latin-1"))
    except TokenRefused as refused:
        kind = TOKEN_EXPIRED if refused.expired else TOKEN_INVALID
        raise Problem(kind, refused.reason, headers=_refuse("invalid_token")) from None
    except IssuerUnreachable:
        raise Problem(ISSUER_UNREACHABLE, headers=retry_after(5)) from None


def rate_key(actor: Actor) -> str:
    """Whose requests are counted together."""
    return f"{actor.role}:{actor.id}"


def pass_rate(rate: Rate, actor: Actor) -> None:
    """Count a request of the actor. Raises Problem (429) when it comes too soon."""
    if wait := rate.wait(rate_key(actor)):
        raise Problem(TOO_MANY_REQUESTS, headers=retry_after(wait))


def header_of(scope: Scope, wanted: bytes) -> bytes | None:
    """The header's value; the first of several, None for none."""
    return next((value for name, value in scope["headers"] if name == wanted), None)


class Authenticated:
    """ASGI: lets requests with a good token pass, with their actor in the scope. Raises Problem for the others."""

    def __init__(self, app: ASGIApp, verifier: Verifier, rate: Rate) -> None:
        """Wrap `app`."""
        self._app = app
        self._verifier = verifier
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request; a WebSocket is closed before it opens, as there is nothing to subscribe to yet."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        actor = await actor_from(header_of(scope, b"authorization"), self._verifier)
        pass_rate(self._rate, actor)
        scope[ACTOR] = actor
        await self._app(scope, receive, send)
