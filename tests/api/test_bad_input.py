"""Bad input of every kind gets its stated problem, never a 500, and changes nothing."""

from __future__ import annotations

import gc
import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.serving import Tongban
from tongban.api.bodies import BodyReader
from tongban.api.limits import COMMAND_BODY
from tongban.api.problems import Problem
from tongban.commands.handlers import HANDLERS
from tongban.domain.actor import Role
from tongban.domain.errors import DomainError

PARTY = "6b1f4a52-7a0e-4b57-9f43-3f2f6f9a7c10"
GOOD: dict[str, Any] = {"item": "food-licence", "applicant": PARTY, "channel": "WEB"}


def nested(depth: int) -> bytes:
    """A body whose deepest object is `depth` levels down."""
    return b'{"form":' + b'{"a":' * (depth - 1) + b"1" + b"}" * depth


def good_with(**members: Any) -> bytes:
    return json.dumps(GOOD | members).encode()


NOT_READABLE: list[tuple[str, bytes, str, str]] = [
    ("nothing", b"", "invalid-json", ""),
    ("half", b'{"item":', "invalid-json", ""),
    ("trailing", b"{} {}", "invalid-json", ""),
    ("comment", b"{} // so", "invalid-json", ""),
    ("single quotes", b"{'item': 1}", "invalid-json", ""),
    ("not a number", b'{"item": NaN}', "invalid-json", ""),
    ("infinity", b'{"item": -Infinity}', "invalid-json", ""),
    ("past double", b'{"item": 1e999}', "invalid-json", ""),
    ("byte order mark", b'\xef\xbb\xbf{"item": 1}', "invalid-json", ""),
    ("utf-16", '{"item": 1}'.encode("utf-16"), "invalid-json", ""),
    ("invalid utf-8", b'{"item": "\xff"}', "invalid-json", ""),
    ("overlong utf-8", b'{"item": "\xc0\x80"}', "invalid-json", ""),
    ("encoded surrogate", b'{"item": "\xed\xa0\x80"}', "invalid-json", ""),
    ("lone surrogate", b'{"item": "\\ud800"}', "invalid-json", ""),
    ("reversed surrogates", b'{"item": "\\udc00\\ud800"}', "invalid-json", ""),
    ("raw control character", b'{"item": "\x00"}', "invalid-json", ""),
    ("very deep", b'{"form":' + b"[" * 50_000, "invalid-json", ""),
    ("list", b"[]", "invalid-body", ""),
    ("text", b'"x"', "invalid-body", ""),
    ("null", b"null", "invalid-body", ""),
    ("NUL", b'{"item": "a\\u0000b"}', "invalid-body", "/item"),
    ("NUL in a name", b'{"form": {"a\\u0000": 1}}', "invalid-body", "/form"),
    ("NUL deep inside", b'{"form": {"a": [0, {"b": "\\u0000"}]}}', "invalid-body", "/form/a/1/b"),
    ("33 levels", nested(33), "invalid-body", "/form" + "/a" * 31),
    ("long text", good_with(form={"a": "x" * 10_001}), "invalid-body", "/form/a"),
    ("long name", good_with(form={"x" * 101: 1}), "invalid-body", "/form"),
    ("long id", good_with(item="x" * 101), "invalid-body", "/item"),
    ("whole number past 64 bits", b'{"form": {"a": 18446744073709551617}}', "invalid-body", "/form/a"),
    ("missing", b'{"item": "food-licence", "channel": "WEB"}', "invalid-body", "/applicant"),
    ("unknown", good_with(itme="x"), "invalid-body", "/itme"),
    ("unknown with a slash", good_with(**{"a/b~c": 1}), "invalid-body", "/a~1b~0c"),
    ("number for text", good_with(item=5), "invalid-body", "/item"),
    ("true for text", good_with(item=True), "invalid-body", "/item"),
    ("null for text", good_with(item=None), "invalid-body", "/item"),
    ("no uuid", good_with(applicant="me"), "invalid-body", "/applicant"),
    ("no channel of ours", good_with(channel="FAX"), "invalid-body", "/channel"),
    ("list for object", good_with(form=[]), "invalid-body", "/form"),
    ("object for list", good_with(materials={}), "invalid-body", "/materials"),
    (
        "unknown inside",
        good_with(materials=[{"material": "a", "how": "UPLOAD", "x": 1}]),
        "invalid-body",
        "/materials/0/x",
    ),
    ("wrong inside", good_with(materials=[{"material": "a", "how": "FAX"}]), "invalid-body", "/materials/0/how"),
    ("too many", good_with(materials=[{"material": "a", "how": "UPLOAD"}] * 1_001), "invalid-body", "/materials"),
    ("time without offset", good_with(effective_at="2026-03-02T09:30:00"), "invalid-body", "/effective_at"),
    ("date for time", good_with(effective_at="2026-03-02"), "invalid-body", "/effective_at"),
    ("number for time", good_with(effective_at=1772415000), "invalid-body", "/effective_at"),
    ("no such day", good_with(effective_at="2026-02-30T00:00:00Z"), "invalid-body", "/effective_at"),
    ("leap second", good_with(effective_at="2016-12-31T23:59:60Z"), "invalid-body", "/effective_at"),
    ("before all times", good_with(effective_at="0001-01-01T00:00:00+14:00"), "invalid-body", "/effective_at"),
    ("after all times", good_with(effective_at="9999-12-31T23:59:59-14:00"), "invalid-body", "/effective_at"),
]


@pytest.mark.parametrize(
    ("body", "code", "where"), [each[1:] for each in NOT_READABLE], ids=[e[0] for e in NOT_READABLE]
)
def test_a_body_that_is_not_readable_is_answered_400_with_a_pointer(
    system: Tongban, body: bytes, code: str, where: str
) -> None:
    before = system.events()
    answer = system.give("SubmitApplication", body, system.officer(Role.CLERK))
    told = answer.json()
    assert (answer.status_code, told["code"], told["pointer"]) == (400, code, where)
    assert answer.headers["content-type"] == "application/problem+json"
    assert system.events() == before


def test_32_levels_are_still_read(system: Tongban) -> None:
    members = json.loads(nested(32)) | GOOD
    answer = system.give("SubmitApplication", members, system.officer(Role.CLERK))
    assert answer.json()["code"] == "applicant-not-registered"


def test_dates_out_of_reach_are_not_readable(system: Tongban) -> None:
    for day in ("0001-01-01", "9999-12-31", "2026-02-30", "2026-01-01T00:00:00", 0):
        answer = system.give("IssueLicence", {"case_id": PARTY, "valid_from": day}, system.officer(Role.CLERK, "samr"))
        assert (answer.status_code, answer.json()["pointer"]) == (400, "/valid_from"), day


def test_a_refusal_never_repeats_what_was_sent(system: Tongban) -> None:
    secret = "机密" * 20
    for body in (
        {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": [secret], "name": secret},
        {"kind": "PERSON", "identifier_kind": secret, "identifier": secret, "name": secret},
        {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": secret, "name": secret},
    ):
        answer = system.give("RegisterParty", body, system.officer(Role.CLERK))
        assert answer.status_code in (400, 422)
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "text/plain"}, 415, "unsupported-media-type"),
        ({"content-type": "application/json; charset=gbk"}, 415, "unsupported-media-type"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
        ({"idempotency-key": ""}, 400, "idempotency-key-required"),
        ({"idempotency-key": "1"}, 400, "idempotency-key-required"),
        ({"idempotency-key": "{6b1f4a52-7a0e-4b57-9f43-3f2f6f9a7c10}"}, 400, "idempotency-key-required"),
        ({"if-match": "3"}, 400, "invalid-if-match"),
        ({"if-match": 'W/"3"'}, 400, "invalid-if-match"),
        ({"if-match": '"1", "2"'}, 400, "invalid-if-match"),
        ({"if-match": '"-1"'}, 400, "invalid-if-match"),
        ({"if-match": '"99999999999999999999"'}, 400, "invalid-if-match"),
        ({"if-match": "*"}, 400, "invalid-if-match"),
    ],
)
def test_headers_that_cannot_be_read_are_refused(
    system: Tongban, headers: dict[str, str], status: int, code: str
) -> None:
    sent = {
        "authorization": f"Bearer {system.officer(Role.CLERK)}",
        "idempotency-key": str(uuid4()),
        "content-type": "application/json",
    }
    answer = system.client.post("/commands/SubmitApplication", headers=sent | headers, content=good_with())
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_header_that_must_stand_alone_is_refused_when_repeated(system: Tongban) -> None:
    twice = [("idempotency-key", str(uuid4())), ("idempotency-key", str(uuid4()))]
    sent = [("authorization", f"Bearer {system.officer(Role.CLERK)}"), ("content-type", "application/json"), *twice]
    answer = system.client.post("/commands/SubmitApplication", headers=httpx.Headers(sent), content=good_with())
    assert answer.json()["code"] == "idempotency-key-required"


def test_ten_megabytes_are_answered_413_whether_announced_or_in_chunks(system: Tongban) -> None:
    large = b'{"form":"' + b"x" * 10_000_000 + b'"}'
    sent = {
        "authorization": f"Bearer {system.officer(Role.CLERK)}",
        "idempotency-key": str(uuid4()),
        "content-type": "application/json",
    }
    announced = system.client.post("/commands/SubmitApplication", headers=sent, content=large)
    chunks = (large[at : at + 65_536] for at in range(0, len(large), 65_536))
    streamed = system.client.post("/commands/SubmitApplication", headers=sent, content=chunks)
    for answer in (announced, streamed):
        assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (413, "body-too-large", 262_144)


def test_a_body_of_exactly_the_limit_is_read(system: Tongban) -> None:
    body = good_with()
    answer = system.give("SubmitApplication", body + b" " * (262_144 - len(body)), system.officer(Role.CLERK))
    assert answer.json()["code"] == "applicant-not-registered"
    answer = system.give("SubmitApplication", body + b" " * (262_145 - len(body)), system.officer(Role.CLERK))
    assert answer.status_code == 413


def test_a_body_announced_as_huge_is_refused_before_it_is_sent(system: Tongban) -> None:
    address = urlsplit(system.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.putrequest("POST", "/commands/SubmitApplication")
    connection.putheader("content-type", "application/json")
    connection.putheader("content-length", str(10**15))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_client_that_leaves_in_the_middle_of_a_body_changes_nothing(system: Tongban) -> None:
    before = system.events()
    address = urlsplit(system.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        raw.sendall(
            b"POST /commands/SubmitApplication HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 5000\r\n\r\n{"
        )
    assert system.client.get("/livez").status_code == 200
    assert system.events() == before


def test_what_is_no_http_does_not_disturb_the_others(system: Tongban) -> None:
    address = urlsplit(system.url)
    for junk in (b"\x16\x03\x01\x02\x00\x01", b"POST /commands/X HTTP/1.1\r\ncontent-length: x\r\n\r\n", b"\0" * 9000):
        with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
            raw.sendall(junk + b"\r\n\r\n")
            raw.settimeout(5)
            answer = raw.recv(200)
            assert b" 500 " not in answer
    assert system.client.get("/livez").status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
READERS = {name: BodyReader(name, handler.body) for name, handler in HANDLERS.items()}


def status_of(name: str, raw: bytes) -> int:
    try:
        READERS[name].read(raw)
    except Problem as problem:
        return problem.kind.status
    return 200


@given(name=st.sampled_from(sorted(READERS)), value=JSON, extra=st.binary(max_size=20))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_read_or_refused_with_400(name: str, value: Any, extra: bytes) -> None:
    for raw in (json.dumps(value).encode(), json.dumps(value).encode() + extra, extra):
        assert status_of(name, raw) in (200, 400)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_members_of_a_form_are_read_or_refused_with_400(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(READERS)))
    members = list(READERS[name].members)
    body = data.draw(st.dictionaries(st.sampled_from([*members, "effective_at"]), JSON, max_size=len(members) + 1))
    assert status_of(name, json.dumps(body).encode()) in (200, 400)


def test_a_body_that_grows_when_it_is_written_again_is_refused_before_it_waits_with_others() -> None:
    raw = b'{"form":{"a":[' + b",".join([b"1e15"] * 40_000) + b"]}}"
    assert len(raw) < COMMAND_BODY
    with pytest.raises(Problem) as refused:
        READERS["SubmitApplication"].read(raw)
    assert refused.value.kind.code == "body-too-large"


def refusals() -> int:
    """How many refusals are in memory."""
    return sum(isinstance(each, Problem | DomainError) for each in gc.get_objects())


def test_what_was_refused_is_let_go_without_the_collector(system: Tongban) -> None:
    officer = system.officer(Role.ACCEPTOR, "samr")
    gc.collect()
    gc.disable()
    before = refusals()
    try:
        for _ in range(20):
            assert system.give("AcceptApplication", {"case_id": "x"}, officer).status_code == 400
            assert system.give("AcceptApplication", {"case_id": str(uuid4())}, officer).status_code == 404
            assert system.give("AcceptApplication", {"case_id": str(uuid4())}, "forged").status_code == 401
            assert system.client.get(f"/nowhere/{uuid4()}").status_code == 404
        held = refusals() - before
    finally:
        gc.enable()
    assert held <= 2  # of the writer's last batch
