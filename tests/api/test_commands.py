"""Commands over HTTP: what is answered to good requests, repeated ones, and refused ones."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from stdnum.cn import uscc

from tests.api.serving import CITIZEN_IDS, Tongban
from tongban.domain.actor import Role


@pytest.fixture(scope="module")
def organisation(system: Tongban) -> str:
    system.publish_plain("food-licence")
    code = "91310000MA1FL0XA3"
    body = {"kind": "ORGANISATION", "identifier_kind": "USCC", "identifier": code + uscc.calc_check_digit(code)}
    answer = system.give("RegisterParty", body | {"name": "面馆"}, system.officer(Role.CLERK))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def application(applicant: str) -> dict[str, object]:
    return {"item": "food-licence", "applicant": applicant, "channel": "WEB", "form": {"premises": "南京东路1号"}}


@pytest.fixture(scope="module")
def case(system: Tongban, organisation: str) -> str:
    answer = system.give("SubmitApplication", application(organisation), system.token(Role.ENTERPRISE, organisation))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_new_stream_is_answered_201_with_its_version_position_and_events(system: Tongban, organisation: str) -> None:
    answer = system.give("SubmitApplication", application(organisation), system.token(Role.ENTERPRISE, organisation))
    assert answer.status_code == 201
    told = answer.json()
    assert set(told) == {"id", "number", "version", "position", "events"}
    assert told["version"] == 3
    assert told["events"] == ["case.ApplicationSubmitted", "case.MaterialsReceived", "case.CommitmentOffered"]
    assert answer.headers["etag"] == '"3"'
    assert str(UUID(told["id"])) == told["id"]


def test_a_repeated_command_is_answered_as_the_first_time_and_acts_once(system: Tongban, organisation: str) -> None:
    token, key = system.token(Role.ENTERPRISE, organisation), uuid4()
    first = system.give("SubmitApplication", application(organisation), token, key=key)
    before = system.events()
    again = system.give("SubmitApplication", application(organisation), token, key=key)
    assert again.json() == first.json()
    assert system.events() == before


def test_members_in_another_order_are_the_same_request(system: Tongban, organisation: str) -> None:
    token, key = system.token(Role.ENTERPRISE, organisation), uuid4()
    first = system.give("SubmitApplication", application(organisation), token, key=key)
    turned = dict(reversed(application(organisation).items()))
    assert system.give("SubmitApplication", turned, token, key=key).json() == first.json()


def test_a_key_used_for_another_body_is_refused_with_422(system: Tongban, organisation: str) -> None:
    token, key = system.token(Role.ENTERPRISE, organisation), uuid4()
    system.give("SubmitApplication", application(organisation), token, key=key)
    before = system.events()
    answer = system.give("SubmitApplication", application(organisation) | {"channel": "APP"}, token, key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "key-reused")
    assert system.events() == before


def test_a_command_that_is_so_already_is_answered_200_without_events(system: Tongban, case: str) -> None:
    acceptor = system.officer(Role.ACCEPTOR, "samr")
    assert system.give("AcceptApplication", {"case_id": case}, acceptor).status_code == 200
    again = system.give("AcceptApplication", {"case_id": case}, acceptor)
    assert (again.status_code, again.json()["events"]) == (200, [])


def test_another_version_than_the_one_seen_is_refused_with_409(system: Tongban, organisation: str) -> None:
    filed = system.give("SubmitApplication", application(organisation), system.token(Role.ENTERPRISE, organisation))
    body, acceptor = {"case_id": filed.json()["id"]}, system.officer(Role.ACCEPTOR, "samr")
    refused = system.give("AcceptApplication", body, acceptor, if_match='"7"')
    assert (refused.status_code, refused.json()["code"]) == (409, "stale-version")
    assert (refused.json()["expected"], refused.json()["current"]) == (7, 3)
    assert system.give("AcceptApplication", body, acceptor, if_match='"3"').status_code == 200


def test_an_unknown_case_is_answered_404(system: Tongban) -> None:
    answer = system.give("AcceptApplication", {"case_id": str(uuid4())}, system.officer(Role.ACCEPTOR, "samr"))
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-case")


@pytest.mark.parametrize(
    ("role", "department", "code"),
    [(Role.CLERK, "samr", "role-not-allowed"), (Role.ACCEPTOR, "fire", "other-department")],
)
def test_a_wrong_role_or_department_is_refused_with_403(
    system: Tongban, case: str, role: Role, department: str, code: str
) -> None:
    before = system.events()
    answer = system.give("AcceptApplication", {"case_id": case}, system.officer(role, department))
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert system.events() == before


def test_nobody_files_for_someone_else_or_rates_a_foreign_case(system: Tongban, case: str) -> None:
    stranger = system.register(CITIZEN_IDS[1])
    token = system.token(Role.CITIZEN, stranger)
    for name, body in (
        ("SubmitApplication", application(str(uuid4()))),
        ("RateCase", {"case_id": case, "grade": 1}),
    ):
        answer = system.give(name, body, token)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-yours"), name


def test_a_policys_command_cannot_be_given_over_http(system: Tongban) -> None:
    answer = system.give("CollectLicence", {}, system.officer(Role.ADMIN))
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-command")


def test_an_officer_may_enter_late_and_an_applicant_may_not(system: Tongban, organisation: str) -> None:
    late = application(organisation) | {"effective_at": "2026-03-02T09:30:00+08:00"}
    assert system.give("SubmitApplication", late, system.officer(Role.CLERK, "samr")).status_code == 201
    refused = system.give("SubmitApplication", late, system.token(Role.ENTERPRISE, organisation))
    assert (refused.status_code, refused.json()["code"]) == (403, "late-entry-not-allowed")
    future = late | {"effective_at": "2999-01-01T00:00:00Z"}
    refused = system.give("SubmitApplication", future, system.officer(Role.CLERK, "samr"))
    assert (refused.status_code, refused.json()["code"]) == (422, "effective-time-in-future")


def test_the_trace_of_the_caller_goes_on_and_is_told(system: Tongban, organisation: str) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    token = system.token(Role.ENTERPRISE, organisation)
    body = application(organisation)
    answer = system.give("SubmitApplication", body, token, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert re.fullmatch(rf"00-{trace}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01", answer.headers["traceparent"])
    broken = system.give("SubmitApplication", body, token, traceparent=f"00-{'0' * 32}-00f067aa0ba902b7-01")
    assert broken.status_code == 201
    assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01", broken.headers["traceparent"])


def test_other_methods_and_addresses_are_told_as_problems(system: Tongban) -> None:
    answer = system.client.get("/commands/AcceptApplication")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method-not-allowed", "POST")
    answer = system.client.get("/nothing-here")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-route")
    answer = system.client.post("/livez")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_command_latency_is_measured_by_command_and_outcome(system: Tongban, case: str) -> None:
    system.give("AcceptApplication", {"case_id": case}, system.officer(Role.CLERK, "samr"))
    system.give("Nonsense", {}, system.officer(Role.CLERK, "samr"))
    text = system.client.get("/metrics").text
    assert 'tongban_command_seconds_count{command="AcceptApplication",outcome="role-not-allowed"}' in text
    assert 'tongban_command_seconds_count{command="unknown",outcome="unknown-command"}' in text
    assert "tongban_batch_commands_count" in text
    assert "Nonsense" not in text
