"""Tokens of an outside issuer: keys by discovery over real HTTP, cached, fetched again when one is unknown."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tongban.domain.actor import Actor, Role
from tongban.infra.key_set import AFTER_FAILURE, BETWEEN, KEPT, USABLE, RemoteKeys
from tongban.infra.tokens import IssuerUnreachable, SigningKey, TokenRefused, Verifier


class Idp:
    """An identity provider: discovery document and key set, whose answers a test can change."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.broken = False
        idp = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                idp.asked.append(self.path)
                found = {
                    "/.well-known/openid-configuration": {"issuer": idp.named, "jwks_uri": idp.url + "/keys"},
                    "/keys": {"keys": idp.keys},
                }.get(self.path)
                body = json.dumps(found).encode()
                self.send_response(500 if idp.broken or found is None else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.named = self.url
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def sign(self, key: SigningKey, algorithm: str, **more: Any) -> str:
        now = int(time.time())
        said = {"iss": self.url, "aud": "tongban", "sub": "o-1", "role": "decider", "iat": now, "exp": now + 600}
        return jwt.encode({"alg": algorithm, "typ": "at+jwt", "kid": key.kid}, said | more, key, [algorithm])

    def publish(self, *keys: SigningKey | OctKey) -> None:
        self.keys = [key.as_dict(private=False) | {"kid": key.kid} for key in keys]


@pytest.fixture
def idp() -> Iterator[Idp]:
    running = Idp()
    yield running
    running.server.shutdown()
    running.server.server_close()
    running.thread.join()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(idp: Idp, clock: Clock) -> Verifier:
    return Verifier(RemoteKeys(idp.url, clock=clock), issuer=idp.url, audience="tongban")


def rsa(kid: str, bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid})


def ec(kid: str, curve: Any = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid})


def who(verifier: Verifier, token: str) -> Actor:
    return asyncio.run(verifier.verify(token))


def test_rs256_and_es256_tokens_of_the_issuer_are_taken_and_its_keys_asked_once(idp: Idp, verifier: Verifier) -> None:
    one, two = rsa("r"), ec("e")
    idp.publish(one, two)
    for _ in range(5):
        assert who(verifier, idp.sign(one, "RS256")) == Actor(id="o-1", role=Role.DECIDER)
        assert who(verifier, idp.sign(two, "ES256")) == Actor(id="o-1", role=Role.DECIDER)
    assert idp.asked == ["/.well-known/openid-configuration", "/keys"]


def test_an_unknown_key_is_asked_for_at_most_once_a_minute(idp: Idp, clock: Clock, verifier: Verifier) -> None:
    old, new = rsa("old"), rsa("new")
    idp.publish(old)
    who(verifier, idp.sign(old, "RS256"))
    idp.publish(old, new)
    for _ in range(3):
        with pytest.raises(TokenRefused):
            who(verifier, idp.sign(new, "RS256"))
    assert idp.asked.count("/keys") == 1
    clock.now += BETWEEN
    assert who(verifier, idp.sign(new, "RS256")).id == "o-1"
    assert idp.asked.count("/keys") == 2


def test_a_withdrawn_key_takes_its_remembered_tokens_with_it(idp: Idp, clock: Clock, verifier: Verifier) -> None:
    old, new = rsa("old"), rsa("new")
    idp.publish(old)
    token = idp.sign(old, "RS256")
    who(verifier, token)
    idp.publish(new)
    clock.now += KEPT
    with pytest.raises(TokenRefused):
        who(verifier, token)


def test_an_issuer_that_does_not_answer_makes_old_keys_do_for_an_hour(
    idp: Idp, clock: Clock, verifier: Verifier
) -> None:
    key = rsa("k")
    idp.publish(key)
    who(verifier, idp.sign(key, "RS256"))
    idp.broken = True
    clock.now += KEPT
    assert who(verifier, idp.sign(key, "RS256")).id == "o-1"
    clock.now += USABLE
    with pytest.raises(IssuerUnreachable):
        who(verifier, idp.sign(key, "RS256"))
    idp.broken = False
    clock.now += AFTER_FAILURE
    assert who(verifier, idp.sign(key, "RS256")).id == "o-1"


def test_an_issuer_that_never_answered_says_nothing_of_any_token(idp: Idp, verifier: Verifier) -> None:
    idp.broken = True
    for _ in range(3):
        with pytest.raises(IssuerUnreachable):
            who(verifier, idp.sign(rsa("k"), "RS256"))
    assert len(idp.asked) == 1, "and is not asked for each of them"


def test_a_discovery_document_of_another_issuer_is_not_believed(idp: Idp, verifier: Verifier) -> None:
    idp.named = "https://evil.example"
    key = rsa("k")
    idp.publish(key)
    with pytest.raises(IssuerUnreachable):
        who(verifier, idp.sign(key, "RS256"))


def test_a_set_key_address_needs_no_discovery(idp: Idp) -> None:
    key = rsa("k")
    idp.publish(key)
    verifier = Verifier(RemoteKeys(idp.url, idp.url + "/keys"), issuer=idp.url, audience="tongban")
    assert who(verifier, idp.sign(key, "RS256")).id == "o-1"
    assert idp.asked == ["/keys"]


def test_keys_that_must_not_sign_are_left_out_of_the_set(idp: Idp, verifier: Verifier) -> None:
    good = rsa("good")
    encrypting, curve = ec("enc"), ec("p384", "P-384")
    idp.publish(good, encrypting, curve)
    idp.keys[1]["use"] = "enc"
    idp.keys.append({"kty": "oct", "kid": "secret", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"})
    idp.keys.append({"kty": "OKP", "kid": "x"})
    assert who(verifier, idp.sign(good, "RS256")).id == "o-1"
    with pytest.raises(TokenRefused):
        who(verifier, idp.sign(encrypting, "ES256"))


def test_a_key_signs_with_its_own_algorithm_only(idp: Idp, verifier: Verifier) -> None:
    one, two = rsa("r"), ec("e")
    idp.publish(one, two)
    token = idp.sign(two, "ES256")
    header = json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": "e"}).encode()
    forged = base64.urlsafe_b64encode(header).rstrip(b"=").decode() + token[token.index(".") :]
    with pytest.raises(TokenRefused):
        who(verifier, forged)
