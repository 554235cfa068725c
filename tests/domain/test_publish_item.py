from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from tests.examples import DEFINITION, ITEM, item_published, publish_item
from tests.given import given
from tongban.domain.catalogue.checks import check_item
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.guide import guide
from tongban.domain.catalogue.item import read_item
from tongban.domain.catalogue.refusals import (
    CatchAllCondition,
    CommitmentExcluded,
    FeeWithoutBasis,
    InvalidItem,
    MaterialWithoutBasis,
    PromiseOverLegal,
)
from tongban.domain.errors import RuleBroken
from tongban.infra.reference import sample_items


def without(*path: str) -> dict[str, Any]:
    definition = deepcopy(DEFINITION)
    place: Any = definition
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return definition


def material(number: int, **changes: Any) -> dict[str, Any]:
    """The definition with one of its materials changed."""
    definition = deepcopy(DEFINITION)
    definition["materials"][number] |= changes
    return definition


HEARING = {"type": "HEARING", "basis": "行政许可法 art. 46"}
AREA = {"id": "area", "zh": "面积?", "en": "Area?", "kind": "number"}
KIND: dict[str, Any] = {
    "id": "kind",
    "zh": "身份?",
    "en": "Who?",
    "kind": "choice",
    "options": [
        {"value": "person", "zh": "个人", "en": "a person"},
        {"value": "company", "zh": "企业", "en": "a company"},
    ],
}


def asking(*questions: Any, condition: Any = None) -> dict[str, Any]:
    """The definition with questions, and a condition of its first material."""
    return material(0, condition=condition) | {"questions": list(questions)}


def nested(depth: int) -> dict[str, Any]:
    """A condition of some depth."""
    return {"question": "area", "is": 1} if depth == 1 else {"not": nested(depth - 1)}


def test_an_item_is_published_as_version_1() -> None:
    given().when(publish_item).then(item_published)


def test_a_changed_item_is_published_as_the_next_version() -> None:
    changed = {**DEFINITION, "nameEn": "Real estate transfer"}
    given(item_published).when(PublishItem(changed)).then(ItemPublished(ITEM, 2, changed, None))


def test_the_item_in_force_is_not_published_again() -> None:
    given(item_published).when(publish_item).then_nothing()


def test_going_back_to_an_older_definition_is_a_new_version() -> None:
    changed = ItemPublished(ITEM, 2, {**DEFINITION, "nameEn": "Other"}, None)
    given(item_published, changed).when(publish_item).then(ItemPublished(ITEM, 3, DEFINITION, None))


@pytest.mark.parametrize(
    ("definition", "at"),
    [
        (without("id"), "/id"),
        ({**DEFINITION, "id": "Not a code"}, "/id"),
        (without("nameZh"), "/nameZh"),
        (without("nameEn"), "/nameEn"),
        ({**DEFINITION, "nameEn": " "}, "/nameEn"),
        (without("departmentId"), "/departmentId"),
        ({**DEFINITION, "departmentId": ""}, "/departmentId"),
        ({**DEFINITION, "departmentId": 7}, "/departmentId"),
        (without("reviewBranches"), "/reviewBranches"),
        (without("reviewBranches", "departments"), "/reviewBranches/departments"),
        ({**DEFINITION, "reviewBranches": {"departments": []}}, "/reviewBranches/departments"),
        ({**DEFINITION, "reviewBranches": {"departments": ["tax", "tax"]}}, "/reviewBranches/departments"),
        ({**DEFINITION, "reviewBranches": {"departments": ["tax", 1]}}, "/reviewBranches/departments"),
        ({**DEFINITION, "reviewBranches": {"departments": [["tax"]]}}, "/reviewBranches/departments"),
        (without("caseType", "code"), "/caseType/code"),
        ({**DEFINITION, "caseType": {"code": "3"}}, "/caseType/code"),
        ({**DEFINITION, "itemType": {"code": "02"}}, "/itemType/code"),
        ({**DEFINITION, "exerciseLevel": "8"}, "/exerciseLevel"),
        (without("serviceObjects"), "/serviceObjects"),
        ({**DEFINITION, "serviceObjects": []}, "/serviceObjects"),
        ({**DEFINITION, "serviceObjects": ["ROBOT"]}, "/serviceObjects"),
        ({**DEFINITION, "resultLicenceTypeId": 5}, "/resultLicenceTypeId"),
        (without("legalBasis"), "/legalBasis"),
        ({**DEFINITION, "colour": "red"}, "/colour"),
        ({**DEFINITION, "a/b~c": 1}, "/a~1b~0c"),
        # codes
        ({**DEFINITION, "baseCode": "31072000100"}, "/baseCode"),
        ({**DEFINITION, "baseCode": "310120001000"}, "/baseCode"),
        ({**DEFINITION, "itemCode": DEFINITION["itemCode"][:-1]}, "/itemCode"),
        ({**DEFINITION, "itemCode": "11310000XX0000204X" + DEFINITION["itemCode"][18:]}, "/itemCode"),
        ({**DEFINITION, "exerciseLevel": "5"}, "/itemCode"),
        ({**DEFINITION, "itemCode": DEFINITION["itemCode"][:-1] + "1"}, "/itemCode"),
        ({**DEFINITION, "handlingItemCode": DEFINITION["itemCode"]}, "/handlingItemCode"),
        ({**DEFINITION, "handlingItemCode": DEFINITION["itemCode"] + "0x"}, "/handlingItemCode"),
        # limits
        (without("promisedTimeLimit"), "/promisedTimeLimit"),
        (without("promisedTimeLimit", "unit"), "/promisedTimeLimit/unit"),
        ({**DEFINITION, "promisedTimeLimit": {"value": 0, "unit": "WORKING_DAY"}}, "/promisedTimeLimit/value"),
        ({**DEFINITION, "promisedTimeLimit": {"value": True, "unit": "WORKING_DAY"}}, "/promisedTimeLimit/value"),
        ({**DEFINITION, "promisedTimeLimit": {"value": 3, "unit": "HOUR"}}, "/promisedTimeLimit/unit"),
        (without("legalTimeLimit", "basis"), "/legalTimeLimit/basis"),
        ({**DEFINITION, "caseType": {"code": "1"}}, "/promisedTimeLimit"),
        (without("extension"), "/extension"),
        (without("extension", "basis"), "/extension/basis"),
        ({**DEFINITION, "legalTimeLimit": None}, "/extension"),
        ({**DEFINITION, "clockRules": {"acceptedOnFiling": True}}, "/clockRules/basis"),
        ({**DEFINITION, "clockRules": {"basis": "x", "speed": 1}}, "/clockRules/speed"),
        ({**DEFINITION, "clockRules": {"basis": "x", "withdrawUntil": "DOOM"}}, "/clockRules/withdrawUntil"),
        # materials
        (without("materials"), "/materials"),
        ({**DEFINITION, "materials": ["form"]}, "/materials/0"),
        (material(1, materialId=None), "/materials/1/materialId"),
        (material(1, materialId="form"), "/materials"),
        (material(1, nameZh="申请表"), "/materials"),
        (material(0, sourceType="FRIEND"), "/materials/0/sourceType"),
        (material(0, necessity="NICE"), "/materials/0/necessity"),
        (material(0, exemptBy="LUCK"), "/materials/0/exemptBy"),
        (material(1, licenceTypeId=None), "/materials/1/licenceTypeId"),
        (material(0, licenceTypeId="lt-id-card"), "/materials/0/licenceTypeId"),
        (material(0, form="VERBAL"), "/materials/0/form"),
        (material(0, copies=0), "/materials/0/copies"),
        (material(0, colour="red"), "/materials/0/colour"),
        # ways
        ({**DEFINITION, "visits": -1}, "/visits"),
        ({**DEFINITION, "visits": "1"}, "/visits"),
        ({**DEFINITION, "onlineDepth": 8}, "/onlineDepth"),
        ({**DEFINITION, "fullyOnline": True}, "/fullyOnline"),
        ({**DEFINITION, "visits": 0, "fullyOnline": True}, "/fullyOnline"),
        ({**DEFINITION, "delivery": ["PIGEON"]}, "/delivery"),
        ({**DEFINITION, "before": {"visits": -1}}, "/before/visits"),
        ({**DEFINITION, "tolerantAcceptance": "yes"}, "/tolerantAcceptance"),
        ({**DEFINITION, "specialProcedures": [{"type": "ON_SITE_CHECK", "basis": "x"}]}, "/specialProcedures/0/type"),
        ({**DEFINITION, "specialProcedures": [{"type": "HEARING"}]}, "/specialProcedures/0/basis"),
        ({**DEFINITION, "specialProcedures": [HEARING, HEARING]}, "/specialProcedures"),
        ({**DEFINITION, "inspectionCondition": {"not": {}}}, "/inspectionCondition"),
        ({**DEFINITION, "risks": ["BOREDOM"]}, "/risks"),
        ({**DEFINITION, "commitment": {"eligible": True, "onBreach": ["SCOLD"]}}, "/commitment/onBreach"),
        ({**DEFINITION, "fee": {"charged": True, "basis": "x", "amount": "80"}}, "/fee/amount"),
        ({**DEFINITION, "fee": {"charged": True, "basis": "x", "amount": "8.00", "currency": "EUR"}}, "/fee/currency"),
        # questions and conditions
        (asking({"id": "q"}), "/questions/0/zh"),
        (asking({**AREA, "kind": "poem"}), "/questions/0/kind"),
        (asking(AREA, AREA), "/questions"),
        (asking({**AREA, "options": []}), "/questions/0/options"),
        (asking({**KIND, "options": KIND["options"][:1]}), "/questions/0/options"),
        (asking({**KIND, "options": KIND["options"][:1] * 2}), "/questions/0/options"),
        (asking(AREA, condition={"question": "age", "is": 1}), "/materials/0/condition/question"),
        (asking(AREA, condition={"question": "area"}), "/materials/0/condition"),
        (asking(AREA, condition={"question": "area", "is": True}), "/materials/0/condition/is"),
        (asking(KIND, condition={"question": "kind", "is": "cat"}), "/materials/0/condition/is"),
        (asking(KIND, condition={"question": "kind", "atMost": 3}), "/materials/0/condition/atMost"),
        (asking(AREA, condition={"all": []}), "/materials/0/condition/all"),
        (asking(AREA, condition={"all": [{"question": "x"}]}), "/materials/0/condition/all/0/question"),
        (asking(AREA, condition={"not": 1}), "/materials/0/condition/not"),
        (asking(AREA, condition={"some": []}), "/materials/0/condition/some"),
        (asking(AREA, condition=nested(9)), "/materials/0/condition" + "/not" * 8),
    ],
)
def test_an_incomplete_item_is_refused_with_the_place_that_is_wrong(definition: dict[str, Any], at: str) -> None:
    given().when(PublishItem(definition)).then_refuses(InvalidItem, at=at)


def test_an_item_may_give_no_licence() -> None:
    given().when(PublishItem(without("resultLicenceTypeId"))).then(
        ItemPublished(ITEM, 1, without("resultLicenceTypeId"), None)
    )


@pytest.mark.parametrize("item", sample_items(), ids=lambda item: str(item["id"]))
def test_every_item_of_the_sample_catalogue_can_be_published_and_read(item: dict[str, Any]) -> None:
    check_item(item)
    assert read_item(item).branches


# ── what the law forbids ─────────────────────────────────────────────────────────────────────────────────────────────


def limits(promise: tuple[int, str], law: tuple[int, str] | None) -> dict[str, Any]:
    """The definition with a promise and a legal limit."""
    legal = law and {"value": law[0], "unit": law[1], "basis": "a law"}
    extension = DEFINITION["extension"] if law else {"allowed": False}
    promised = {"value": promise[0], "unit": promise[1]}
    return DEFINITION | {"promisedTimeLimit": promised, "legalTimeLimit": legal, "extension": extension}


WD, CD, M = "WORKING_DAY", "CALENDAR_DAY", "MONTH"


@pytest.mark.parametrize(
    ("promise", "law"),
    [
        ((20, WD), (20, WD)),
        ((5, WD), (7, CD)),
        ((20, WD), (30, CD)),
        ((10, WD), (15, CD)),
        ((15, WD), (1, M)),
        ((5, CD), (5, WD)),
        ((1, M), (31, CD)),
        ((59, CD), (2, M)),
        ((1, M), (1, M)),
        ((40, WD), None),
    ],
)
def test_a_promise_within_the_law_is_published(promise: tuple[int, str], law: tuple[int, str] | None) -> None:
    check_item(limits(promise, law))


@pytest.mark.parametrize(
    ("promise", "law"),
    [
        ((21, WD), (20, WD)),
        ((6, WD), (7, CD)),
        ((11, WD), (15, CD)),
        ((22, WD), (30, CD)),
        ((21, WD), (1, M)),
        ((6, CD), (5, WD)),
        ((1, M), (30, CD)),
        ((29, CD), (1, M)),
        ((60, CD), (2, M)),
    ],
)
def test_a_promise_is_not_longer_than_the_law_whatever_the_units(
    promise: tuple[int, str], law: tuple[int, str]
) -> None:
    given().when(PublishItem(limits(promise, law))).then_refuses(PromiseOverLegal, at="/promisedTimeLimit")


def test_an_entry_does_not_give_an_office_more_time_for_its_notice_than_the_law() -> None:
    rules = {"basis": "x", "correction": {"value": 6, "unit": WD}}
    given().when(PublishItem(DEFINITION | {"clockRules": rules})).then_refuses(
        PromiseOverLegal, at="/clockRules/correction"
    )


def test_a_material_needs_a_basis_of_its_own_or_of_all() -> None:
    definition = without("materialsBasis")
    given().when(PublishItem(definition)).then_refuses(MaterialWithoutBasis, at="/materials/0/basis", material="form")
    for each in definition["materials"]:
        each["basis"] = "a law"
    check_item(definition)


CATCH_ALLS = [
    "其他材料",
    "法律、法规规定的其他条件",
    "身份证、营业执照等材料",
    "身份证、营业执照等",
    "登记机关认为需要提交的证明",
    "相关证明材料",
    "Other documents as required",
    "any further papers",
    "ID card, licence, etc.",
]


@pytest.mark.parametrize("text", CATCH_ALLS)
def test_what_is_asked_is_named_one_by_one(text: str) -> None:
    named = DEFINITION | {"acceptanceConditions": ["房屋已竣工验收", text]}
    given().when(PublishItem(named)).then_refuses(CatchAllCondition, at="/acceptanceConditions/1")
    given().when(PublishItem(material(2, nameZh=text))).then_refuses(CatchAllCondition, at="/materials/2/nameZh")
    given().when(PublishItem(material(2, standard=text))).then_refuses(CatchAllCondition, at="/materials/2/standard")


@pytest.mark.parametrize(
    "text", ["高等学校学历证明", "等级评定报告", "其他人共有的, 为共有人同意书", "亲属关系材料", "sketch of the site"]
)
def test_words_that_only_look_like_a_catch_all_are_left_alone(text: str) -> None:
    check_item(material(2, nameZh=text))


def test_a_fee_needs_a_basis() -> None:
    fee = {"charged": True, "amount": "80.00"}
    given().when(PublishItem(DEFINITION | {"fee": fee})).then_refuses(FeeWithoutBasis, at="/fee/basis")
    check_item(DEFINITION | {"fee": fee | {"basis": "a law"}})


def test_a_material_that_may_follow_makes_the_acceptance_tolerant() -> None:
    late = material(2, necessity="TOLERABLE")
    check_item(late)
    assert read_item(late).terms["tolerant"] == {"value": 10, "unit": "WORKING_DAY"}
    assert read_item(DEFINITION).terms["tolerant"] is None


def test_an_entry_that_names_its_sources_stands_on_them_as_a_whole() -> None:
    """The older shape of an entry: no law part by part, but where it was taken from."""
    materials = [{key: value for key, value in m.items() if key != "basis"} for m in DEFINITION["materials"]]
    entry = {k: v for k, v in DEFINITION.items() if k not in ("legalBasis", "materialsBasis")}
    entry |= {"materials": materials, "sources": ["行政许可法"], "fee": {"charged": True}}
    check_item(entry)
    assert read_item(entry).terms["fee"] == {"amount": None, "currency": "CNY"}
    nothing = {k: v for k, v in entry.items() if k != "sources"}
    given().when(PublishItem(nothing)).then_refuses(InvalidItem, at="/legalBasis")
    groundless = entry | {"materials": [materials[0] | {"basis": None}, *materials[1:]]}
    given().when(PublishItem(groundless)).then_refuses(MaterialWithoutBasis, at="/materials/0/basis")
    given().when(PublishItem(entry | {"fee": {"charged": True, "basis": None}})).then_refuses(FeeWithoutBasis)


COMMITTED = {"eligible": True, "checkWithin": {"value": 1, "unit": M}}


@pytest.mark.parametrize("risk", ["PUBLIC_SAFETY", "ECOLOGY", "HEALTH", "LIFE_AND_PROPERTY"])
def test_what_is_dangerous_is_not_decided_on_a_commitment(risk: str) -> None:
    definition = DEFINITION | {"commitment": COMMITTED, "risks": [risk]}
    given().when(PublishItem(definition)).then_refuses(CommitmentExcluded, at="/commitment")


def test_what_is_decided_on_the_spot_needs_no_commitment() -> None:
    definition = limits((1, WD), None) | {"caseType": {"code": "1"}, "commitment": COMMITTED}
    given().when(PublishItem(definition)).then_refuses(CommitmentExcluded, at="/commitment", immediate=True)


def test_a_law_may_order_a_commitment_all_the_same() -> None:
    check_item(DEFINITION | {"commitment": COMMITTED | {"basis": "消防法 art. 15"}, "risks": ["PUBLIC_SAFETY"]})
    check_item(DEFINITION | {"commitment": COMMITTED})


def test_every_base_code_of_the_sample_is_its_own() -> None:
    codes = [item["itemCode"] for item in sample_items()]
    assert len(set(codes)) == len(codes)


# ── whatever stands in an entry ──────────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place inside an entry."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


RICH = asking(AREA, KIND, condition={"all": [{"question": "area", "atMost": 5}, {"not": nested(2)}]}) | {
    "specialProcedures": [HEARING],
    "fee": {"charged": True, "amount": "80.00", "basis": "x"},
    "commitment": COMMITTED,
    "clockRules": {"basis": "x", "correction": {"value": 1, "unit": WD}},
    "handlingItemCode": DEFINITION["itemCode"] + "01",
    "delivery": ["ONLINE"],
}


@settings(max_examples=400, deadline=None)
@given_any(place=st.sampled_from(list(places(RICH))), value=JSON)
def test_an_entry_is_refused_or_can_be_read_whatever_stands_in_it(place: tuple[str | int, ...], value: Any) -> None:
    entry = deepcopy(RICH)
    around: Any = entry
    for step in place[:-1]:
        around = around[step]
    around[place[-1]] = value
    refusal = refusal_of(entry)
    if refusal is None:
        guide(read_item(entry), {})
    else:
        assert "at" in refusal.fields


def refusal_of(entry: Any) -> RuleBroken | None:
    try:
        check_item(entry)
    except RuleBroken as refusal:
        return refusal
    return None


def test_a_licence_without_a_limit_of_its_own_is_decided_in_twenty_working_days() -> None:
    entry = {k: v for k, v in DEFINITION.items() if k != "legalTimeLimit"} | {"extension": {"allowed": False}}
    codes = {k: DEFINITION[k].replace("310720", "310120") for k in ("baseCode", "itemCode", "handlingItemCode")}
    licensing = entry | codes | {"itemType": {"code": "01", "nameZh": "行政许可", "nameEn": "administrative licence"}}
    assert read_item(licensing).terms["legal"] == {"value": 20, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42(1)"}
    assert read_item(entry).terms["legal"] is None
    check_item(licensing)
    slow = licensing | {"promisedTimeLimit": {"value": 21, "unit": "WORKING_DAY", "source": "sample"}}
    given().when(PublishItem(slow)).then_refuses(PromiseOverLegal, at="/promisedTimeLimit")
