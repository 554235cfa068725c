"""SIGKILL of the API in the middle of a batch: sent again, it does only what is missing, and each command once.

KILLS (default 2) is how often it is killed within one batch; `make chaos` sets 20.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from tests.api.serving import CITIZEN_IDS
from tests.chaos.processes import Processes
from tests.running import eventually
from tests.servers import Database
from tongban.domain.actor import Role
from tongban.domain.ids import batch_command
from tongban.infra.reference import sample_items

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("KILLS", "2"))
SIZE = 1000
PATIENCE = 120.0


@pytest.fixture
def api(database: Database, tmp_path: Path) -> Iterator[Processes]:
    running = Processes(database, tmp_path)
    try:
        running.start("api")
        yield running
    finally:
        running.stop()


def logged(api: Processes, batch: UUID) -> int:
    """How many of a batch's commands are done."""
    [(count,)] = api.select("SELECT count(*) FROM events.command_log WHERE batch = %s", batch)
    return int(count)


def test_a_batch_whose_api_is_killed_is_finished_by_sending_it_again(api: Processes) -> None:
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
        eventually(lambda goal=goal: logged(api, batch) >= goal or bool(answers))  # type: ignore[misc]
        api.kill("api")
        seen.append(logged(api, batch))
        api.start("api")
    sender.join(PATIENCE)
    assert any(0 < count < SIZE * 9 // 10 for count in seen), f"never killed in the middle: {seen}"
    send()
    first, again = answers
    assert again == first
    told = orjson.loads(first)
    assert (told["done"], told["refused"]) == (SIZE * 9 // 10, SIZE // 10)
    rows = api.select(
        "SELECT convert_from(state, 'UTF8')::json ->> 'command', originator_id FROM events.stored_events"
        " WHERE topic = 'case.ApplicationSubmitted'"
    )
    expected = {str(batch_command(batch, n)): told["results"][n]["id"] for n in range(SIZE) if n % 10}
    assert {command: str(stream) for command, stream in rows} == expected
    assert set(Counter(command for command, _ in rows).values()) == {1}
    print(f"killed when {seen} of {SIZE * 9 // 10} were done")
