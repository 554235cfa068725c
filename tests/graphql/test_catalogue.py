"""The catalogue and its guides, read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.graphql.conftest import World, citizen
from tests.story import MORNING
from tongban.domain.actor import Actor, Role
from tongban.domain.catalogue.events import ItemPublished, ItemWithdrawn
from tongban.domain.ids import item_stream
from tongban.graphql import guide
from tongban.infra.reference import sample_bundles, sample_items

ENTRIES = {entry["id"]: entry for entry in sample_items()}
ADMIN = Actor("admin", Role.ADMIN)
ANYBODY = Actor("x", Role.DATA_CENTRE)
LATER = date.today() + timedelta(days=400)  # noqa: DTZ011 - far from any midnight


@pytest.fixture(scope="module", autouse=True)
def published(world: World) -> None:
    """Items of the sample catalogue, one with a planned version, one withdrawn."""
    told = len(world.story.events)

    def tell(item: str, *events: Any) -> None:
        for event in events:
            world.story.append(item_stream(item), event, actor=ADMIN, at=MORNING)

    for item in ("liquor-retail", "outdoor-sign", "fire-safety-check", "waste-oil", "inheritance-transfer"):
        tell(item, ItemPublished(item, 1, ENTRIES[item], None))
    for item in ("food-licence", "kitchen-waste"):
        tell(item, ItemPublished(item, 2, ENTRIES[item], None))
    tell("food-licence", ItemPublished("food-licence", 3, ENTRIES["food-licence"], LATER))
    old = ENTRIES["tobacco-retail"]
    tell(
        "tobacco-retail",
        ItemPublished("tobacco-retail", 1, old, None),
        ItemWithdrawn("tobacco-retail", date(2026, 4, 1)),
    )
    world.tables.apply(world.story.events[told:])


def test_an_item_says_all_that_was_published_of_it(world: World) -> None:
    query = """{ item(id: "food-licence") { version state effectiveFrom
        legalLimit { value unit basis } promisedLimit { value unit } extension { value }
        immediate promised visits fullyOnline onlineDepth cityWide inPerson tolerant commitment
        commitmentCheckWithin { value unit } inspection procedures fee { amount } resultLicence { code name(lang: EN) }
        delivery legalBasis acceptConditions serves branches
        questions { id kind text(lang: EN) options { value text } }
        materials { id name(lang: EN) necessity source met licenceType { code name } basis conditional } } }"""
    item = world.ask(ANYBODY, query).data["item"]
    materials = {material.pop("id"): material for material in item.pop("materials")}
    assert materials["licence-biz"] == {
        "name": "business licence",
        "necessity": "REQUIRED",
        "source": "GOV_ISSUED",
        "met": "E_LICENCE",
        "licenceType": {"code": "lt-business", "name": "营业执照"},
        "basis": "食品安全法 art. 35",
        "conditional": False,
    }
    assert materials["agent-letter"]["conditional"]
    assert [question["id"] for question in item.pop("questions")] == ["agent", "area", "open-kitchen"]
    assert item.pop("legalLimit")["basis"].startswith("食品安全法")
    assert item == {
        "version": 2,
        "state": "IN_FORCE",
        "effectiveFrom": "2026-03-02",
        "promisedLimit": {"value": 10, "unit": "WORKING_DAY"},
        "extension": {"value": 10},
        "immediate": False,
        "promised": True,
        "visits": 0,
        "fullyOnline": True,
        "onlineDepth": 7,
        "cityWide": True,
        "inPerson": False,
        "tolerant": True,
        "commitment": True,
        "commitmentCheckWithin": {"value": 1, "unit": "MONTH"},
        "inspection": True,
        "procedures": [],
        "fee": None,
        "resultLicence": {"code": "lt-food", "name": "food operation licence"},
        "delivery": ["ONLINE", "COUNTER", "COURIER"],
        "legalBasis": ["食品安全法 art. 35", "食品经营许可和备案管理办法"],
        "acceptConditions": ENTRIES["food-licence"]["acceptanceConditions"],
        "serves": ["LEGAL_PERSON"],
        "branches": ["samr"],
    }


def test_an_item_of_the_first_release_says_what_it_can(world: World) -> None:
    query = """{ item(id: "property-transfer") { legalLimit { value } fee { amount } onlineDepth fullyOnline
        materials { id necessity source basis met } questions { id } } }"""
    item = world.ask(ANYBODY, query).data["item"]
    assert item["materials"][0] == {
        "id": "form",
        "necessity": "REQUIRED",
        "source": None,
        "basis": None,
        "met": "UPLOAD",
    }
    assert (item["legalLimit"], item["fee"], item["onlineDepth"], item["fullyOnline"]) == (None, None, None, False)


def test_every_version_says_where_it_stands(world: World) -> None:
    query = """query($id: ID!, $v: Int) { item(id: $id, version: $v) { state
        versions { version effectiveFrom withdrawnFrom state } } }"""
    food = world.ask(ANYBODY, query, {"id": "food-licence", "v": 1}).data["item"]
    assert food == {
        "state": "SUPERSEDED",
        "versions": [
            {"version": 1, "effectiveFrom": None, "withdrawnFrom": None, "state": "SUPERSEDED"},
            {"version": 2, "effectiveFrom": "2026-03-02", "withdrawnFrom": None, "state": "IN_FORCE"},
            {"version": 3, "effectiveFrom": LATER.isoformat(), "withdrawnFrom": None, "state": "PLANNED"},
        ],
    }
    withdrawn = world.ask(ANYBODY, query, {"id": "tobacco-retail", "v": 1}).data["item"]
    assert withdrawn["state"] == "WITHDRAWN"
    assert withdrawn["versions"][0]["withdrawnFrom"] == "2026-04-01"
    assert world.ask(ANYBODY, query, {"id": "tobacco-retail"}).data == {"item": None}


def test_items_are_found_by_a_text_in_their_names(world: World) -> None:
    query = "query($s: String) { items(first: 20, search: $s) { edges { node { id } } } }"

    def found(text: str) -> list[str]:
        return [edge["node"]["id"] for edge in world.ask(ANYBODY, query, {"s": text}).data["items"]["edges"]]

    assert found("餐厨") == ["kitchen-waste", "waste-oil"]
    assert found("FOOD") == ["food-licence"]
    assert found("%") == []
    assert found("a\0b") == []


GUIDE = """query($item: ID, $bundle: ID, $answers: JSON) { guide(item: $item, bundle: $bundle, answers: $answers) {
    items { id version } toUpload
    steps { kind departments certain procedures }
    materials { id name(lang: EN) met certain mayFollow optional basis licenceType { code }
                replaces { item material } }
    questions { id text kind options { value } }
    before { forms materials visits inspections workingDays }
    after { forms materials visits inspections workingDays } } }"""


def test_a_guide_says_what_this_applicant_needs(world: World) -> None:
    answers = {"agent": False, "area": 120, "open-kitchen": True}
    found = world.ask(citizen(world.buyer), GUIDE, {"item": "food-licence", "answers": answers}).data["guide"]
    assert found["items"] == [{"id": "food-licence", "version": 2}]
    assert [step["kind"] for step in found["steps"]] == ["APPLY", "ACCEPT", "REVIEW", "DECIDE", "ISSUE", "DELIVER"]
    assert "agent-letter" not in [material["id"] for material in found["materials"]]
    assert (found["toUpload"], found["questions"]) == (3, [])
    assert found["after"] == {"forms": 1, "materials": 9, "visits": 0, "inspections": 0, "workingDays": 10}


def test_without_answers_a_guide_names_its_questions(world: World) -> None:
    found = world.ask(ANYBODY, GUIDE, {"item": "food-licence"}).data["guide"]
    assert [question["id"] for question in found["questions"]] == ["agent", "area", "open-kitchen"]
    inspection = next(step for step in found["steps"] if step["kind"] == "INSPECT")
    assert not inspection["certain"]


@pytest.mark.parametrize(
    ("variables", "code", "at"),
    [
        ({"item": "food-licence", "answers": {"colour": 1}}, "unknown-answer", "/answers/colour"),
        ({"item": "food-licence", "answers": {"area": "big"}}, "invalid-answer", "/answers/area"),
        ({"item": "food-licence", "answers": [1]}, "invalid-answer", "/answers"),
        ({"item": "nothing"}, "unknown-item", None),
        ({"item": "tobacco-retail"}, "unknown-item", None),
        ({"bundle": "nothing"}, "unknown-bundle", None),
        ({}, "guide-of-one", None),
        ({"item": "food-licence", "bundle": "open-restaurant"}, "guide-of-one", None),
    ],
)
def test_a_guide_that_cannot_be_made_says_why(
    world: World, variables: dict[str, Any], code: str, at: str | None
) -> None:
    [error] = world.send(ANYBODY, json={"query": GUIDE, "variables": variables}).json()["errors"]
    assert error["extensions"]["code"] == code
    assert error["extensions"].get("at") == at


def test_nobody_is_shown_no_guide(world: World) -> None:
    assert world.ask(None, GUIDE, {"item": "food-licence"}).codes == ["unknown-item"]


def test_a_guide_of_a_bundle_merges_its_materials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = next(each for each in sample_bundles() if (each["id"], each["version"]) == ("open-restaurant", "2019"))
    monkeypatch.setattr(guide, "find_bundle", lambda _, name, __: bundle if name == bundle["id"] else None)
    found = world.ask(ANYBODY, GUIDE, {"bundle": "open-restaurant"}).data["guide"]
    assert found["before"] == {"forms": 4, "materials": 31, "visits": 6, "inspections": 3, "workingDays": 58}
    assert found["after"] == {"forms": 1, "materials": 12, "visits": 1, "inspections": 1, "workingDays": 10}
    form = found["materials"][0]
    assert (form["id"], form["met"], len(form["replaces"])) == ("combined-form", "FORM_PREFILL", 8)
