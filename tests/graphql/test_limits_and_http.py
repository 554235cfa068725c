"""What is refused, and how HTTP says it."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.graphql.conftest import SUPERVISOR, World, citizen, officer
from tongban.commands.ports import LogUnavailable
from tongban.domain.actor import Actor, Role
from tongban.graphql import case, view
from tongban.graphql.schema import SCHEMA
from tongban.graphql.sdl import sdl
from tongban.projections.items import BY_ID
from tongban.projections.keyset import BadCursor, Keyset
from tongban.projections.timeline import IN_ORDER

RESPONSE = "application/graphql-response+json"


def nested(depth: int) -> str:
    """A query that is `depth` fields deep."""
    inner = "id"
    for number in range(depth - 2):
        inner = f"{'applicant' if number % 2 == 0 else 'case(x: 1)'} {{ {inner} }}"
    return f'{{ case(id: "x") {{ {inner} }} }}'


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (nested(13), "12 fields deep"),
        (
            "{"
            + " ".join(f"a{i}: me {{ id }}" for i in range(10))
            + " me { "
            + " ".join(f"b{i}: id" for i in range(6))
            + "} }",
            "root fields",
        ),
        ("{ me { " + " ".join(f"b{i}: id" for i in range(16)) + " } }", "15 aliases"),
        ("{" + " ".join(f"r{i}: me {{ id }}" for i in range(11)) + "}", "10 root fields"),
        ("{ me { cases(first: 100) { edges { node { timeline(first: 100) { edges { cursor } } } } } } }", "page sizes"),
        (
            "{ me { cases(first: 99999999999999) { edges { node { timeline(first: 100) { edges { cursor } } } } } } }",
            "page sizes",
        ),
        ("{ items(first: " + "9" * 5_000 + ") { edges { cursor } } }", "a number"),
        ("query($f: Int = " + "9" * 5_000 + ") { items(first: $f) { edges { cursor } } }", "a number"),
        (
            "query($f: Int!) { me { cases(first: $f) { edges { node { timeline(first: $f) { edges { cursor }}}}}}}",
            "page sizes",
        ),
        (
            (
                "{ me { cases { edges { node { timeline(first: 30) { edges { node { eventId data holders type"
                " version erased personal stream recordedAt effectiveAt } } } } } } } }"
            ),
            "page sizes",
        ),
    ],
)
def test_query_that_asks_for_too_much_is_refused(world: World, query: str, said: str) -> None:
    asked = world.ask(citizen(world.buyer), query, {"f": 100} if "$f" in query else None)
    assert asked.codes == ["query-too-large"]
    assert said in asked.response.json()["errors"][0]["message"]


def test_fragments_that_multiply_are_refused_at_once(world: World) -> None:
    bomb = (
        "{ me { ...f0 } } "
        + " ".join(f"fragment f{i} on Party {{ ...f{i + 1} ...f{i + 1} }}" for i in range(60))
        + " fragment f60 on Party { id }"
    )
    circle = "{ me { ...a } } fragment a on Party { ...b } fragment b on Party { ...a }"
    started = time.monotonic()
    assert world.ask(citizen(world.buyer), bomb).codes == ["query-too-large"]
    assert set(world.ask(citizen(world.buyer), circle).codes) == {"graphql-invalid"}
    assert time.monotonic() - started < 2


def test_too_many_tokens_are_refused(world: World) -> None:
    assert world.ask(SUPERVISOR, "{ me { " + "id " * 1001 + "} }").codes == ["graphql-invalid"]


def test_queries_of_a_homepage_size_are_allowed(world: World) -> None:
    query = """{ me { name cases(first: 20) { edges { cursor node { id number state version submittedAt acceptedAt
        decidedAt closedAt channel item { id version name } branches { department holder state opinion }
        materials { material how source } licence { id number } rating { grade } } }
        pageInfo { hasNextPage endCursor } }
        licences(first: 20) { edges { node { id number type validFrom validTo } } } } }"""
    assert world.ask(citizen(world.buyer), query).data["me"]["name"] == "王小明"


@pytest.mark.parametrize("first", [0, -1, 101, 2147483647])
def test_page_size_out_of_bounds_is_refused(world: World, first: int) -> None:
    query = 'query($f: Int!) { department(code: "samr") { queue(first: $f) { edges { cursor } } } }'
    assert world.ask(officer("samr"), query, {"f": first}).codes == ["bad-page-size"]


@pytest.mark.parametrize("after", ["", "x", "你", "WyJxdWV1ZSJd", "WyJjYXNlcyIsIDEsIDJd", "A" * 600, "\u0000"])
def test_bad_cursors_are_told(world: World, after: str) -> None:
    for query in (
        'query($a: String!) { department(code: "samr") { queue(first: 5, after: $a) { edges { cursor } } } }',
        "query($a: String!) { items(first: 5, after: $a) { edges { cursor } } }",
        "query($a: String!) { me { cases(after: $a) { edges { cursor } } licences { edges { cursor } } } }",
    ):
        asked = world.ask(citizen(world.buyer), query, {"a": after})
        assert asked.codes == ["bad-cursor"]
        assert "Traceback" not in asked.response.text


def test_introspection_is_for_integrators_admins_and_supervisors(world: World) -> None:
    from graphql import get_introspection_query

    for role in Role:
        asked = world.ask(Actor("x", role), get_introspection_query())
        if role in (Role.INTEGRATOR, Role.ADMIN, Role.SUPERVISOR):
            assert asked.data["__schema"]
        else:
            assert set(asked.codes) == {"graphql-invalid"}
    assert world.ask(None, "{ __typename }").data == {"__typename": "Query"}


@pytest.mark.parametrize(
    "request_",
    [
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"content": b"\xff\xfe", "headers": {"content-type": "application/json"}},
        {"content": b'{"query": NaN}', "headers": {"content-type": "application/json"}},
        {
            "content": b'{"query": "{me{id}}", "variables": {"a": "\\ud800"}}',
            "headers": {"content-type": "application/json"},
        },
        {"content": b"[" * 5000, "headers": {"content-type": "application/json"}},
        {"json": 5},
        {"json": None},
        {"json": "x"},
        {"json": {}},
        {"json": {"query": 5}},
        {"json": {"query": ""}},
        {"json": {"query": "{ me { id } }", "variables": [1]}},
        {"json": {"query": "{ me { id } }", "operationName": [1]}},
        {"json": {"query": "{ me { id } }", "operationName": "other"}},
        {"json": {"query": "{ me { id } }", "extensions": 3}},
        {"json": [{"query": "{ me { id } }"}]},
        {"content": b"query=x", "headers": {"content-type": "application/x-www-form-urlencoded"}},
    ],
)
def test_unreadable_requests_are_400_in_json(world: World, request_: dict[str, Any]) -> None:
    response = world.send(SUPERVISOR, **request_)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "graphql-invalid"


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "{ case { id } }",
        "mutation { a }",
        "subscription { a }",
        '{ items(first: "x") { edges { cursor } } }',
    ],
)
def test_invalid_queries_are_400_under_the_new_media_type_and_have_no_data(world: World, query: str) -> None:
    response = world.send(SUPERVISOR, json={"query": query}, headers={"accept": RESPONSE})
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(RESPONSE)
    assert "data" not in response.json()
    old = world.send(SUPERVISOR, json={"query": query}, headers={"accept": "application/json"})
    assert old.headers["content-type"].startswith("application/json")


def test_variables_of_a_wrong_type_are_the_callers_error(world: World) -> None:
    asked = world.ask(SUPERVISOR, "query($f: Int!) { items(first: $f) { edges { cursor } } }", {"f": "many"})
    assert asked.codes == ["graphql-invalid"]


def test_failed_fields_are_200_with_data(world: World) -> None:
    query = {"query": '{ me { cases(after: "x") { edges { cursor } } } }'}
    response = world.send(citizen(world.buyer), json=query, headers={"accept": RESPONSE})
    assert (response.status_code, response.json()["data"]) == (200, {"me": None})


def test_queries_may_come_by_get_but_nothing_else(world: World) -> None:
    found = world.send(
        citizen(world.buyer), "GET", params={"query": "{ me { name } }"}, headers={"accept": f"{RESPONSE}, */*"}
    )
    assert (found.status_code, found.json()) == (200, {"data": {"me": {"name": "王小明"}}})
    assert "王小明" in found.text
    assert world.send(SUPERVISOR, "GET", headers={"accept": "text/html,*/*"}).status_code == 400
    assert world.send(SUPERVISOR, "GET", params={"query": "{me{id}}", "variables": "{"}).status_code == 400
    assert world.send(SUPERVISOR, "PUT", json={"query": "{ me { id } }"}).status_code == 405
    assert world.send(SUPERVISOR, json={"query": "{ me { id } }"}, headers={"accept": "text/html"}).status_code == 406


def test_schema_in_the_repository_equals_the_code() -> None:
    assert Path("docs/schema.graphql").read_text("utf-8") == sdl(), "run: tongban export sdl > docs/schema.graphql"


def test_everything_in_the_schema_is_described() -> None:
    missing = []
    for name, kind in SCHEMA._schema.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Boolean", "ID", "Float"}:
            continue
        if not kind.description:
            missing.append(name)
        for field_name, field in getattr(kind, "fields", {}).items():
            if not field.description:
                missing.append(f"{name}.{field_name}")
            missing += [
                f"{name}.{field_name}({a})" for a, arg in getattr(field, "args", {}).items() if not arg.description
            ]
        missing += [f"{name}.{v}" for v, value in getattr(kind, "values", {}).items() if not value.description]
    assert missing == []


@pytest.mark.parametrize(
    ("keyset", "key"),
    [
        (IN_ORDER, '["timeline", Infinity]'),
        (IN_ORDER, '["timeline", 1e400]'),
        (IN_ORDER, '["timeline", "9223372036854775808"]'),
        (BY_ID, '["items", "\\ud800"]'),
        (BY_ID, '["items", "\\u0000"]'),
        (BY_ID, '["items", ["a"]]'),
        (BY_ID, '["items", {"a": 1}]'),
    ],
)
def test_a_forged_cursor_is_a_bad_cursor(keyset: Keyset[Any], key: str) -> None:
    with pytest.raises(BadCursor):
        keyset.decode(base64.urlsafe_b64encode(key.encode()).decode().rstrip("="))


def test_who_waits_for_a_version_keeps_nobody_else_waiting(world: World) -> None:
    async def go() -> tuple[float, set[str]]:
        transport = httpx.ASGITransport(app=world.view)
        headers = {"actor": f"citizen|{world.shop}|"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            query = f'{{ case(id: "{world.food.id}", minVersion: 1000000) {{ id }} }}'
            asked = [asyncio.create_task(client.post("/", json={"query": query})) for _ in range(40)]
            await asyncio.sleep(0.5)
            started = time.monotonic()
            answer = await client.post("/", json={"query": "{ me { id } }"}, timeout=30)
            took = time.monotonic() - started
            assert answer.json()["data"]["me"]["id"] == str(world.shop)
            told = {(await task).json()["errors"][0]["extensions"]["code"] for task in asked}
            return took, told

    took, told = asyncio.run(go())
    assert took < 1.5
    assert told == {"not-yet-projected"}


def test_only_so_many_wait_for_a_version_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MOST_WAITING", 0)
    started = time.monotonic()
    asked = world.ask(citizen(world.shop), f'{{ case(id: "{world.food.id}", minVersion: 99) {{ id }} }}')
    assert asked.codes == ["not-yet-projected"]
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("error", [psycopg.errors.AdminShutdown(), LogUnavailable("no keys")], ids=repr)
def test_what_cannot_be_reached_in_the_middle_of_a_query_is_503(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(case, "case_by_id", fail)
    asked = world.ask(SUPERVISOR, f'{{ case(id: "{world.food.id}") {{ id }} }}')
    assert (asked.response.status_code, asked.codes) == (503, ["unavailable"])
    assert asked.response.headers["retry-after"] == "1"


def test_of_several_operations_one_must_be_named(world: World) -> None:
    query = "query A { me { id } } query B { me { name } }"
    unnamed = world.send(SUPERVISOR, json={"query": query}).json()
    assert unnamed["errors"][0]["extensions"]["code"] == "graphql-invalid"
    assert world.send(SUPERVISOR, json={"query": query, "operationName": "B"}).json() == {"data": {"me": None}}
