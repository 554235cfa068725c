"""Drafts over HTTP: begun, opened, changed by version, filed once, forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from tests.api.serving import CITIZEN_IDS, Tongban, citizen_id, settings_for, tongban
from tests.servers import Database
from tongban.domain.actor import Role

QUIET = {"simulated_missing": 0.0, "simulated_failing": 0.0, "simulated_slow": 0.0}


@pytest.fixture(scope="module")
def system(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tongban]:
    """Sources answer everything here."""
    folder: Path = tmp_path_factory.mktemp("data")
    with tongban(settings_for(module_database, folder, **QUIET, drafts_per_party=20)) as running:
        running.publish("property-transfer")
        running.publish("id-card-renewal")
        yield running


@pytest.fixture(scope="module")
def person(system: Tongban) -> str:
    return system.register(CITIZEN_IDS[0])


@pytest.fixture(scope="module")
def token(system: Tongban, person: str) -> str:
    return system.token(Role.CITIZEN, person)


def call(
    system: Tongban, method: str, path: str, token: str | None, body: Any = None, **headers: str
) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["authorization"] = f"Bearer {token}"
    return system.client.request(method, path, json=body, headers=sent)


def begun(system: Tongban, person: str, token: str, **more: Any) -> dict[str, Any]:
    body = {"item": "property-transfer", "applicant": person, "form": {"address": "南京东路1号"}, **more}
    answer = call(system, "POST", "/drafts", token, body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_draft_opens_its_form_and_comes_back_as_it_was_left(system: Tongban, person: str, token: str) -> None:
    draft = begun(system, person, token, answers={"first-home": True})
    assert draft["version"] == 1
    again = call(system, "GET", f"/drafts/{draft['id']}", token)
    assert (again.status_code, again.headers["etag"], again.headers["cache-control"]) == (200, '"1"', "no-store")
    assert again.json() == draft
    assert (draft["form"], draft["answers"]) == ({"address": "南京东路1号"}, {"first-home": True})
    assert draft["opening"]["prefill"] == {
        "name": "张伟",
        "identifier_kind": "CITIZEN_ID",
        "identifier": CITIZEN_IDS[0],
    }
    met = {each["material"]: each for each in draft["opening"]["materials"]}
    assert (met["sale-contract"]["how"], met["sale-contract"]["exempt"]) == ("DATA_SHARING", True)
    assert met["sale-contract"]["evidence"]["source"] == "housing"
    assert met["sale-contract"]["name_zh"] == "房屋买卖合同"
    assert all(each["fallback"] is None for each in met.values())


def test_every_question_of_an_opening_is_in_the_exchange_log(system: Tongban, person: str, token: str) -> None:
    draft = begun(system, person, token)
    exchanges = [recorded.event for recorded in system.recorded(draft["id"])]
    asked = {each["material"]: each for each in draft["opening"]["materials"] if each["evidence"]}
    assert {exchange.material for exchange in exchanges} == set(asked)
    for exchange in exchanges:
        evidence = asked[exchange.material]["evidence"]
        assert (exchange.subject, exchange.draft) == (UUID(person), UUID(draft["id"]))
        assert (exchange.purpose, exchange.asked_by) == ("FORM_OPENING", f"citizen:{person}")
        assert (exchange.source, exchange.data_version) == (evidence["source"], evidence["version"])
        assert exchange.evidence_id == evidence["id"]


def test_a_draft_is_changed_by_version_and_kept_anew(system: Tongban, person: str, token: str) -> None:
    draft = begun(system, person, token)
    path = f"/drafts/{draft['id']}"
    changed = call(system, "PUT", path, token, {"form": {"a": 1}, "channel": "APP"}, if_match='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    told = changed.json()
    assert (told["form"], told["channel"], told["item"]) == ({"a": 1}, "APP", "property-transfer")
    # What was asked at the opening is not asked again.
    assert told["opening"] == draft["opening"]
    assert len(system.recorded(draft["id"])) == sum(
        each["evidence"] is not None for each in draft["opening"]["materials"]
    )
    stale = call(system, "PUT", path, token, {"form": {}}, if_match='"1"')
    assert (*code_of(stale), stale.json()["current"]) == (412, "draft-changed", 2)
    assert code_of(call(system, "DELETE", path, token, if_match='"1"')) == (412, "draft-changed")
    assert code_of(call(system, "PUT", path, token, {}, if_match="2")) == (400, "invalid-if-match")
    assert call(system, "DELETE", path, token, if_match='"2"').status_code == 204
    for method in ("GET", "DELETE", "PUT"):
        answer = call(system, method, path, token, {} if method == "PUT" else None)
        assert code_of(answer) == (404, "no-such-draft")


def test_an_answer_that_brings_up_a_material_has_its_source_asked(system: Tongban) -> None:
    system.publish("fertility-registration")
    person = system.register(citizen_id(23))
    token = system.token(Role.CITIZEN, person)

    def opened(draft: dict[str, Any]) -> dict[str, Any]:
        return {each["material"]: each["how"] for each in draft["opening"]["materials"]}

    draft = begun(system, person, token, item="fertility-registration")
    assert "marriage-cert" not in opened(draft)
    path = f"/drafts/{draft['id']}"
    asked = len(system.recorded(draft["id"]))
    married = call(system, "PUT", path, token, {"answers": {"married": True}}).json()
    assert opened(married)["marriage-cert"] == "E_LICENCE"
    assert len(system.recorded(draft["id"])) == asked + 1
    assert opened(call(system, "PUT", path, token, {"answers": {"married": False}}).json()) == opened(draft)
    assert call(system, "PUT", path, token, {"answers": {"married": ["what?"]}}).status_code == 200


def test_of_two_changes_at_once_one_is_told_of_the_other(system: Tongban, person: str, token: str) -> None:
    path = f"/drafts/{begun(system, person, token)['id']}"
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda n: call(system, "PUT", path, token, {"form": {"n": n}}, if_match='"1"'), range(6))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    assert call(system, "GET", path, token).json() == won


def test_nobody_else_sees_or_makes_ones_drafts(system: Tongban, person: str, token: str) -> None:
    path = f"/drafts/{begun(system, person, token)['id']}"
    stranger = system.token(Role.CITIZEN, system.register(CITIZEN_IDS[1], "李静"))
    body = {"item": "property-transfer", "applicant": person}
    for method in ("GET", "DELETE", "PUT"):
        for other in (stranger, system.officer(Role.CLERK, "nr")):
            answer = call(system, method, path, other, {} if method == "PUT" else None)
            assert code_of(answer) == (404, "no-such-draft")
        reviewer = system.officer(Role.REVIEWER, "nr")
        assert code_of(call(system, method, path, reviewer, {})) == (403, "role-not-allowed")
        assert code_of(call(system, method, path, None, {})) == (401, "token-missing")
    before = system.events()
    assert code_of(call(system, "POST", "/drafts", stranger, body)) == (403, "not-yours")
    assert system.events() == before  # nobody was asked about anybody
    assert call(system, "GET", "/drafts", stranger).json() == {"drafts": []}


def test_a_clerk_makes_a_draft_for_an_applicant_and_both_go_on_with_it(
    system: Tongban, person: str, token: str
) -> None:
    clerk = system.token(Role.CLERK, "clerk-77", "nr")
    draft = begun(system, person, clerk)
    path = f"/drafts/{draft['id']}"
    assert call(system, "PUT", path, token, {"form": {"by": "applicant"}}).status_code == 200
    assert call(system, "GET", path, clerk).json()["form"] == {"by": "applicant"}
    assert [each["id"] for each in call(system, "GET", "/drafts", clerk).json()["drafts"]] == [draft["id"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/applicant"),
        ({"applicant": "x"}, "/applicant"),
        ({"item": "property-transfer", "bundle": "home-moving"}, "/item"),
        ({"item": None}, "/item"),
        ({"item": "property-transfer", "materials": [{"material": "form", "how": "MAGIC"}]}, "/materials/0/how"),
        ({"item": "property-transfer", "effective_at": "2026-03-02T09:30:00+08:00"}, "/effective_at"),
        ({"item": "property-transfer", "unknown": 1}, "/unknown"),
    ],
)
def test_what_is_not_readable_is_pointed_at(
    system: Tongban, person: str, token: str, body: dict[str, Any], pointer: str
) -> None:
    sent = body if pointer == "/applicant" else {"applicant": person, **body}
    answer = call(system, "POST", "/drafts", token, sent)
    assert (*code_of(answer), answer.json()["pointer"]) == (400, "invalid-body", pointer)


def test_a_draft_is_of_an_item_in_force_for_who_is_registered(system: Tongban, person: str, token: str) -> None:
    answer = call(system, "POST", "/drafts", token, {"item": "no-such-item", "applicant": person})
    assert code_of(answer) == (404, "item-not-published")
    nobody = str(uuid4())
    body = {"item": "property-transfer", "applicant": nobody}
    before = system.events()
    answer = call(system, "POST", "/drafts", system.token(Role.CITIZEN, nobody), body)
    assert code_of(answer) == (404, "applicant-not-registered")
    assert system.events() == before
    big = {"item": "property-transfer", "applicant": person, "form": {"x": ["y" * 9000] * 40}}
    assert code_of(call(system, "POST", "/drafts", token, big)) == (413, "body-too-large")
    plain = system.client.post("/drafts", content=b"{}", headers={"authorization": f"Bearer {token}"})
    assert plain.status_code == 415


def test_nobody_has_more_drafts_than_are_kept(system: Tongban) -> None:
    person = system.register(citizen_id(21))
    token = system.token(Role.CITIZEN, person)
    for _ in range(20):
        begun(system, person, token, item="id-card-renewal")
    body = {"item": "id-card-renewal", "applicant": person}
    assert code_of(call(system, "POST", "/drafts", token, body)) == (422, "too-many-drafts")


def test_an_expired_draft_is_gone(system: Tongban, person: str, token: str) -> None:
    draft = begun(system, person, token)
    with psycopg.connect(system.settings.admin_database_url) as conn:
        conn.execute("UPDATE materials.draft SET expires_at = now() WHERE id = %s", (draft["id"],))
    assert code_of(call(system, "GET", f"/drafts/{draft['id']}", token)) == (410, "draft-gone")
    body = {"item": "property-transfer", "applicant": person, "channel": "WEB", "draft": draft["id"]}
    assert code_of(system.give("SubmitApplication", body, token)) == (410, "draft-gone")


def test_with_the_applicants_key_drafts_are_gone(system: Tongban) -> None:
    person = system.register(citizen_id(22))
    draft = begun(system, person, system.token(Role.CITIZEN, person))
    system.erase(person)
    with tongban(system.settings) as fresh:
        token = fresh.token(Role.CITIZEN, person)
        assert code_of(call(fresh, "GET", f"/drafts/{draft['id']}", token)) == (410, "draft-gone")
        assert call(fresh, "GET", "/drafts", token).json() == {"drafts": []}


# ── filing a draft ───────────────────────────────────────────────────────────────────────────────────────────────────


def filing(person: str, draft: str, **more: Any) -> dict[str, Any]:
    return {"item": "property-transfer", "applicant": person, "channel": "WEB", "draft": draft, **more}


OFFERED = [
    {"material": "id-card", "how": "E_LICENCE", "ref": None},
    {"material": "sale-contract", "how": "DATA_SHARING", "ref": None},
]


def test_what_the_body_leaves_empty_comes_from_the_draft_and_its_opening_is_the_evidence(
    system: Tongban, person: str, token: str
) -> None:
    draft = begun(system, person, token, answers={"q": "from the draft"}, materials=OFFERED)
    before = len(system.recorded(draft["id"]))
    answer = system.give("SubmitApplication", filing(person, draft["id"], form={"own": 1}), token)
    assert answer.status_code == 201, answer.text
    filed = system.recorded(answer.json()["id"])[0]
    assert (filed.event.answers, filed.event.form) == ({"q": "from the draft"}, {"own": 1})
    opened = {each["material"]: each["evidence"] for each in draft["opening"]["materials"]}
    named = {each["material"] for each in OFFERED}
    met = [each for each in filed.event.evidence if each.material in named]
    assert [(each.material, each.how, each.source, each.source_version, each.ref) for each in met] == [
        (
            each["material"],
            each["how"],
            opened[each["material"]]["source"],
            opened[each["material"]]["version"],
            opened[each["material"]]["id"],
        )
        for each in OFFERED
    ]
    # Nothing was asked again, and the draft is used up.
    assert len(system.recorded(draft["id"])) == before
    assert code_of(call(system, "GET", f"/drafts/{draft['id']}", token)) == (404, "no-such-draft")


def test_a_filing_that_names_only_its_draft_can_be_accepted(system: Tongban, person: str, token: str) -> None:
    """What the opening found to be exempt is claimed with it: nobody has to name it once more."""
    system.publish("birth-certificate")
    opened = system.client.post(
        "/drafts",
        json={"item": "birth-certificate", "applicant": person, "channel": "WEB"},
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    exempt = {each["material"] for each in opened["opening"]["materials"] if each["exempt"]}
    assert {"birth-form", "id-card", "delivery-record"} <= exempt
    body = {"item": "birth-certificate", "applicant": person, "channel": "WEB", "draft": opened["id"]}
    case = system.give("SubmitApplication", body, token).json()["id"]
    answer = system.give("AcceptApplication", {"case_id": case}, system.officer(Role.ACCEPTOR, "health"))
    assert answer.json()["materials"] == ["baby-name"], "only the paper that is to be uploaded"


def test_a_draft_filed_again_with_the_same_key_is_answered_the_same(system: Tongban, person: str, token: str) -> None:
    body, key = filing(person, begun(system, person, token, materials=OFFERED)["id"]), uuid4()
    first = system.give("SubmitApplication", body, token, key=key)
    before = system.events()
    again = system.give("SubmitApplication", body, token, key=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert system.events() == before
    assert code_of(system.give("SubmitApplication", body, token)) == (404, "no-such-draft")


def test_the_same_filing_at_the_same_moment_acts_once(system: Tongban, person: str, token: str) -> None:
    body, key = filing(person, begun(system, person, token, materials=OFFERED)["id"]), uuid4()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: system.give("SubmitApplication", body, token, key=key), range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert all(answer.json()["code"] == "key-in-flight" for answer in answers if answer.status_code == 409)


def test_a_draft_of_another_or_for_another_item_is_not_filed(system: Tongban, person: str, token: str) -> None:
    draft = begun(system, person, token)
    wrong = filing(person, draft["id"]) | {"item": "id-card-renewal"}
    assert code_of(system.give("SubmitApplication", wrong, token)) == (422, "draft-differs")
    other = system.register(CITIZEN_IDS[1], "李静")
    stolen = system.give("SubmitApplication", filing(other, draft["id"]), system.token(Role.CITIZEN, other))
    assert code_of(stolen) == (404, "no-such-draft")
    unknown = system.give("SubmitApplication", filing(person, str(uuid4())), token)
    assert code_of(unknown) == (404, "no-such-draft")
    assert call(system, "GET", f"/drafts/{draft['id']}", token).status_code == 200  # a refusal uses nothing up


def test_a_refused_filing_keeps_the_draft(system: Tongban, person: str, token: str) -> None:
    draft = begun(system, person, token, materials=[{"material": "unheard-of", "how": "UPLOAD", "ref": None}])
    assert system.give("SubmitApplication", filing(person, draft["id"]), token).status_code == 422
    assert call(system, "GET", f"/drafts/{draft['id']}", token).json() == draft
