from copy import deepcopy
from typing import Any

import pytest

from tests.examples import DEFINITION, ITEM, item_published, publish_item
from tests.given import given
from tongban.domain.catalogue.checks import check_item
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.catalogue.item import read_item
from tongban.domain.catalogue.refusals import InvalidItem
from tongban.infra.reference import sample_items


def without(*path: str) -> dict[str, Any]:
    definition = deepcopy(DEFINITION)
    place: Any = definition
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return definition


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
        (without("nameZh"), "/nameZh"),
        (without("nameEn"), "/nameEn"),
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
        (without("materials"), "/materials"),
        ({**DEFINITION, "materials": ["form"]}, "/materials/0"),
        ({**DEFINITION, "materials": [{"materialId": "a"}, {}]}, "/materials/1/materialId"),
        ({**DEFINITION, "materials": [{"materialId": "a"}, {"materialId": "a"}]}, "/materials"),
        (without("serviceObjects"), "/serviceObjects"),
        ({**DEFINITION, "serviceObjects": []}, "/serviceObjects"),
        ({**DEFINITION, "resultLicenceTypeId": 5}, "/resultLicenceTypeId"),
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
