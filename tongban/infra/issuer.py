"""The embedded issuer: signs tokens for development, and for `tongban token`. A production system has its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from tongban.domain.actor import Role
from tongban.infra.settings import Settings
from tongban.infra.tokens import SigningKey, Verifier, actor_of

ISSUER = "urn:tongban:embedded-issuer"
KEY_FILE = "issuer.jwk"
LONGEST_LIFE = 366 * 24 * 3600


class IssuerRefused(Exception):
    """No token is issued; the message says why and what to do."""


class Issuer:
    """Issues access tokens (RFC 9068) signed ES256 with the key in `<secrets>/issuer.jwk`, made on first use."""

    def __init__(self, settings: Settings) -> None:
        """Raises IssuerRefused where tokens come from an outside issuer, or the key file is broken."""
        if settings.oidc_issuer:
            raise IssuerRefused(
                f"Tokens come from {settings.oidc_issuer} here: ask it for one, or unset TONGBAN_OIDC_ISSUER."
            )
        self._audience = settings.oidc_audience
        self._key = load_key(settings.secrets_folder)

    def issue(
        self,
        role: Role,
        subject: str,
        *,
        department: str | None = None,
        district: str | None = None,
        ttl: int = 3600,
    ) -> str:
        """A token that is good for `ttl` seconds. Raises TokenRefused for one that would not be accepted."""
        if not 0 < ttl <= LONGEST_LIFE:
            raise IssuerRefused(f"A token lives 1 to {LONGEST_LIFE} seconds, not {ttl}.")
        now = int(time.time())
        claims = {"sub": subject, "role": str(role), "department": department, "district": district}
        actor_of(claims)
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self._key.kid}
        said = {name: value for name, value in claims.items() if value is not None}
        times = {"iat": now, "exp": now + ttl}
        return jwt.encode(header, {"iss": ISSUER, "aud": self._audience, **said, **times}, self._key, ["ES256"])


class EmbeddedKeys:
    """The embedded issuer's one key, as `Keys` of a verifier."""

    def __init__(self, key: ECKey) -> None:
        """Keep only what verifies."""
        self._key = ECKey.import_key(key.as_dict(private=False))

    def fresh(self) -> bool:
        """It never changes while the process runs."""
        return True

    def find(self, kid: str | None) -> SigningKey | None:
        """The key, for its own id or none."""
        return self._key if kid in (None, self._key.kid) else None

    def refresh(self) -> bool:
        """There is nothing to fetch."""
        return False


def embedded_verifier(settings: Settings) -> Verifier:
    """Verifies what the embedded issuer signs."""
    return Verifier(EmbeddedKeys(load_key(settings.secrets_folder)), issuer=ISSUER, audience=settings.oidc_audience)


def load_key(folder: Path) -> ECKey:
    """The issuer's key pair (JWK), made and kept if the file does not exist. Safe for two processes at once."""
    path = folder / KEY_FILE
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        temporary = folder / f".{KEY_FILE}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(made.as_dict(private=True)))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # fails if another process was first; then its key is the one
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    try:
        key = ECKey.import_key(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, JoseError):
        key = None
    if key is None or not key.is_private or key.curve_name != "P-256" or not key.kid:
        raise IssuerRefused(f"{path}: is not a private P-256 JWK with a kid: delete it, and a new one is made.")
    return key
