"""Bearer tokens: from the text of an access token (RFC 9068) to the actor it speaks for, or a refusal.

The token's own header chooses neither algorithm nor key address: both are fixed by configuration.
"""

from __future__ import annotations

import base64
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

import orjson
from anyio import to_thread
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from tongban.domain.actor import PARTY_ROLES, Actor, Role

ALGORITHMS = ("RS256", "ES256")
TYPES = frozenset({"at+jwt", "application/at+jwt"})
LONGEST = 8192
LEEWAY = 30
_REMEMBERED = 10_000
_PARTS = 3  # header, payload, signature
_FAR = 2**40  # seconds since 1970; a later end of a token is as good as this one
# Goes into lists that commas separate (row-level security) and into log lines.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
_SUBJECT = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)

SigningKey = ECKey | RSAKey


class TokenRefused(Exception):
    """The token is not taken; the message says why and never repeats any of it. `expired`: it once was good."""

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        """Say why, in a sentence that may be shown to the caller."""
        super().__init__(reason)
        self.reason = reason
        self.expired = expired


class IssuerUnreachable(Exception):
    """The issuer's keys could not be fetched, so that nothing can be said of any token."""


class Keys(Protocol):
    """The issuer's public keys."""

    def fresh(self) -> bool:
        """Whether what is held is recent enough to be relied on."""
        ...

    def find(self, kid: str | None) -> SigningKey | None:
        """The key of that id; without an id, the only key there is."""
        ...

    def refresh(self) -> bool:
        """Fetch them again if that is due; whether anything was fetched. Blocks. Raises IssuerUnreachable."""
        ...


class Verifier:
    """Verifies tokens of one issuer for one audience. Tokens found good are remembered until they expire."""

    def __init__(self, keys: Keys, *, issuer: str, audience: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        self._keys = keys
        self._clock = clock
        self._good: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()
        self._registry = JWSRegistry(algorithms=list(ALGORITHMS))
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, token: str) -> Actor:
        """Who the token speaks for. Raises TokenRefused, IssuerUnreachable."""
        if len(token) > LONGEST:
            raise TokenRefused(f"The token is longer than {LONGEST} characters.")
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        if not self._keys.fresh():
            # A key that the issuer withdrew takes the tokens it signed with it.
            if await to_thread.run_sync(self._keys.refresh):
                self._good.clear()
        elif (good := self._good.get(digest)) is not None:
            if self._clock() < good[0]:
                return good[1]
            del self._good[digest]
        kid = _kid(token)
        if self._keys.find(kid) is None:
            await to_thread.run_sync(self._keys.refresh)
        expires, actor = self._read(token, self._keys.find(kid))
        self._good[digest] = (expires, actor)
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
        return actor

    def _read(self, token: str, key: SigningKey | None) -> tuple[float, Actor]:
        if key is None:
            raise TokenRefused("The token is signed with a key that the issuer does not have.")
        try:
            claims = jwt.decode(token, key, registry=self._registry).claims
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise TokenRefused("The token has expired.", expired=True) from None
        except JoseError as error:
            claim = getattr(error, "claim", None)
            raise TokenRefused(
                f"The token's {claim} is not accepted." if claim else "The signature is not valid."
            ) from None
        except Exception:  # noqa: BLE001 - whatever a forged token provokes in the parsers is the token's fault
            raise TokenRefused("The token is not readable.") from None
        return float(min(claims["exp"], _FAR)) + LEEWAY, actor_of(claims)


def actor_of(claims: dict[str, Any]) -> Actor:
    """The actor that verified claims name: `sub`, `role`, `department`, `district`. Raises TokenRefused."""
    try:
        role = Role(str(claims.get("role")))
    except ValueError:
        raise TokenRefused("The token's role is none of this system's.") from None
    if role is Role.SYSTEM:
        raise TokenRefused("No token may have the role system.")
    subject = claims["sub"]
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenRefused("The token's sub is not an id of at most 200 printable characters.")
    if role in PARTY_ROLES:
        try:
            subject = str(UUID(subject))
        except ValueError:
            raise TokenRefused(f"The token's sub must be a party id (UUID) for the role {role}.") from None
    return Actor(id=subject, role=role, department=_code(claims, "department"), district=_code(claims, "district"))


def _code(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise TokenRefused(f"The token's {name} is not a code of at most 64 letters, digits, '-', '_', '.' or ':'.")
    return value


def _kid(token: str) -> str | None:
    """The key id that the header names, after refusing headers that no honest issuer of ours writes."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise TokenRefused("The token is not a signed JWT.")
    try:
        padded = parts[0] + "=" * (-len(parts[0]) % 4)
        header = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        raise TokenRefused("The token's header is not readable.") from None
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise TokenRefused(f"The token's algorithm is not one of {', '.join(ALGORITHMS)}.")
    if "crit" in header or "b64" in header:
        raise TokenRefused("The token's header asks for an extension that is not supported.")
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise TokenRefused("The token is not an access token (typ at+jwt).")
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenRefused("The token's kid is not a text.")
    return kid
