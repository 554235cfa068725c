"""Bearer tokens: good ones speak for their actor, forged, expired and odd ones get 401 and change nothing."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.api.serving import Tongban
from tongban.domain.actor import Actor, Role
from tongban.infra.issuer import ISSUER, Issuer, IssuerRefused, embedded_verifier, load_key
from tongban.infra.settings import Settings
from tongban.infra.tokens import TokenRefused, Verifier

BODY = {"case_id": str(uuid4())}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def verifier(settings: Settings) -> Verifier:
    return embedded_verifier(settings)


def who(verifier: Verifier, token: str) -> Actor:
    return asyncio.run(verifier.verify(token))


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    told = {"iss": ISSUER, "aud": "tongban", "sub": "a-1", "role": "acceptor", "iat": now, "exp": now + 60}
    return {name: value for name, value in (told | more).items() if value is not None}


def signed(settings: Settings, header: dict[str, Any] | None = None, **more: Any) -> str:
    key = load_key(settings.secrets_folder)
    head = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid} | (header or {})
    return jwt.encode(head, claims(**more), key, ["ES256"])


def unsigned(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_good_token_names_its_actor(settings: Settings, verifier: Verifier) -> None:
    token = Issuer(settings).issue(Role.REVIEWER, "r-7", department="fire", district="310101")
    assert who(verifier, token) == Actor(id="r-7", role=Role.REVIEWER, department="fire", district="310101")


def test_a_party_id_is_taken_in_its_one_spelling(settings: Settings, verifier: Verifier) -> None:
    party = uuid4()
    assert who(verifier, signed(settings, role="citizen", sub=str(party).upper())).id == str(party)
    with pytest.raises(TokenRefused, match="party id"):
        who(verifier, signed(settings, role="enterprise", sub="e-1"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"sub": None},
        {"sub": ""},
        {"sub": "a b"},
        {"sub": "x" * 201},
        {"sub": 5},
        {"iat": None},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"exp": int(time.time()) - 31},
        {"role": None},
        {"role": "system"},
        {"role": "king"},
        {"role": ["admin"]},
        {"department": "samr,fire"},
        {"department": "samr' OR true"},
        {"department": 5},
        {"district": "x" * 65},
    ],
    ids=str,
)
def test_wrong_claims_are_refused(settings: Settings, verifier: Verifier, wrong: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        who(verifier, signed(settings, **wrong))


def test_an_end_beyond_all_times_does_no_harm(settings: Settings, verifier: Verifier) -> None:
    assert who(verifier, signed(settings, exp=10**400)).id == "a-1"


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": 5},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"kid": "other"},
        {"kid": 5},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
    ],
    ids=str,
)
def test_odd_headers_are_refused(settings: Settings, verifier: Verifier, header: dict[str, Any]) -> None:
    good = signed(settings)
    head = {"alg": "ES256", "typ": "at+jwt", "kid": load_key(settings.secrets_folder).kid} | header
    forged = unsigned(head, claims()).rpartition(".")[0] + "." + good.rpartition(".")[2]
    with pytest.raises(TokenRefused):
        who(verifier, forged)


def test_forged_signatures_are_refused(settings: Settings, verifier: Verifier) -> None:
    own = load_key(settings.secrets_folder)
    good = signed(settings)
    head, payload, signature = good.split(".")
    header = {"alg": "ES256", "typ": "at+jwt", "kid": own.kid}
    other = ECKey.generate_key("P-256")
    public = own.as_pem(private=False)
    forged = [
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        unsigned(header, claims(role="admin")).rpartition(".")[0] + "." + signature,
        jwt.encode(header, claims(), other, ["ES256"]),
        # the public key as a shared secret, and a key that the token brings along
        jwt.encode(header | {"alg": "HS256"}, claims(), OctKey.import_key(b"0" * 32), ["HS256"]),
        jwt.encode(header | {"jwk": other.as_dict(private=False)}, claims(), other, ["ES256"]),
        jwt.encode(header | {"alg": "RS256"}, claims(), RSAKey.generate_key(2048), ["RS256"]),
        unsigned(header | {"alg": "none"}, claims()),
        unsigned(header | {"alg": "NONE"}, claims(), public[:64]),
    ]
    for token in forged:
        with pytest.raises(TokenRefused):
            who(verifier, token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d.e",
        "x" * 8193,
        "\ud800",
        "é.é.é",
        unsigned({"alg": "ES256", "typ": "at+jwt"}, {}) + "=",
        base64.urlsafe_b64encode(b"[" * 3000).decode() + ".a.b",
        base64.urlsafe_b64encode(b'{"alg":"ES256","typ":"at+jwt"}').decode()
        + "."
        + base64.urlsafe_b64encode(b"[" * 3000).decode()
        + ".AAAA",
    ],
)
def test_what_is_no_token_is_refused(verifier: Verifier, token: str) -> None:
    with pytest.raises(TokenRefused):
        who(verifier, token)


def test_a_remembered_token_still_expires(settings: Settings) -> None:
    now = time.time()
    key = load_key(settings.secrets_folder)
    inner = embedded_verifier(settings)
    verifier = Verifier(inner._keys, issuer=ISSUER, audience="tongban", clock=lambda: now)
    token = signed(settings, exp=int(now) + 10)
    assert who(verifier, token).id == "a-1"
    now += 39
    assert who(verifier, token).id == "a-1", "within the leeway"
    now += 2
    with pytest.raises(TokenRefused) as refused:
        who(verifier, token)
    assert refused.value.expired
    assert key.kid


def test_the_embedded_key_is_kept_and_nobody_else_can_read_it(settings: Settings) -> None:
    first, again = load_key(settings.secrets_folder), load_key(settings.secrets_folder)
    assert first.as_dict(private=True) == again.as_dict(private=True)
    path = settings.secrets_folder / "issuer.jwk"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in settings.secrets_folder.iterdir()] == ["issuer.jwk"]
    path.write_text("{}")
    with pytest.raises(IssuerRefused, match=r"issuer\.jwk"):
        load_key(settings.secrets_folder)


def test_the_embedded_issuer_refuses_where_an_outside_one_is_set(tmp_path: Path) -> None:
    with pytest.raises(IssuerRefused, match=r"https://login\.example"):
        Issuer(Settings(data=tmp_path, oidc_issuer="https://login.example"))


def test_the_issuer_issues_nothing_that_would_be_refused(settings: Settings) -> None:
    issuer = Issuer(settings)
    with pytest.raises(TokenRefused):
        issuer.issue(Role.SYSTEM, "x")
    with pytest.raises(TokenRefused):
        issuer.issue(Role.CITIZEN, "no-uuid")
    with pytest.raises(IssuerRefused):
        issuer.issue(Role.CLERK, "c", ttl=0)


def test_without_a_good_token_every_command_is_answered_401(system: Tongban) -> None:
    before = system.events()
    expired = signed(system.settings, exp=int(time.time()) - 100)
    for token, code, challenge in (
        (None, "token-missing", 'Bearer realm="tongban"'),
        ("x.y.z", "token-invalid", 'Bearer realm="tongban", error="invalid_token"'),
        (expired, "token-expired", 'Bearer realm="tongban", error="invalid_token"'),
    ):
        answer = system.give("AcceptApplication", BODY, token)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.headers["www-authenticate"] == challenge
    for header in ("", "Bearer", "Basic YTpi", f"Token {expired}"):
        answer = system.give("AcceptApplication", BODY, None, authorization=header)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing"), header
    # The name of a command is not told to strangers.
    assert system.give("Nonsense", {}, None).json()["code"] == "token-missing"
    assert system.events() == before


def test_two_tokens_in_one_request_are_none(system: Tongban) -> None:
    good = system.officer(Role.CLERK)
    sent = [
        ("authorization", f"Bearer {good}"),
        ("authorization", f"Bearer {good}"),
        ("content-type", "application/json"),
    ]
    answer = system.client.post("/commands/AcceptApplication", headers=sent, content=b"{}")
    assert answer.status_code == 401
