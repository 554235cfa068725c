"""Two windows act on one case at once: one wins, the other is told what changed, nothing is lost or doubled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.api.documents import resolved
from tests.api.serving import CITIZEN_IDS, Tongban, settings_for, tongban
from tests.servers import Database
from tongban.api.openapi import openapi
from tongban.domain.actor import Role

ROUNDS = 50


@pytest.fixture(scope="module")
def other(module_database: Database, system: Tongban) -> Iterator[Tongban]:
    """A second process's API on the same database."""
    folder: Path = system.settings.data
    with tongban(settings_for(module_database, folder)) as running:
        yield running


@pytest.fixture(scope="module")
def applicant(system: Tongban) -> str:
    system.publish_plain("property-transfer")
    return system.register()


def accepted_case(system: Tongban, applicant: str) -> tuple[str, int]:
    """A case and its version."""
    body = {"item": "property-transfer", "applicant": applicant, "channel": "WEB"}
    case = str(system.give("SubmitApplication", body, system.token(Role.CITIZEN, applicant)).json()["id"])
    accepted = system.give("AcceptApplication", {"case_id": case}, system.officer(Role.ACCEPTOR, "nr"))
    assert accepted.status_code == 200, accepted.text
    return case, int(accepted.json()["version"])


def opinions_of(system: Tongban, case: str) -> list[str]:
    """Who gave an opinion, in the order of the stream, whose versions have no hole."""
    with psycopg.connect(system.settings.admin_database_url) as conn:
        rows = conn.execute(
            "SELECT originator_version, topic, convert_from(state, 'UTF8')::json -> 'data' ->> 'branch'"
            " FROM events.stored_events WHERE originator_id = %s ORDER BY originator_version",
            (case,),
        ).fetchall()
    assert [version for version, _, _ in rows] == list(range(1, len(rows) + 1))
    return [branch for _, topic, branch in rows if topic == "case.OpinionRecorded"]


@pytest.mark.parametrize("processes", [1, 2])
def test_of_two_windows_one_wins_and_the_other_learns_what_changed(
    system: Tongban, other: Tongban, applicant: str, processes: int
) -> None:
    windows = {"tax": system, "housing": other if processes == 2 else system}
    document = resolved(openapi(), openapi()["components"]["schemas"]["Problem"])
    for _ in range(ROUNDS // 2):
        case, seen = accepted_case(system, applicant)
        start = threading.Barrier(2)

        def act(branch: str, version: int, start: threading.Barrier | None, case: str = case) -> httpx.Response:
            body = {"case_id": case, "branch": branch, "opinion": "PASS", "text": "机密"}
            if start is not None:
                start.wait(10)
            token = system.officer(Role.REVIEWER, branch)
            return windows[branch].give("RecordOpinion", body, token, if_match=f'"{version}"')

        with ThreadPoolExecutor(2) as pool:
            pending = {branch: pool.submit(act, branch, seen, start) for branch in windows}
            answers = {branch: found.result(30) for branch, found in pending.items()}
        [winner] = [branch for branch, answer in answers.items() if answer.status_code == 200]
        [loser] = [branch for branch in windows if branch != winner]
        told = answers[loser].json()
        assert (answers[loser].status_code, told["code"]) == (409, "stale-version")
        assert (told["id"], told["expected"], told["current"]) == (case, seen, seen + 1)
        [change] = told["changed"]
        assert (change["version"], change["type"]) == (seen + 1, "case.OpinionRecorded")
        assert change["actor"] == {"role": "reviewer", "department": winner}
        assert change["effective_at"]
        assert "机密" not in answers[loser].text
        document.validate(told)
        assert opinions_of(system, case) == [winner]
        assert act(loser, told["current"], None).status_code == 200
        assert opinions_of(system, case) == [winner, loser]


def test_at_most_twenty_changes_are_told_the_newest(system: Tongban) -> None:
    admin = system.officer(Role.ADMIN)
    for _ in range(24):
        system.publish_changed("food-licence")
    item = system.changed_item("food-licence")
    stale = system.give("PublishItem", {"item": item}, admin, if_match='"1"').json()
    assert len(stale["changed"]) == 20
    versions = [change["version"] for change in stale["changed"]]
    assert versions == list(range(stale["current"] - 19, stale["current"] + 1))
    assert {change["type"] for change in stale["changed"]} == {"catalogue.ItemPublished"}
    assert "ItemPublished" not in stale["detail"]


@pytest.mark.parametrize(
    ("role", "department", "code"),
    [(Role.REVIEWER, "tax", "other-department"), (Role.CLERK, "housing", "role-not-allowed")],
)
def test_who_may_not_command_a_case_learns_nothing_of_it(
    system: Tongban, applicant: str, role: Role, department: str, code: str
) -> None:
    case, _ = accepted_case(system, applicant)
    body = {"case_id": case, "branch": "housing", "opinion": "PASS"}
    refused = system.give("RecordOpinion", body, system.officer(role, department), if_match='"1"')
    assert (refused.status_code, refused.json()["code"]) == (403, code)
    assert not {"changed", "current"} & set(refused.json())


def test_who_registers_somebody_else_learns_nothing_of_them_whatever_else_is_wrong(
    system: Tongban, applicant: str
) -> None:
    body = {"kind": "ORGANISATION", "identifier_kind": "CITIZEN_ID", "identifier": CITIZEN_IDS[0], "name": "x"}
    refused = system.give("RegisterParty", body, system.token(Role.CITIZEN, str(uuid4())), if_match='"7"')
    assert (refused.status_code, refused.json()["code"]) == (403, "not-yours")
    assert "changed" not in refused.json()


def test_an_unknown_case_stays_unknown_whatever_version_is_named(system: Tongban) -> None:
    acceptor = system.officer(Role.ACCEPTOR, "samr")
    refused = system.give("AcceptApplication", {"case_id": str(uuid4())}, acceptor, if_match='"4"')
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-case")
