"""What is turned away for coming too often or at a bad moment, and what an unforeseen failure looks like."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from tests.api.serving import settings_for, tongban
from tests.servers import Database
from tongban.api.delivery import Done
from tongban.api.limits import Limits, Rate
from tongban.commands.requests import Request
from tongban.domain.actor import Role

CASE = {"case_id": str(uuid4())}


def test_a_rate_lets_a_burst_pass_and_then_its_steady_rate() -> None:
    now = 0.0
    rate = Rate(10, 5, clock=lambda: now)
    assert [rate.wait("a") for _ in range(5)] == [0.0] * 5
    wait = rate.wait("a")
    assert 0 < wait <= 0.1
    assert rate.wait("b") == 0.0, "another caller is not held up"
    now += wait + 1e-9
    assert rate.wait("a") == 0.0
    assert rate.wait("a") > 0
    now += 100
    assert [rate.wait("a") for _ in range(5)] == [0.0] * 5
    assert rate.wait("a") > 0, "waiting long gives no larger burst"


def test_a_caller_that_asks_too_often_is_answered_429_and_others_are_not(database: Database, tmp_path: Path) -> None:
    with tongban(settings_for(database, tmp_path), limits=Limits(commands_per_second=0.1, commands_burst=2)) as system:
        token = system.officer(Role.ACCEPTOR, "samr")
        statuses = [system.give("AcceptApplication", CASE, token).status_code for _ in range(4)]
        assert statuses == [404, 404, 429, 429]
        refused = system.give("AcceptApplication", CASE, token)
        assert refused.json()["code"] == "too-many-requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 11
        assert system.give("AcceptApplication", CASE, system.officer(Role.HEAD, "samr")).status_code == 404


def test_a_full_queue_is_answered_503_with_retry_after(database: Database, tmp_path: Path) -> None:
    with tongban(settings_for(database, tmp_path), queue_limit=0) as system:
        answer = system.give("AcceptApplication", CASE, system.officer(Role.ACCEPTOR, "samr"))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1


class SilentBus:
    """Takes commands and says nothing."""

    def submit(self, request: Request, done: Done) -> None:
        pass


class BrokenBus:
    """Answers with an exception that nobody foresaw, from another thread."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)

    def submit(self, request: Request, done: Done) -> None:  # noqa: ARG002 - whatever is asked
        self.pool.submit(done, RuntimeError("机密 value of a row"))


def test_no_answer_in_time_is_503_and_tells_to_repeat_with_the_same_key(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database, tmp_path, command_deadline=0.2)
    with tongban(settings, bus=SilentBus()) as system:
        started = time.monotonic()
        answer = system.give("AcceptApplication", CASE, system.officer(Role.ACCEPTOR, "samr"))
        assert 0.15 < time.monotonic() - started < 2
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "deadline-passed", "1")
    assert "same Idempotency-Key" in answer.json()["detail"]


def test_an_unforeseen_failure_is_500_without_its_inside(database: Database, tmp_path: Path) -> None:
    bus = BrokenBus()
    with tongban(settings_for(database, tmp_path), bus=bus) as system:
        answer = system.give("AcceptApplication", CASE, system.officer(Role.ACCEPTOR, "samr"))
    bus.pool.shutdown()
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "机密" not in answer.text
    assert "RuntimeError" not in answer.text


def test_many_callers_at_once_are_all_answered(database: Database, tmp_path: Path) -> None:
    with tongban(settings_for(database, tmp_path)) as system, ThreadPoolExecutor(16) as pool:
        token = system.officer(Role.ACCEPTOR, "samr")
        answers = pool.map(lambda _: system.give("AcceptApplication", CASE, token).status_code, range(200))
        assert set(answers) == {404}


def test_a_key_that_is_being_worked_on_is_409_and_acts_once(database: Database, tmp_path: Path) -> None:
    with tongban(settings_for(database, tmp_path)) as system, ThreadPoolExecutor(16) as pool:
        system.publish("food-licence")
        before = system.events()
        body = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": "11010519491231002X", "name": "张伟"}
        key, token = uuid4(), system.officer(Role.CLERK)
        answers = list(pool.map(lambda _: system.give("RegisterParty", body, token, key=key), range(32)))
        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        assert {answer.json().get("code") for answer in answers if answer.status_code == 409} <= {"key-in-flight"}
        assert len({answer.json()["id"] for answer in answers if answer.status_code != 409}) == 1
        assert system.events() == before + 1
