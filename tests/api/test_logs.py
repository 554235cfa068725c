"""Log lines: JSON with the ids of the work at hand, and never a body, a token or a personal value."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog

from tests.api.serving import CITIZEN_IDS, settings_for, tongban
from tests.servers import Database
from tongban.domain.actor import Role
from tongban.infra.logs import configure

CANARY = "金丝雀甲乙丙"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    configure("DEBUG", written)
    yield written
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers, root.level = before, level
    logging.getLogger("uvicorn.access").disabled = False


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_the_bound_ids(stream: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(trace_id="t", case_id="c")
    structlog.get_logger().info("case_seen", position=5, stream=UUID(int=1), role=Role.CLERK)
    [line] = lines(stream)
    assert line["event"] == "case_seen"
    assert line["level"] == "info"
    assert (line["trace_id"], line["case_id"], line["position"], line["role"]) == ("t", "c", 5, "clerk")
    assert line["timestamp"].endswith("Z")


def test_values_that_are_large_or_not_plain_are_withheld(stream: io.StringIO) -> None:
    body = {"name": CANARY}
    structlog.get_logger().info("seen", body=body, raw=CANARY.encode(), text=CANARY * 100, many=[body], few=["a", 1])
    [line] = lines(stream)
    assert CANARY not in stream.getvalue()
    assert line["body"] == "<withheld: dict>"
    assert line["few"] == ["a", 1]


@pytest.mark.parametrize("library", [False, True])
def test_an_exception_is_told_by_type_and_place_only(stream: io.StringIO, *, library: bool) -> None:
    try:
        int(CANARY)
    except ValueError:
        if library:
            logging.getLogger("some.library").exception("it failed")
        else:
            structlog.get_logger().error("it_failed", exc_info=True)
    [line] = lines(stream)
    assert line["error"] == "builtins.ValueError"
    assert "test_logs.py" in line["at"][-1]
    assert CANARY not in stream.getvalue()


def test_lines_of_libraries_have_the_same_form(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("%s happened", "x" * 5_000)
    [line] = lines(stream)
    assert line["logger"] == "some.library"
    assert line["level"] == "warning"
    assert len(line["event"]) < 1_100


def test_no_line_of_the_api_holds_a_personal_value_or_a_token(
    stream: io.StringIO, database: Database, tmp_path: Path
) -> None:
    with tongban(settings_for(database, tmp_path)) as system:
        system.publish("food-licence")
        token = system.officer(Role.CLERK, "samr")
        party = system.register(CITIZEN_IDS[0], CANARY)
        trace = uuid4().hex
        person = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": CITIZEN_IDS[0], "name": CANARY}
        system.give("RegisterParty", person | {"id": str(uuid4())}, token)
        system.give("RegisterParty", person | {"name": [CANARY]}, token)
        system.give("RegisterParty", person, token + "x")
        system.give("RegisterParty", json.dumps(person).encode()[:-2] + CANARY.encode(), token)
        filed = {"item": "food-licence", "applicant": party, "channel": "WEB", "form": {"a": CANARY}}
        system.give("SubmitApplication", filed, token)
        system.give("AcceptApplication", {"case_id": party}, token, traceparent=f"00-{trace}-{'1' * 16}-01")
        system.client.get(f"/livez?name={CANARY}")
    text = stream.getvalue()
    for secret in (CANARY, CITIZEN_IDS[0], token, token.split(".")[2], json.dumps(CANARY)[1:-1]):
        assert secret not in text
    refused = next(line for line in lines(stream) if line.get("trace_id") == trace)
    assert refused["event"] == "command_refused"
    assert (refused["command"], refused["case_id"], refused["code"]) == ("AcceptApplication", party, "role-not-allowed")
    assert str(UUID(refused["command_id"])) == refused["command_id"]
