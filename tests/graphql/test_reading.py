"""What homepages, queues and cases show, and to whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.graphql.conftest import SUPERVISOR, World, citizen, officer
from tests.story import MORNING
from tongban.domain.absence.events import AbsenceRegistered
from tongban.domain.actor import Actor, Role
from tongban.domain.case.events import ApplicationAccepted
from tongban.domain.ids import absence_stream
from tongban.domain.mandate.events import MandateGranted, MandateKind, Step
from tongban.domain.office_time import office_day

CASE = "query($id: ID!, $v: Int) { case(id: $id, minVersion: $v) { id number state version } }"


def test_homepage_shows_cases_and_licences(world: World) -> None:
    found = world.ask(
        citizen(world.buyer),
        """{ me { id kind name number erased
               cases(first: 5) { edges { node { number state result item { id version name }
                   licence { number typeName(lang: EN) face holder { name } } rating { grade text anonymous } } } }
               licences(first: 5) { edges { node { number validTo case { number } } } pageInfo { hasNextPage } } } }""",
    ).data["me"]
    case = found["cases"]["edges"][0]["node"]
    assert (found["name"], found["kind"], found["erased"]) == ("王小明", "PERSON", False)
    assert found["number"].startswith("P-")
    assert "*" not in found["number"]
    assert case["item"] == {"id": "property-transfer", "version": 1, "name": "事项 property-transfer"}
    assert case["licence"]["face"] == {"holder": "某人"}
    assert case["licence"]["typeName"]
    assert case["licence"]["holder"] == {"name": "王小明"}
    assert case["rating"] == {"grade": 2, "text": "很好", "anonymous": False}
    licence = found["licences"]["edges"][0]["node"]
    assert licence["case"] == {"number": world.transfer.number}
    assert licence["validTo"] == "2031-03-02"


def test_cases_of_a_party_can_be_asked_for_by_state(world: World) -> None:
    query = "query($s: CaseState) { me { cases(state: $s) { edges { node { id } } } } }"
    for state, told in (("ACCEPTED", world.open_food), ("CLOSED", world.food)):
        edges = world.ask(citizen(world.shop), query, {"s": state}).data["me"]["cases"]["edges"]
        assert edges == [{"node": {"id": str(told.id)}}]


def test_queue_shows_the_cases_a_department_holds(world: World) -> None:
    query = """{ department(code: "samr") { code name(lang: EN) queue(first: 10) {
        edges { since branches node { number applicant { name number }
            branches { department holder state opinion } } } } } }"""
    (edge,) = world.ask(officer("samr"), query).data["department"]["queue"]["edges"]
    assert edge["node"]["number"] == world.open_food.number
    assert edge["branches"] == ["samr"]
    assert edge["node"]["applicant"]["name"] == "好味饭店"
    assert edge["node"]["applicant"]["number"].startswith("P-")
    assert "*" in edge["node"]["applicant"]["number"]
    branch = {"department": "samr", "holder": "dept:samr", "state": "REVIEWING", "opinion": None}
    assert edge["node"]["branches"] == [branch]
    for other in (officer("tax"), citizen(world.shop), None):
        assert world.ask(other, query).data["department"]["queue"]["edges"] == []


def test_case_shows_its_steps_with_texts_opened(world: World) -> None:
    query = """query($id: ID!) { case(id: $id) { channel materials { material how source }
        holders { branch holder } application { form answers erased }
        timeline(first: 100) { edges { node { type version actor { role department } data personal erased } } } } }"""
    case = world.ask(officer("tax"), query, {"id": str(world.transfer.id)}).data["case"]
    steps = [edge["node"] for edge in case["timeline"]["edges"]]
    assert [step["type"] for step in steps][:3] == [
        "case.ApplicationSubmitted",
        "case.MaterialsReceived",
        "case.ApplicationAccepted",
    ]
    opinion = next(step for step in steps if step["data"].get("branch") == "tax")
    assert opinion["personal"] == {"text": "意见 tax"}
    assert case["application"] == {
        "form": {"address": "某某路1号", "notes": "x" * 200},
        "answers": {"q": "a"},
        "erased": False,
    }
    assert case["materials"][0] == {"material": "form", "how": "FORM_PREFILL", "source": "applicant"}
    assert case["holders"] == [{"branch": "main", "holder": "none"}]


def test_timeline_pages_follow_each_other(world: World) -> None:
    query = """query($id: ID!, $after: String) { case(id: $id) { timeline(first: 3, after: $after) {
        edges { node { eventId } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
    seen: list[str] = []
    after, more = None, True
    while more:
        page = world.ask(SUPERVISOR, query, {"id": str(world.transfer.id), "after": after}).data["case"]["timeline"]
        seen += [edge["node"]["eventId"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    events = [r for r in world.story.events if r.envelope.correlation == world.transfer.id]
    assert seen == [str(recorded.envelope.id) for recorded in events]


MANDATES = """{ me { id mandates { id kind items steps validFrom validTo revokedAt principalId agentId
    principal { name number } agent { name } cases(first: 5) { edges { node { id
        timeline(first: 1) { edges { node { actor { id role onBehalfOf mandate } } } } } } } } } }"""


def test_a_homepage_shows_mandates_and_what_was_filed_under_them(world: World) -> None:
    story, mandate = world.story, world.story.uuid()
    today = office_day(datetime.now(UTC))
    granted = MandateGranted(world.buyer, world.shop, MandateKind.AGENT, None, (Step.FILE,), today, today, None)
    told = len(story.events)
    story.append(mandate, granted, actor=citizen(world.buyer), at=MORNING)
    agent = Actor(str(world.shop), Role.AGENT, on_behalf_of=world.buyer, mandate=mandate)
    filed = story.case(world.buyer, "kitchen-waste", steps=1, clerk=agent)
    world.tables.apply(story.events[told:])
    found = world.ask(agent, MANDATES).data["me"]
    assert found["id"] == str(world.shop)
    [shown] = found["mandates"]
    [edge] = shown.pop("cases")["edges"]
    assert edge["node"]["id"] == str(filed.id)
    [step] = edge["node"]["timeline"]["edges"]
    acted = {"id": str(world.shop), "role": "agent", "onBehalfOf": str(world.buyer), "mandate": str(mandate)}
    assert step["node"]["actor"] == acted
    assert "*" in shown["principal"].pop("number")
    assert shown == {
        "id": str(mandate),
        "kind": "AGENT",
        "items": None,
        "steps": ["FILE"],
        "validFrom": today.isoformat(),
        "validTo": today.isoformat(),
        "revokedAt": None,
        "principalId": str(world.buyer),
        "agentId": str(world.shop),
        "principal": {"name": "王小明"},
        "agent": {"name": "好味饭店"},
    }
    assert world.ask(citizen(world.buyer), MANDATES).data["me"]["mandates"][0]["id"] == str(mandate)
    node = world.ask(agent, "query($id: ID!) { node(id: $id) { id ... on Mandate { kind } } }", {"id": str(mandate)})
    assert node.data["node"] == {"id": str(mandate), "kind": "AGENT"}
    nobody = world.ask(officer("tax"), "query($id: ID!) { node(id: $id) { id } }", {"id": str(mandate)})
    assert nobody.data["node"] is None
    too_many = world.ask(agent, "{ me { mandates(first: 101) { id } } }")
    assert too_many.codes


def test_a_department_shows_who_is_away(world: World) -> None:
    told = len(world.story.events)
    day = MORNING.date()
    absence = AbsenceRegistered("nr-acceptor", "cover", "nr", day, day)
    world.story.append(absence_stream("nr-acceptor"), absence, actor=officer("nr", Role.HEAD), at=MORNING)
    world.tables.apply(world.story.events[told:])
    query = '{ department(code: "nr") { absences { officer cover first last } } }'
    shown = {"officer": "nr-acceptor", "cover": "cover", "first": day.isoformat(), "last": day.isoformat()}
    assert world.ask(officer("nr"), query).data["department"]["absences"] == [shown]
    assert world.ask(officer("tax"), query).data["department"]["absences"] == []


def test_anonymous_rating_is_shown_to_rater_and_supervisor_only(world: World) -> None:
    query = "query($id: ID!) { case(id: $id) { rating { grade } timeline(first: 100) { edges { node { type } } } } }"
    for actor, shown in ((SUPERVISOR, True), (citizen(world.shop), True), (officer("samr"), False)):
        case = world.ask(actor, query, {"id": str(world.food.id)}).data["case"]
        assert (case["rating"] is not None) is shown
        assert any(e["node"]["type"] == "rating.CaseRated" for e in case["timeline"]["edges"]) is shown


def test_unknown_and_foreign_are_the_same_null(world: World) -> None:
    foreign, stranger = str(world.transfer.id), officer("samr")
    for case_id in (foreign, str(uuid4()), "", "x", "Q2FzZTo=", "\u4f60", "a\u0000b"):
        assert world.ask(stranger, CASE, {"id": case_id}).data == {"case": None}
        assert world.ask(None, CASE, {"id": case_id}).data == {"case": None}
        found = world.ask(
            stranger,
            """query($id: ID!, $t: String!) { node(id: $id) { id } party(id: $id) { name } licence(id: $id) { id }
                item(id: $id) { id } caseByNumber(number: $t) { id } department(code: $t) { code } me { name } }""",
            {"id": case_id, "t": case_id},
        ).data
        assert set(found.values()) == {None}
    number = world.transfer.number
    by_number = "query($n: String!) { caseByNumber(number: $n) { id } }"
    assert world.ask(stranger, by_number, {"n": number}).data == {"caseByNumber": None}
    assert world.ask(officer("nr"), by_number, {"n": number}).data == {"caseByNumber": {"id": foreign}}


def test_every_object_is_found_again_by_its_id(world: World) -> None:
    query = """query($id: ID!) { case(id: $id) { id item { id } applicant { id } licence { id } } }"""
    case = world.ask(citizen(world.buyer), query, {"id": str(world.transfer.id)}).data["case"]
    ids = [case["id"], case["item"]["id"], case["applicant"]["id"], case["licence"]["id"]]
    for one, kind in zip(ids, ["Case", "ServiceItem", "Party", "Licence"], strict=True):
        found = world.ask(citizen(world.buyer), "query($i: ID!) { node(id: $i) { __typename id } }", {"i": one}).data
        assert found == {"node": {"__typename": kind, "id": one}}
        if kind != "ServiceItem":
            assert world.ask(officer("samr"), "query($i: ID!) { node(id: $i) { id } }", {"i": one}).data == {
                "node": None
            }
    assert world.ask(citizen(world.buyer), CASE, {"id": case["id"]}).data["case"]["id"] == str(world.transfer.id)
    assert world.ask(citizen(world.buyer), CASE, {"id": case["applicant"]["id"]}).data == {"case": None}


def test_items_are_listed_by_page_and_department(world: World) -> None:
    query = """query($d: String, $a: String) { items(first: 2, department: $d, after: $a) {
        edges { cursor node { id version department name(lang: EN) } } pageInfo { hasNextPage } } }"""
    nobody = Actor("x", Role.DATA_CENTRE)
    page = world.ask(nobody, query).data["items"]
    assert [edge["node"]["id"] for edge in page["edges"]] == ["food-licence", "kitchen-waste"]
    rest = world.ask(nobody, query, {"a": page["edges"][1]["cursor"]}).data["items"]
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["property transfer"]
    assert len(world.ask(nobody, query, {"d": "nr"}).data["items"]["edges"]) == 1
    item = world.ask(nobody, '{ item(id: "food-licence", version: 1) { definition } }').data["item"]
    assert item["definition"]["reviewBranches"] == {"departments": ["samr"]}
    assert world.ask(nobody, '{ item(id: "food-licence", version: 9) { id } }').data == {"item": None}
    assert world.ask(None, '{ item(id: "food-licence") { id } }').data == {"item": None}


def test_min_version_waits_until_the_case_is_projected(world: World) -> None:
    told = world.story.case(world.shop, "food-licence", steps=1)
    accepted = world.story.append(told.id, ApplicationAccepted("a"), actor=officer("samr"), at=MORNING)
    filed = [r for r in world.story.events if r.envelope.stream == told.id and r is not accepted]
    later = threading.Timer(0.2, lambda: world.tables.apply([*filed, accepted]))
    later.start()
    started = time.monotonic()
    found = world.ask(citizen(world.shop), CASE, {"id": str(told.id), "v": 3}).data["case"]
    later.join()
    assert found["version"] == 3
    assert time.monotonic() - started < 1.5


def test_min_version_that_does_not_come_is_an_error_for_unknown_and_foreign_alike(world: World) -> None:
    started = time.monotonic()
    asked = world.ask(citizen(world.shop), CASE, {"id": str(world.food.id), "v": 99})
    assert asked.response.json()["errors"][0]["extensions"] == {"code": "not-yet-projected", "version": 10 - 2}
    for case_id in (str(world.transfer.id), str(uuid4())):
        asked = world.ask(citizen(world.shop), CASE, {"id": case_id, "v": 1})
        assert asked.response.json()["errors"][0]["extensions"] == {"code": "not-yet-projected", "version": 0}
    assert time.monotonic() - started < 9


def test_erased_person_is_null_and_said_so(world: World) -> None:
    world.story.erased.add(world.buyer)
    try:
        query = """query($id: ID!) { case(id: $id) { applicant { name number erased } application { form erased }
            licence { face erased } rating { text erased }
            timeline(first: 1) { edges { node { personal erased } } } } }"""
        case = world.ask(SUPERVISOR, query, {"id": str(world.transfer.id)}).data["case"]
    finally:
        world.story.erased.clear()
    assert case["applicant"] == {"name": None, "number": None, "erased": True}
    assert case["application"] == {"form": None, "erased": True}
    assert case["licence"] == {"face": None, "erased": True}
    assert case["rating"] == {"text": None, "erased": True}
    assert case["timeline"]["edges"][0]["node"] == {"personal": None, "erased": True}


def test_boxes_of_a_page_are_opened_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = world.story.unseal

    def counted(boxes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        calls.append(len(boxes))
        return real(boxes)

    monkeypatch.setattr(world.story, "unseal", counted)
    found = world.ask(
        SUPERVISOR,
        """query($id: ID!) { case(id: $id) { timeline(first: 100) { edges { node { personal erased } } } } }""",
        {"id": str(world.transfer.id)},
    )
    assert found.data["case"]
    assert len(calls) == 1


def test_unexpected_error_is_masked(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(boxes: object) -> None:
        raise RuntimeError("王小明的秘密")

    monkeypatch.setattr(world.story, "unseal", fail)
    asked = world.ask(citizen(world.buyer), "{ me { name id } }")
    assert asked.codes == ["internal-error"]
    assert asked.response.json()["data"] == {"me": {"name": None, "id": str(world.buyer)}}
    out, err = capfd.readouterr()
    assert "graphql_field_failed" in out + err
    assert "秘密" not in asked.response.text + out + err


def test_replaced_actor_sees_nothing_of_the_one_before(world: World) -> None:
    query = {"id": str(world.transfer.id)}
    assert world.ask(SUPERVISOR, CASE, query).data["case"]
    assert world.ask(replace(SUPERVISOR, role=Role.INTEGRATOR), CASE, query).data == {"case": None}
