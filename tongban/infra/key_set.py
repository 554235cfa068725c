"""The public keys of an outside issuer (OpenID Connect): found by discovery or a set address, cached, fetched again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from tongban.infra.settings import Settings
from tongban.infra.tokens import IssuerUnreachable, SigningKey, Verifier

KEPT = 600.0  # seconds before the keys are fetched again
USABLE = 3600.0  # seconds that keys may still be relied on when the issuer does not answer
BETWEEN = 60.0  # seconds between two fetches that an unknown key id asks for
AFTER_FAILURE = 5.0  # seconds between two tries while the issuer does not answer
LARGEST = 1_048_576  # bytes of a key set
SMALLEST_RSA = 2048  # bits

log = structlog.get_logger(__name__)


class RemoteKeys:
    """The key set of one issuer."""

    def __init__(self, issuer: str, key_set_url: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        """Without `key_set_url` the issuer's discovery document says where the keys are."""
        self._issuer = issuer
        self._url = key_set_url
        self._clock = clock
        self._keys: dict[str | None, SigningKey] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()

    def fresh(self) -> bool:
        """Whether they were fetched in the last ten minutes, or the issuer has just not answered."""
        now = self._clock()
        if now - self._fetched < KEPT:
            return True
        return bool(self._keys) and now - self._fetched < USABLE and now - self._tried < AFTER_FAILURE

    def find(self, kid: str | None) -> SigningKey | None:
        """The key of that id; without an id, the only key there is."""
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def refresh(self) -> bool:
        """Fetch, unless that was just done. Old keys stay in use for an hour while the issuer does not answer."""
        with self._lock:
            now = self._clock()
            answered = self._fetched >= self._tried
            if now - self._tried < (BETWEEN if answered else AFTER_FAILURE):
                if not self._keys:
                    raise IssuerUnreachable
                return False
            self._tried = now
            try:
                keys = self._fetch()
            except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
                log.warning("issuer_keys_not_fetched", issuer=self._issuer, error=type(error).__name__)
                if not self._keys or now - self._fetched >= USABLE:
                    raise IssuerUnreachable from error
                return False
            self._keys = keys
            self._fetched = now
            return True

    def _fetch(self) -> dict[str | None, SigningKey]:
        with httpx.Client(timeout=5.0, follow_redirects=False) as client:
            url = self._url
            if not url:
                found = _get(client, self._issuer.rstrip("/") + "/.well-known/openid-configuration")
                if found["issuer"] != self._issuer:
                    raise ValueError("the discovery document is of another issuer")
                url = found["jwks_uri"]
                if not url.startswith("https://") and not self._issuer.startswith("http://"):
                    raise ValueError("the key set's address is not https")
            return _usable(_get(client, url)["keys"])


def remote_verifier(settings: Settings) -> Verifier:
    """Verifies tokens of the configured OpenID Connect issuer."""
    keys = RemoteKeys(settings.oidc_issuer, settings.oidc_jwks_url)
    return Verifier(keys, issuer=settings.oidc_issuer, audience=settings.oidc_audience)


def _get(client: httpx.Client, url: str) -> Any:
    with client.stream("GET", url, headers={"accept": "application/json"}) as response:
        response.raise_for_status()
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST:
                raise ValueError("the answer is too large")
    return orjson.loads(body)


def _usable(described: list[dict[str, Any]]) -> dict[str | None, SigningKey]:
    """The set's signing keys of the two algorithms; encryption keys, secrets and short keys are left out."""
    keys: dict[str | None, SigningKey] = {}
    for each in described:
        if each.get("use", "sig") != "sig":
            continue
        if each.get("kty") == "RSA" and each.get("alg", "RS256") == "RS256":
            key: SigningKey = RSAKey.import_key(each)
            if key.public_key.key_size < SMALLEST_RSA:
                continue
        elif each.get("kty") == "EC" and each.get("crv") == "P-256":
            key = ECKey.import_key(each)
        else:
            continue
        keys[each.get("kid")] = key
    return keys
