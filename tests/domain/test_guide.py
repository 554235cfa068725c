"""The guide of an item and of a bundle: exactly what this applicant needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.examples import FIRST_DEFINITION
from tongban.domain.catalogue.guide import (
    Burden,
    Guide,
    Met,
    StepKind,
    bundle_guide,
    guide,
    inspected,
    needed_materials,
)
from tongban.domain.catalogue.item import read_item
from tongban.domain.catalogue.questions import holds
from tongban.domain.catalogue.refusals import InvalidAnswer, UnknownAnswer
from tongban.infra.reference import sample_bundles, sample_items

ITEMS = {item["id"]: read_item(item) for item in sample_items()}
BUNDLES = {(bundle["id"], bundle["version"]): bundle for bundle in sample_bundles()}
FOOD = ITEMS["food-licence"]
SMALL: Mapping[str, Any] = {"agent": False, "area": 120, "open-kitchen": True}


def materials(found: Guide) -> dict[str, Met]:
    return {material.id: material.met for material in found.materials}


def kinds(found: Guide) -> list[StepKind]:
    return [step.kind for step in found.steps]


def test_answers_leave_exactly_what_this_applicant_needs() -> None:
    found = guide(FOOD, SMALL)
    assert materials(found) == {
        "form": Met.FORM_PREFILL,
        "licence-biz": Met.E_LICENCE,
        "id-card": Met.E_LICENCE,
        "premises": Met.UPLOAD,
        "layout": Met.UPLOAD,
        "food-rules": Met.COMMITMENT,
        "food-manager": Met.DATA_SHARING,
        "health-cert": Met.DATA_SHARING,
        "equipment": Met.UPLOAD,
    }
    assert all(material.certain for material in found.materials)
    assert found.open == ()
    assert found.to_upload == 3
    assert StepKind.INSPECT not in kinds(found)
    assert found.before == Burden(None, 10, 1, 1, 20)
    assert found.after == Burden(1, 9, 0, 0, 10)


def test_a_licence_that_is_fetched_is_named_with_its_type_and_the_law_behind_it() -> None:
    licence = next(material for material in guide(FOOD, SMALL).materials if material.id == "licence-biz")
    assert licence.licence_type == "lt-business"
    assert licence.basis == "食品安全法 art. 35"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"area": 151, "open-kitchen": True}, True),
        ({"area": 150, "open-kitchen": True}, False),
        ({"area": 90, "open-kitchen": False}, True),
        ({"area": 200}, True),
        ({"area": 90}, None),
        ({}, None),
    ],
)
def test_an_inspection_hangs_on_the_answers(answers: dict[str, Any], *, expected: bool | None) -> None:
    step = next((step for step in guide(FOOD, answers).steps if step.kind is StepKind.INSPECT), None)
    assert (step.certain or None if step else False) == expected
    assert inspected(FOOD, answers) is (expected is not False)


def test_without_answers_the_questions_that_matter_are_open() -> None:
    found = guide(FOOD, {})
    assert [question["id"] for question in found.open] == ["agent", "area", "open-kitchen"]
    letter = next(material for material in found.materials if material.id == "agent-letter")
    assert not letter.certain
    assert "agent-letter" not in needed_materials(FOOD, {})


def test_a_question_that_changes_nothing_any_more_is_not_asked() -> None:
    assert [question["id"] for question in guide(FOOD, {"agent": True, "area": 500}).open] == []
    assert "agent-letter" in needed_materials(FOOD, {"agent": True})


def test_answers_to_what_nobody_asked_are_refused() -> None:
    with pytest.raises(UnknownAnswer) as refused:
        guide(FOOD, {"colour/size": 1})
    assert refused.value.fields["at"] == "/answers/colour~1size"


@pytest.mark.parametrize("answers", [{"agent": "yes"}, {"agent": 1}, {"area": True}, {"area": "90"}, {"area": None}])
def test_answers_that_are_none_are_refused(answers: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        guide(FOOD, answers)
    assert refused.value.fields["at"] == f"/answers/{next(iter(answers))}"


@pytest.mark.parametrize("answers", [{"area": "big", "open-kitchen": True}, {"agent": 1}, {"colour": 1}])
def test_a_filing_with_answers_that_are_none_is_as_one_without(answers: dict[str, Any]) -> None:
    assert inspected(FOOD, answers)
    assert needed_materials(FOOD, answers) == needed_materials(FOOD, {})


def test_a_choice_takes_one_of_its_options() -> None:
    power = ITEMS["power-connection"]
    assert needed_materials(power, {"applicant-kind": "company"}) == {"form", "licence-biz", "premises"}
    with pytest.raises(InvalidAnswer):
        guide(power, {"applicant-kind": "cat"})


def test_a_conditional_material_of_the_first_release_may_be_needed() -> None:
    old = {"materialId": "old", "nameZh": "旧材料", "nameEn": "old", "necessity": "CONDITIONAL", "exemptBy": "NONE"}
    item = read_item(FIRST_DEFINITION | {"materials": [old]})
    [material] = guide(item, {}).materials
    assert (material.certain, material.basis) == (False, None)
    assert needed_materials(item, {}) == frozenset()


def test_a_special_procedure_and_a_fee_are_told_beforehand() -> None:
    found = guide(ITEMS["inheritance-transfer"], {})
    assert StepKind.PAY in kinds(found)
    step = next(step for step in found.steps if step.kind is StepKind.SPECIAL_PROCEDURE)
    assert step.procedures == ("PUBLIC_ANNOUNCEMENT",)


def test_an_immediate_item_has_no_review() -> None:
    assert kinds(guide(ITEMS["kitchen-waste"], {})) == [StepKind.APPLY, StepKind.ACCEPT, StepKind.DECIDE]


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_every_item_has_a_guide_without_answers(item: Any) -> None:
    found = guide(item, {})
    assert {material.id for material in found.materials} == item.materials
    assert all(material.basis for material in found.materials)
    conditional = {name for name, terms in item.terms["materials"].items() if terms["necessity"] == "CONDITIONAL"}
    assert conditional <= item.conditions.keys()


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────

YES, NO = {"question": "a", "is": True}, {"question": "b", "is": True}


@pytest.mark.parametrize(
    ("condition", "answers", "expected"),
    [
        (None, {}, True),
        (YES, {}, None),
        (YES, {"a": True}, True),
        ({"not": YES}, {"a": True}, False),
        ({"not": YES}, {}, None),
        ({"all": [YES, NO]}, {"a": True}, None),
        ({"all": [YES, NO]}, {"a": False}, False),
        ({"any": [YES, NO]}, {"a": True}, True),
        ({"any": [YES, NO]}, {"a": False}, None),
        ({"any": [YES, NO]}, {"a": False, "b": False}, False),
        ({"question": "n", "atLeast": 3}, {"n": 3}, True),
        ({"question": "n", "atMost": 3}, {"n": 3.5}, False),
    ],
)
def test_a_condition_is_true_false_or_still_open(
    condition: Any, answers: dict[str, Any], *, expected: bool | None
) -> None:
    assert holds(condition, answers) is expected


# ── bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_opening_a_restaurant_asks_12_materials_where_it_asked_31() -> None:
    found = bundle_guide(BUNDLES["open-restaurant", "2019"], ITEMS, {})
    assert found.before == Burden(4, 31, 6, 3, 58)
    assert found.after == Burden(1, 12, 1, 1, 10)
    asked = sum(len(ITEMS[item].materials) for item in found.items)
    assert asked == 31
    replaced = {pair for material in found.materials for pair in material.replaces}
    assert len(replaced) == 30  # the other is the licence of a sister item
    inspection = next(step for step in found.steps if step.kind is StepKind.INSPECT)
    assert inspection.departments == ("samr", "greening", "fire")


def test_answers_of_a_bundle_reach_every_item() -> None:
    bundle = BUNDLES["open-restaurant", "2019"]
    answers = {**SMALL, "commitment-route": True, "own-premises": True}
    found = bundle_guide(bundle, ITEMS, answers)
    assert found.open == ()
    assert found.after.inspections == 1  # the signboard is still looked at
    with pytest.raises(UnknownAnswer):
        bundle_guide(bundle, ITEMS, {"married": True})


def test_a_bundle_without_merged_materials_asks_each_once() -> None:
    found = bundle_guide(BUNDLES["childbirth", "2020"], ITEMS, {"married": False})
    names = [material.id for material in found.materials]
    assert len(set(names)) == len(names)
    assert "marriage-cert" not in names
    birth = next(material for material in found.materials if material.id == "birth-cert")
    assert len(birth.replaces) == 4
    assert found.after.visits == 0


@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=["-".join(key) for key in BUNDLES])
def test_every_bundle_of_the_sample_is_made_of_items_of_the_sample(bundle: Any) -> None:
    assert {sub["itemId"] for sub in bundle["subItems"]} <= ITEMS.keys()
    for merged in bundle.get("mergedMaterials", ()):
        assert all(part["materialId"] in ITEMS[part["itemId"]].materials for part in merged["replaces"])
    assert bundle_guide(bundle, ITEMS, {}).steps
