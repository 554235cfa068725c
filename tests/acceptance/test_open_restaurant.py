"""开饭店“一件事” over HTTP: one visit, one inspection, six results, ten working days; it took fifty-eight."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.acceptance.conftest import Caller
from tests.acceptance.office import Office, day_of, moment, working_days
from tests.processes import eventually
from tongban.infra.reference import sample_bundles

pytestmark = [pytest.mark.kafka, pytest.mark.integration, pytest.mark.timeout(300)]

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 4, day) for day in (20, 21, 22, 23, 24))
PAPERS = ("premises", "layout", "equipment", "sign-design", "fire-commitment")
HOW = {
    "combined-form": "FORM_PREFILL",
    "licence-biz": "E_LICENCE",
    "id-card": "E_LICENCE",
    "food-rules": "COMMITMENT",
    "food-manager": "DATA_SHARING",
    "health-cert": "DATA_SHARING",
    "waste-contract": "DATA_SHARING",
}
ANSWERS = {"area": 260, "open-kitchen": False, "agent": False, "own-premises": True, "commitment-route": False}
FORM = {"premises": {"address": "某某路77号", "areaM2": 260, "seats": 80}, "food": {"coldDishes": True}}
CASES = """
{ me { cases(first: 20) { edges { node {
  id number state result submittedAt acceptedAt decidedAt closedAt version
  item { id } branches { department opinion } licence { number }
} } } } }
"""


def sample(version: str) -> Any:
    """The definition of a version."""
    return next(each for each in sample_bundles() if (each["id"], each["version"]) == ("open-restaurant", version))


def restaurant(caller: Caller, uscc: str) -> str:
    """A registered company that is to open one."""
    body = {"kind": "ORGANISATION", "identifier_kind": "USCC", "identifier": uscc, "name": "好味来餐饮有限公司"}
    return str(caller.command("RegisterParty", body, "clerk", "samr-clerk", "samr")["id"])


def cases_of(caller: Caller, party: str) -> dict[str, Any]:
    """Item → the company's case of it."""
    edges = caller.query(CASES, "enterprise", party)["me"]["cases"]["edges"]
    return {edge["node"]["item"]["id"]: edge["node"] for edge in edges}


def offered(caller: Caller, party: str) -> list[dict[str, Any]]:
    """The twelve materials, on paper only where nothing else will do."""
    papers = [
        {"material": name, "how": "UPLOAD", "ref": caller.upload(name.encode(), "enterprise", party)} for name in PAPERS
    ]
    return [*papers, *({"material": name, "how": how} for name, how in HOW.items())]


def test_a_restaurant_opens_with_one_visit_and_one_inspection_in_ten_working_days(caller: Caller) -> None:
    party = restaurant(caller, "11310000XX0000182D")
    samr, greening, fire, liquor = (Office(caller, name) for name in ("samr", "greening", "fire", "liquor"))
    materials = offered(caller, party)
    before = sample("2019")["before"]
    assert (len(materials), before["materials"], before["workingDays"], before["inspections"]) == (12, 31, 58, 3)

    # One visit: the window takes the one form, whatever departments it is for.
    filed = samr.does(
        "SubmitBundle",
        "clerk",
        moment(MONDAY, 9),
        bundle="open-restaurant",
        version="2019",
        applicant=party,
        channel="COUNTER",
        answers=ANSWERS,
        form=FORM,
        materials=materials,
    )
    bundle = filed["id"]
    assert filed["number"]
    items = [each["itemId"] for each in sample("2019")["subItems"]]
    assert eventually(lambda: cases_of(caller, party).keys() == set(items))
    cases = {item: case["id"] for item, case in cases_of(caller, party).items()}

    # Six acceptances side by side; the two filings are done on the spot.
    leads = {
        "food-licence": samr,
        "liquor-retail": liquor,
        "outdoor-sign": greening,
        "fire-safety-check": fire,
        "kitchen-waste": greening,
        "waste-oil": greening,
    }
    for item, office in leads.items():
        office.accept(cases[item], moment(MONDAY, 11))
    for item in ("kitchen-waste", "waste-oil"):
        greening.pass_(cases[item], moment(MONDAY, 15))
        greening.grant(cases[item], moment(MONDAY, 16))

    # Nobody decides before the one joint inspection, which serves three of them at once.
    early = caller.refused("GrantApproval", {"case_id": cases["food-licence"]}, "decider", "samr-decider", "samr")
    assert early["status"] == 422
    visit = {"task": "joint-inspection", "inspectors": ["samr-inspector", "fire-inspector"], "result": "PASS"}

    def inspected() -> bool:
        # The task is open once every served case is accepted, which the bundle hears of a moment later.
        body = {"bundle_id": bundle, "text": "现场符合要求", "effective_at": moment(WEDNESDAY, 9), **visit}
        headers = caller.headers("inspector", "samr-inspector", "samr")
        return caller.client.post("/commands/RecordBundleInspection", json=body, headers=headers).is_success

    assert eventually(inspected)

    # Departments work in parallel: the one that was asked last speaks first.
    fire.pass_(cases["fire-safety-check"], moment(TUESDAY, 9))
    liquor.pass_(cases["liquor-retail"], moment(TUESDAY, 10))
    Office(caller, "psb").pass_(cases["outdoor-sign"], moment(TUESDAY, 11))
    greening.pass_(cases["outdoor-sign"], moment(WEDNESDAY, 11))
    samr.pass_(cases["food-licence"], moment(WEDNESDAY, 12))
    liquor.grant(cases["liquor-retail"], moment(WEDNESDAY, 13))
    decided = ("food-licence", "outdoor-sign", "fire-safety-check")
    for item in decided:
        assert eventually(lambda: granted(leads[item], cases[item], moment(THURSDAY, 9)))  # noqa: B023 - called at once

    # One hand-out: what is decided is made when all is decided.
    for item in ("food-licence", "outdoor-sign", "fire-safety-check", "liquor-retail"):
        assert eventually(lambda: issued(leads[item], cases[item], moment(FRIDAY, 9)))  # noqa: B023 - called at once

    assert eventually(lambda: {each["state"] for each in cases_of(caller, party).values()} == {"CLOSED"})
    told = cases_of(caller, party)
    assert len(told) == 6
    assert {each["result"] for each in told.values()} == {"GRANTED"}
    assert sum(each["licence"] is not None for each in told.values()) == 4
    first = min(day_of(each["submittedAt"]) for each in told.values())
    last = max(day_of(each["closedAt"]) for each in told.values())
    assert working_days(first, last, {}) <= 10
    accepted = max(each["acceptedAt"] for each in told.values())
    assert accepted < min(told[item]["decidedAt"] for item in decided), "side by side, not in a row"


def granted(office: Office, case: str, at: str) -> bool:
    """Whether the decision could be made now: the inspection reaches each case by itself."""
    return _done(office, "GrantApproval", "decider", {"case_id": case, "text": "准予", "effective_at": at})


def issued(office: Office, case: str, at: str) -> bool:
    """Whether the licence could be made now."""
    return _done(office, "IssueLicence", "clerk", {"case_id": case, "face": {}, "effective_at": at})


def _done(office: Office, command: str, role: str, body: dict[str, Any]) -> bool:
    headers = office.caller.headers(role, f"{office.department}-{role}", office.department)
    answer = office.caller.client.post(f"/commands/{command}", json=body, headers=headers)
    assert answer.is_success or answer.json()["code"] in ("gate-closed", "inspection-outstanding"), answer.text
    return answer.is_success


def test_two_versions_of_one_matter_stand_side_by_side(caller: Caller) -> None:
    party = restaurant(caller, "11310000XX000014XW")
    papers = [
        {"material": name, "how": "UPLOAD", "ref": caller.upload(name.encode(), "enterprise", party)}
        for name in ("premises", "layout", "equipment", "sign-design", "fire-rules")
    ]
    newer = [
        *({"material": name, "how": "E_LICENCE"} for name in ("licence-biz", "id-card")),
        *({"material": name, "how": "DATA_SHARING"} for name in ("food-manager", "health-cert")),
        *({"material": name, "how": "COMMITMENT"} for name in ("food-rules", "fire-decor")),
        {"material": "form", "how": "FORM_PREFILL"},
    ]
    body = {"bundle": "open-restaurant", "applicant": party, "channel": "WEB", "answers": ANSWERS, "form": FORM}
    filed = caller.command("SubmitBundle", {**body, "materials": [*papers, *newer]}, "enterprise", party)
    assert filed["events"]
    three = {each["itemId"] for each in sample("2024")["subItems"]}
    assert eventually(lambda: cases_of(caller, party).keys() == three)
    older = {**body, "version": "2019", "materials": offered(caller, party)}
    assert caller.command("SubmitBundle", older, "enterprise", party)["number"] != filed["number"]
    six = [each["itemId"] for each in sample("2019")["subItems"]]

    def filed_cases() -> int:
        return len(caller.query(CASES, "enterprise", party)["me"]["cases"]["edges"])

    assert eventually(lambda: filed_cases() == len(three) + len(six))
