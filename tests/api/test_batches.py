"""Many commands of one request: each judged alone, few commits, and a batch that is sent again does what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import psycopg
import pytest

from tests.api.documents import resolved
from tests.api.serving import CITIZEN_IDS, Tongban, settings_for, tongban
from tests.servers import Database
from tongban.api.delivery import Delivery
from tongban.api.limits import Limits
from tongban.api.openapi import openapi
from tongban.commands.bus import CommandBus, Done
from tongban.commands.requests import Request, Unavailable
from tongban.domain.actor import Role
from tongban.domain.ids import batch_command
from tongban.infra.write_side import forget_old_answers, open_write_side

MANY = 500


@pytest.fixture(scope="module")
def applicant(system: Tongban) -> str:
    system.publish_plain("property-transfer")
    return system.register()


def give(system: Tongban, name: str, commands: list[Any], token: str | None, **more: Any) -> httpx.Response:
    headers = {"idempotency-key": str(more.pop("key", None) or uuid4())}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return system.client.post(f"/batches/{name}", headers=headers, json={"commands": commands})


def look(system: Tongban, batch: UUID | str, token: str) -> httpx.Response:
    return system.client.get(f"/batches/{batch}", headers={"authorization": f"Bearer {token}"})


def filings(applicant: str, count: int) -> list[dict[str, Any]]:
    return [
        {"item": "property-transfer", "applicant": applicant, "channel": "WEB", "form": {"n": n}} for n in range(count)
    ]


def filed(system: Tongban, applicant: str, count: int) -> list[str]:
    answer = give(system, "SubmitApplication", filings(applicant, count), system.token(Role.CITIZEN, applicant))
    assert answer.status_code == 200, answer.text
    return [result["id"] for result in answer.json()["results"]]


def commits(system: Tongban) -> float:
    found = system.metrics.registry.get_sample_value("tongban_batch_commands_count")
    assert found is not None
    return found


def events_of(system: Tongban, commands: list[UUID]) -> Counter[str]:
    """The command ids in the store, with how many events each has."""
    with psycopg.connect(system.settings.admin_database_url) as conn:
        rows = conn.execute(
            "SELECT convert_from(state, 'UTF8')::json ->> 'command' FROM events.stored_events"
            " WHERE convert_from(state, 'UTF8')::json ->> 'command' = ANY(%s)",
            ([str(command) for command in commands],),
        )
        return Counter(row[0] for row in rows)


def test_many_commands_are_done_in_few_commits_each_with_its_answer(system: Tongban, applicant: str) -> None:
    cases = filed(system, applicant, MANY)
    assert len(set(cases)) == MANY
    batch, acceptor = uuid4(), system.officer(Role.ACCEPTOR, "nr")
    before = commits(system)
    answer = give(system, "AcceptApplication", [{"case_id": case} for case in cases], acceptor, key=batch)
    assert commits(system) - before <= 8
    told = answer.json()
    assert (told["batch"], told["done"], told["refused"]) == (str(batch), MANY, 0)
    assert [result["index"] for result in told["results"]] == list(range(MANY))
    assert [result["id"] for result in told["results"]] == cases
    assert {(result["status"], result["events"][0]) for result in told["results"]} == {
        (200, "case.ApplicationAccepted")
    }
    keys = [batch_command(batch, index) for index in range(MANY)]
    each = len(told["results"][0]["events"])
    assert events_of(system, keys) == Counter({str(key): each for key in keys})


def test_five_hundred_cases_are_decided_in_one_request_each_judged_alone(system: Tongban, applicant: str) -> None:
    cases = [{"case_id": case} for case in filed(system, applicant, MANY)]
    give(system, "AcceptApplication", cases, system.officer(Role.ACCEPTOR, "nr"))
    for branch in ("housing", "tax", "nr"):
        # One branch is against the first case: it alone cannot be granted.
        said = [
            case | {"branch": branch, "opinion": "FAIL" if branch == "tax" and place == 0 else "PASS", "text": "t"}
            for place, case in enumerate(cases)
        ]
        assert give(system, "RecordOpinion", said, system.officer(Role.REVIEWER, branch)).json()["done"] == MANY
    before = commits(system)
    told = give(system, "GrantApproval", cases, system.officer(Role.DECIDER, "nr")).json()
    assert commits(system) - before <= 8
    assert (told["done"], told["refused"]) == (MANY - 1, 1)
    refused, *granted = told["results"]
    assert refused["problem"]["code"] == "opinions-against"
    assert {tuple(result["events"]) for result in granted} == {("case.ApprovalGranted",)}


def test_each_command_is_judged_alone(system: Tongban, applicant: str) -> None:
    done, already, stale, foreign = filed(system, applicant, 4)
    acceptor = system.officer(Role.ACCEPTOR, "nr")
    system.give("AcceptApplication", {"case_id": already}, acceptor)
    commands = [
        {"case_id": done, "expected_version": 2},
        {"case_id": already},
        {"case_id": stale, "expected_version": 7},
        {"case_id": str(uuid4())},
        {"case_id": "none"},
        "no object",
        {"case_id": foreign, "effective_at": "2999-01-01T00:00:00Z"},
        {"case_id": foreign, "expected_version": "1"},
        {"case_id": done},
    ]
    before = system.events()
    answer = give(system, "AcceptApplication", commands, acceptor)
    told = answer.json()
    assert answer.status_code == 200
    assert (told["done"], told["refused"]) == (3, 6)
    codes = [result.get("problem", {}).get("code") for result in told["results"]]
    assert codes == [
        *(None, None, "stale-version", "unknown-case", "invalid-body", "invalid-body"),
        *("effective-time-in-future", "invalid-body", None),
    ]
    assert [result["status"] for result in told["results"]] == [200, 200, 409, 404, 400, 400, 422, 400, 200]
    assert [bool(result.get("events")) for result in told["results"]] == [True, *[False] * 8]
    assert told["results"][2]["problem"]["changed"] == []
    assert told["results"][4]["problem"]["pointer"] == "/case_id"
    assert system.events() == before + len(told["results"][0]["events"])
    document = openapi()
    resolved(document, document["components"]["schemas"]["BatchAnswer"]).validate(told)
    resolved(document, document["components"]["schemas"]["Batch"]).validate({"commands": commands[:4]})


def test_a_stale_command_is_told_what_changed(system: Tongban, applicant: str) -> None:
    [case] = filed(system, applicant, 1)
    accepted = system.give("AcceptApplication", {"case_id": case}, system.officer(Role.ACCEPTOR, "nr")).json()
    opinion = {"case_id": case, "branch": "tax", "opinion": "PASS", "expected_version": 2}
    answer = give(system, "RecordOpinion", [opinion], system.officer(Role.REVIEWER, "tax"))
    [result] = answer.json()["results"]
    assert [change["type"] for change in result["problem"]["changed"]] == accepted["events"]


def test_sent_again_a_batch_is_answered_the_same_though_the_world_moved_on(system: Tongban, applicant: str) -> None:
    [accepted, fresh] = filed(system, applicant, 2)
    acceptor, decider = system.officer(Role.ACCEPTOR, "nr"), system.officer(Role.DECIDER, "nr")
    system.give("AcceptApplication", {"case_id": accepted}, acceptor)
    commands = [{"case_id": case, "reason": "r", "remedy": "m"} for case in (accepted, fresh)]
    batch = uuid4()
    first = give(system, "DenyApproval", commands, decider, key=batch)
    assert [result["status"] for result in first.json()["results"]] != [200, 200]
    system.give("AcceptApplication", {"case_id": fresh}, acceptor)
    before = system.events()
    again = give(system, "DenyApproval", commands, decider, key=batch, accept_language="zh")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert system.events() == before
    assert look(system, batch, decider).content == first.content


@pytest.mark.parametrize("change", ["another command", "another expected version", "one less", "another place"])
def test_another_body_under_the_same_key_is_refused(system: Tongban, applicant: str, change: str) -> None:
    cases = filed(system, applicant, 3)
    acceptor, batch = system.officer(Role.ACCEPTOR, "nr"), uuid4()
    commands: list[dict[str, Any]] = [{"case_id": case} for case in cases[:2]]
    give(system, "AcceptApplication", commands, acceptor, key=batch)
    match change:
        case "another command":
            commands[1] = {"case_id": cases[2]}
        case "another expected version":
            commands[1]["expected_version"] = 1
        case "one less":
            commands.pop()
        case _:
            commands.reverse()
    before = system.events()
    answer = give(system, "AcceptApplication", commands, acceptor, key=batch)
    assert (answer.status_code, answer.json()["code"]) == (422, "key-reused")
    assert system.events() == before


def test_a_batch_is_seen_by_who_gave_it_alone(system: Tongban, applicant: str) -> None:
    batch, token = uuid4(), system.token(Role.CITIZEN, applicant)
    give(system, "SubmitApplication", filings(applicant, 2), token, key=batch)
    assert look(system, batch, token).json()["done"] == 2
    stranger = system.token(Role.CITIZEN, system.register(CITIZEN_IDS[1]))
    for told in (look(system, batch, stranger), look(system, uuid4(), token), look(system, "none", token)):
        assert (told.status_code, told.json()["code"]) == (404, "unknown-batch")
    assert system.client.get(f"/batches/{batch}").status_code == 401


def test_commands_of_a_batch_are_logged_with_it(system: Tongban, applicant: str) -> None:
    batch = uuid4()
    give(system, "SubmitApplication", filings(applicant, 3), system.token(Role.CITIZEN, applicant), key=batch)
    with psycopg.connect(system.settings.admin_database_url) as conn:
        rows = conn.execute("SELECT idempotency_key FROM events.command_log WHERE batch = %s", (batch,)).fetchall()
    assert {row[0] for row in rows} == {batch_command(batch, index) for index in range(3)}


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (b'{"commands":[]}', "/commands"),
        (b'{"commands":{}}', ""),
        (b'{"commands":[{}],"more":1}', ""),
        (b"[]", ""),
        (b"{", ""),
        (b'{"commands":[' + b"{}," * 1000 + b"{}]}", "/commands"),
    ],
)
def test_what_is_no_batch_is_refused_whole(system: Tongban, content: bytes, pointer: str) -> None:
    headers = {
        "authorization": f"Bearer {system.officer(Role.ACCEPTOR, 'nr')}",
        "idempotency-key": str(uuid4()),
        "content-type": "application/json",
    }
    answer = system.client.post("/batches/AcceptApplication", headers=headers, content=content)
    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)


def test_a_wrong_name_role_token_key_method_or_type_is_refused_whole(system: Tongban) -> None:
    acceptor = system.officer(Role.ACCEPTOR, "nr")
    commands = [{"case_id": str(uuid4())}]
    assert give(system, "CollectLicence", commands, acceptor).json()["code"] == "unknown-command"
    assert give(system, "GrantApproval", commands, acceptor).json()["code"] == "role-not-allowed"
    assert give(system, "AcceptApplication", commands, None).json()["code"] == "token-missing"
    assert give(system, "AcceptApplication", commands, acceptor, key="1").json()["code"] == "idempotency-key-required"
    answer = give(system, "AcceptApplication", commands, acceptor, content_type="text/plain")
    assert answer.json()["code"] == "unsupported-media-type"
    answer = system.client.delete(f"/batches/{uuid4()}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_the_rate_counts_commands_not_requests(database: Database, tmp_path: Path) -> None:
    limits = Limits(commands_per_second=1, commands_burst=5)
    with tongban(settings_for(database, tmp_path), limits=limits) as system:
        acceptor = system.officer(Role.ACCEPTOR, "nr")
        commands = [{"case_id": str(uuid4())} for _ in range(30)]
        assert give(system, "AcceptApplication", commands, acceptor).status_code == 200
        later = give(system, "AcceptApplication", commands[:1], acceptor)
        assert later.status_code == 429
        assert 20 <= int(later.headers["retry-after"]) <= 30


class Cut:
    """A bus that takes only so many commands, then is full, as one that stops or is overrun."""

    def __init__(self, bus: CommandBus, room: int) -> None:
        self.bus, self.room = bus, room

    def submit(self, request: Request, done: Done) -> None:
        if self.room == 0:
            raise Unavailable
        self.room -= 1
        self.bus.submit(request, done)


@pytest.fixture
def cut(database: Database, tmp_path: Path) -> Iterator[tuple[Tongban, Cut]]:
    settings = settings_for(database, tmp_path)
    write_side = open_write_side(settings)
    delivery = Delivery()
    bus = CommandBus(write_side.batch, deliver=delivery)
    bus.start()
    try:
        gate = Cut(bus, 10_000)
        with tongban(settings, bus=gate, delivery=delivery) as system:
            system.publish_plain("property-transfer")
            yield system, gate
    finally:
        bus.stop()
        write_side.close()


def test_a_batch_that_was_cut_is_finished_by_sending_it_again(cut: tuple[Tongban, Cut]) -> None:
    system, gate = cut
    applicant = system.register()
    token, batch = system.token(Role.CITIZEN, applicant), uuid4()
    commands = [*filings(applicant, 20), {"item": "nothing", "applicant": applicant, "channel": "WEB"}]
    gate.room = 7
    before = system.events()
    answer = give(system, "SubmitApplication", commands, token, key=batch)
    told = answer.json()
    assert (answer.status_code, told["code"], told["done"], told["missing"]) == (503, "batch-unfinished", 7, 14)
    assert answer.headers["retry-after"] == "1"
    half = look(system, batch, token).json()
    document = openapi()
    resolved(document, document["components"]["schemas"]["BatchAnswer"]).validate(half)
    assert (half["done"], half["missing"]) == (7, 14)
    each = len(half["results"][0]["events"])
    assert system.events() == before + 7 * each
    gate.room = 10_000
    whole = give(system, "SubmitApplication", commands, token, key=batch)
    assert (whole.json()["done"], whole.json()["refused"]) == (20, 1)
    assert whole.json()["results"][:7] == half["results"]
    assert {result["status"] for result in whole.json()["results"][:20]} == {201}
    assert system.events() == before + 20 * each
    assert look(system, batch, token).content == whole.content


def test_one_batch_sent_by_many_at_once_acts_once_and_is_answered_alike(system: Tongban, applicant: str) -> None:
    token, batch, commands = system.token(Role.CITIZEN, applicant), uuid4(), filings(applicant, 100)
    before = system.events()

    def until_done(_: int) -> bytes:
        while (answer := give(system, "SubmitApplication", commands, token, key=batch)).status_code == 503:
            pass
        assert answer.status_code == 200
        return answer.content

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(until_done, range(6)))
    [answer] = answers
    assert system.events() == before + sum(len(result["events"]) for result in orjson.loads(answer)["results"])


def test_a_batch_is_forgotten_with_the_answers_to_its_commands(cut: tuple[Tongban, Cut]) -> None:
    system, _ = cut
    applicant = system.register()
    token, batch = system.token(Role.CITIZEN, applicant), uuid4()
    give(system, "SubmitApplication", filings(applicant, 2), token, key=batch)
    with psycopg.connect(system.settings.admin_database_url, autocommit=True) as conn:
        forget_old_answers(conn)
        assert look(system, batch, token).status_code == 200
        conn.execute("UPDATE events.command_batch SET recorded_at = recorded_at - interval '25 hours'")
        forget_old_answers(conn)
    assert look(system, batch, token).status_code == 404
