"""SIGKILL of the API in the middle of a batch: sent again, it does only what is missing, and each command once.

KILLS (default 2) is how often it is killed within one batch; `make chaos` sets 20.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import psycopg
import pytest

from tests.api.serving import CITIZEN_IDS
from tests.running import eventually
from tests.servers import Database
from tongban.domain.actor import Role
from tongban.domain.ids import batch_command
from tongban.infra.embedded import ports
from tongban.infra.embedded.process import Child
from tongban.infra.issuer import Issuer
from tongban.infra.reference import sample_items
from tongban.infra.settings import Settings

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("KILLS", "2"))
SIZE = 1000
PATIENCE = 120.0


class Api:
    """The API process on one database, started again after each kill."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.port = ports.free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = Issuer(Settings(data=folder))
        self.child: Child | None = None

    def start(self) -> None:
        env = {
            **os.environ,
            "TONGBAN_DATABASE_URL": self.database.url,
            "TONGBAN_PORT": str(self.port),
            "TONGBAN_DATA": str(self.folder),
            "TONGBAN_BATCH_LIMIT": "25",  # many commits, so that there is a middle to kill it in
        }
        self.child = Child([sys.executable, "-m", "tongban", "api"], log=self.folder / "api.log", env=env)
        eventually(self.answers)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/livez", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        assert self.child is not None
        self.child.stop(0.0)

    def give(self, path: str, body: Any, role: Role, subject: str, *, key: UUID | None = None) -> httpx.Response:
        headers = {
            "authorization": f"Bearer {self.issuer.issue(role, subject)}",
            "idempotency-key": str(key or uuid4()),
        }
        return httpx.post(f"{self.url}/{path}", json=body, headers=headers, timeout=30)

    def logged(self, batch: UUID) -> int:
        with psycopg.connect(self.database.admin_url) as conn:
            row = conn.execute("SELECT count(*) FROM events.command_log WHERE batch = %s", (batch,)).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def api(database: Database, tmp_path: Path) -> Iterator[Api]:
    running = Api(database, tmp_path)
    running.start()
    try:
        yield running
    finally:
        running.kill()


def test_a_batch_whose_api_is_killed_is_finished_by_sending_it_again(api: Api) -> None:
    rng = random.Random(SIZE)
    item = next(item for item in sample_items() if item["id"] == "property-transfer")
    assert api.give("commands/PublishItem", {"item": item}, Role.ADMIN, "admin").is_success
    person = {"kind": "PERSON", "identifier_kind": "CITIZEN_ID", "identifier": CITIZEN_IDS[0], "name": "张伟"}
    applicant = api.give("commands/RegisterParty", person, Role.CLERK, "clerk").json()["id"]
    filing = {"item": "property-transfer", "applicant": applicant, "channel": "WEB"}
    commands = [filing | ({"form": {"n": n}} if n % 10 else {"item": "nothing"}) for n in range(SIZE)]
    batch = uuid4()
    answers: list[bytes] = []

    def send() -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = api.give(
                    "batches/SubmitApplication", {"commands": commands}, Role.CITIZEN, applicant, key=batch
                )
            except httpx.HTTPError:
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                answers.append(answer.content)
                return
            assert answer.status_code in (429, 503), answer.text
            time.sleep(0.2)

    sender = Thread(target=send)
    sender.start()
    goals = sorted(rng.sample(range(1, SIZE * 7 // 10), KILLS))
    seen = []
    for goal in goals:
        eventually(lambda goal=goal: api.logged(batch) >= goal or bool(answers))  # type: ignore[misc]
        api.kill()
        seen.append(api.logged(batch))
        api.start()
    sender.join(PATIENCE)
    assert any(0 < count < SIZE * 9 // 10 for count in seen), f"never killed in the middle: {seen}"
    send()
    first, again = answers
    assert again == first
    told = orjson.loads(first)
    assert (told["done"], told["refused"]) == (SIZE * 9 // 10, SIZE // 10)
    with psycopg.connect(api.database.admin_url) as conn:
        rows = conn.execute(
            "SELECT convert_from(state, 'UTF8')::json ->> 'command', originator_id FROM events.stored_events"
            " WHERE topic = 'case.ApplicationSubmitted'"
        ).fetchall()
    expected = {str(batch_command(batch, n)): told["results"][n]["id"] for n in range(SIZE) if n % 10}
    assert {command: str(stream) for command, stream in rows} == expected
    assert set(Counter(command for command, _ in rows).values()) == {1}
    print(f"killed when {seen} of {SIZE * 9 // 10} were done")
