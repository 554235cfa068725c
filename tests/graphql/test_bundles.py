"""A bundle, read: its one number, one progress, its parts, and the one notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.commands.office import office
from tests.commands.together import COMPANY, COMPANY_ID, Together, officer, shop, town_of
from tests.graphql.conftest import SUPERVISOR, World, reader_of
from tests.projections.test_bundles import everything
from tests.servers import Database
from tongban.domain.actor import Role
from tongban.domain.bundle import commands as b
from tongban.domain.case import commands as c
from tongban.domain.case.commands import Defect

WHOLE = """query ($id: ID!) { bundle(id: $id) {
    id number state version channel department withdrawn
    definition { id version label name(lang: EN) }
    applicant { id } progress { done total waitingFor }
    subCases { item { id } case { id bundle { id } } state result department waitsFor licence { id } }
    tasks { id departments serves ready result due { due } }
    due { clock } jointDue { limit { value } }
    correction { materials { material defects { item problem } } due { clock } } } }"""


@dataclass
class Shop:
    """A shop that is applied for, with defects in two of its parts that were told in one notice."""

    town: Together
    world: World
    bundle: UUID
    cases: dict[str, UUID]

    def read(self, by: Any) -> Any:
        return self.world.ask(by, WHOLE, {"id": str(self.bundle)}).data["bundle"]


@pytest.fixture(scope="module")
def opened(module_database: Database) -> Iterator[Shop]:
    with office(module_database.url) as here, town_of(here, module_database) as town:
        bundle, cases = shop(town)
        for name in ("permit", "bins"):
            defects = (Defect("paper", f"unreadable for {name}"), Defect("form", "unsigned"))
            town.done(c.RequestCorrection(cases[name], defects), officer(f"dept-{name}", Role.ACCEPTOR))
        town.accept(cases["sale"], "dept-sale")
        story: Any = here.vault
        with reader_of(module_database, story) as world:
            world.tables.apply(everything(module_database))
            yield Shop(town, world, bundle, cases)


def test_the_applicant_sees_one_number_one_progress_and_one_notice(opened: Shop) -> None:
    found = opened.read(COMPANY)
    assert found["number"].startswith("YJS-")
    assert found["definition"] == {"id": "a-shop", "version": 1, "label": "2026", "name": "one thing"}
    assert found["applicant"] == {"id": str(COMPANY_ID)}
    assert found["progress"] == {"done": 0, "total": 3, "waitingFor": ["applicant", "dept:dept-sale"]}
    assert [(part["item"]["id"], part["state"]) for part in found["subCases"]] == [
        ("permit", "CORRECTING"),
        ("sale", "ACCEPTED"),
        ("bins", "CORRECTING"),
    ]
    assert [part["case"]["id"] for part in found["subCases"]] == [str(case) for case in opened.cases.values()]
    assert {part["case"]["bundle"]["id"] for part in found["subCases"]} == {str(opened.bundle)}
    assert found["subCases"][1]["waitsFor"] == ["permit", "ALL_DECIDED"]
    assert found["jointDue"] == {"limit": {"value": 45}}
    assert found["correction"] == {
        "materials": [
            {
                "material": "paper",
                "defects": [
                    {"item": "permit", "problem": "unreadable for permit"},
                    {"item": "bins", "problem": "unreadable for bins"},
                ],
            },
            {
                "material": "one-form",
                "defects": [{"item": "permit", "problem": "unsigned"}, {"item": "bins", "problem": "unsigned"}],
            },
        ],
        "due": {"clock": "APPLICANT_CORRECTION"},
    }


def test_a_bundle_is_found_by_number_by_node_and_on_the_homepage(opened: Shop) -> None:
    number = opened.read(COMPANY)["number"]
    query = """query ($number: String!, $id: ID!) {
        bundleByNumber(number: $number) { id } node(id: $id) { __typename id }
        me { bundles(first: 5) { edges { node { id number } } } } }"""
    found = opened.world.ask(COMPANY, query, {"number": number, "id": str(opened.bundle)}).data
    assert found["bundleByNumber"] == {"id": str(opened.bundle)}
    assert found["node"] == {"__typename": "Bundle", "id": str(opened.bundle)}
    assert found["me"]["bundles"]["edges"] == [{"node": {"id": str(opened.bundle), "number": number}}]


def test_departments_that_take_part_see_it_and_others_do_not(opened: Shop) -> None:
    lead, part = opened.read(officer("samr", Role.HEAD)), opened.read(officer("dept-sale", Role.REVIEWER))
    assert [sub["case"] is not None for sub in lead["subCases"]] == [True, True, True]
    assert [sub["case"] is not None for sub in part["subCases"]] == [False, True, False]
    assert opened.read(officer("fire", Role.HEAD)) is None
    assert opened.read(SUPERVISOR)["number"] == lead["number"]
    assert opened.world.ask(COMPANY, WHOLE, {"id": str(uuid4())}).data["bundle"] is None


def test_the_guide_of_a_bundle_is_made_from_what_is_published(opened: Shop) -> None:
    query = """{ guide(bundle: "a-shop", answers: {}) { items { id } materials { id } } }"""
    found = opened.world.ask(COMPANY, query).data["guide"]
    assert [item["id"] for item in found["items"]] == ["permit", "sale", "bins"]
    assert "one-form" in {material["id"] for material in found["materials"]}


def test_an_answered_notice_is_gone(opened: Shop) -> None:
    opened.town.done(c.WithdrawApplication(opened.cases["permit"], "r"), COMPANY)
    opened.town.done(b.WithdrawBundle(opened.bundle, "r"), COMPANY)
    opened.world.tables.apply(everything(opened.world.tables.database))
    found = opened.read(COMPANY)
    assert (found["correction"], found["withdrawn"], found["state"]) == (None, True, "COMPLETED")
    assert found["progress"] == {"done": 3, "total": 3, "waitingFor": []}
    assert [part["result"] for part in found["subCases"]] == ["WITHDRAWN", "NOT_STARTED", "WITHDRAWN"]
