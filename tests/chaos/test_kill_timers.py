"""SIGKILL of `react` while timers fire: each case is accepted by law once, and none is forgotten.

KILLS (default 2) is how often it is killed; `make chaos` sets 20.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from stdnum.cn import uscc

from tests.chaos.processes import Processes
from tests.running import eventually
from tests.servers import Database
from tongban.domain.actor import Role
from tongban.domain.timers import timer_command
from tongban.infra.reference import sample_items

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("KILLS", "2"))
CASES = 400
ITEM = "food-licence"
CODE = "91310000MA1FL0XA3"
FILED = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DEEMED = "SELECT count(*) FROM events.stored_events WHERE topic = 'case.CaseDeemedAccepted'"


@pytest.fixture
def processes(database: Database, tmp_path: Path) -> Iterator[Processes]:
    running = Processes(database, tmp_path)
    try:
        running.start("api", "project")
        yield running
    finally:
        running.stop()


def filed_late(processes: Processes) -> list[str]:
    """Cases that a clerk enters weeks after they came in over the counter."""
    item = next(item for item in sample_items() if item["id"] == ITEM)
    first_day = {"item": item, "effective_at": "2026-01-01T00:00:00+08:00"}
    assert processes.give("commands/PublishItem", first_day, Role.ADMIN, "admin").is_success
    person = {"kind": "ORGANISATION", "identifier_kind": "USCC", "name": "面馆"}
    person["identifier"] = CODE + uscc.calc_check_digit(CODE)
    clerk = (Role.CLERK, "clerk")
    applicant = processes.give("commands/RegisterParty", person, *clerk, department="samr").json()["id"]
    filing = {"item": ITEM, "applicant": applicant, "channel": "COUNTER", "effective_at": FILED.isoformat()}
    commands = {"commands": [filing | {"form": {"n": n}} for n in range(CASES)]}
    batch = uuid4()
    while (
        answer := processes.give("batches/SubmitApplication", commands, *clerk, department="samr", key=batch)
    ).is_error:
        assert answer.status_code == 503, answer.text
    told = answer.json()
    assert (told["done"], told["refused"]) == (CASES, 0), told["results"][0]
    return [result["id"] for result in told["results"]]


def count(processes: Processes, query: str, *parameters: Any) -> int:
    [(found,)] = processes.select(query, *parameters)
    return int(found)


def test_killing_react_while_timers_fire_loses_none_and_doubles_none(processes: Processes) -> None:
    cases = filed_late(processes)
    eventually(lambda: count(processes, "SELECT count(*) FROM read.timer WHERE kind = 'CORRECTION'") == CASES)
    armed = processes.select("SELECT stream, kind, due_at FROM read.timer WHERE kind = 'CORRECTION'")
    seen = []
    for turn in range(1, KILLS + 1):
        processes.start("react", "react-2")
        goal = min(CASES, turn * CASES // (KILLS + 1))
        eventually(lambda goal=goal: count(processes, DEEMED) >= goal)  # type: ignore[misc]  # a default in a lambda
        processes.kill("react")
        processes.kill("react-2")
        seen.append(count(processes, DEEMED))
    processes.start("react", "react-2")
    eventually(lambda: count(processes, DEEMED) == CASES)
    eventually(lambda: count(processes, "SELECT count(*) FROM consumers.due_timer WHERE answered_at IS NULL") == 0)
    time.sleep(3)  # a few more looks, which find nothing
    rows = processes.select(
        "SELECT originator_id::text, convert_from(state, 'UTF8')::json ->> 'command' FROM events.stored_events"
        " WHERE topic = 'case.CaseDeemedAccepted'"
    )
    assert Counter(stream for stream, _ in rows) == Counter(cases)
    assert dict(rows) == {str(timer[0]): str(timer_command(*timer)) for timer in armed}
    assert count(processes, "SELECT count(*) FROM consumers.due_timer WHERE problem IS NOT NULL") == 0
    assert count(processes, "SELECT count(*) FROM read.timer WHERE kind = 'CORRECTION'") == 0
    print(f"killed when {seen} of {CASES} were accepted by law")
