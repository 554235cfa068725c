from dataclasses import replace
from datetime import timedelta

import pytest

from tests.examples import (
    APPLICANT,
    CASE_NUMBER,
    CLERK,
    DEFINITION,
    FILED,
    ORGANISATION_ID,
    PERSON_ID,
    applicant_barred,
    application_submitted,
    item_published,
    materials_received,
    organisation_registered,
    party_registered,
    submit_application,
)
from tests.given import given, office
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.events import ApplicationSubmitted, Means
from tongban.domain.case.refusals import (
    ApplicantNotRegistered,
    ApplicantNotServed,
    DeliveryNotOffered,
    HowNotAllowed,
    ItemNotPublished,
    MaterialRepeated,
    UnknownMaterial,
)
from tongban.domain.catalogue.events import ItemPublished
from tongban.domain.recorded import Evidence

PERSONS_ONLY = replace(item_published, definition={**DEFINITION, "serviceObjects": ["NATURAL_PERSON"]})
COMPANIES_ONLY = replace(item_published, definition={**DEFINITION, "serviceObjects": ["LEGAL_PERSON"]})


def by_way(how: How) -> ItemPublished:
    """The item, its guide offering this way to meet the form."""
    form, *others = DEFINITION["materials"]
    return replace(item_published, definition={**DEFINITION, "materials": [{**form, "exemptBy": how.value}, *others]})


BY_COMPANY = replace(submit_application, applicant=ORGANISATION_ID)


def test_a_registered_person_files_for_a_published_item() -> None:
    given(item_published, party_registered).when(submit_application, by=APPLICANT).then(*FILED)


def test_an_organisation_files_for_an_item_that_serves_it() -> None:
    given(COMPANIES_ONLY, organisation_registered).when(BY_COMPANY).then(
        replace(application_submitted, applicant=ORGANISATION_ID), materials_received
    )


def test_a_case_is_filed_under_the_latest_version() -> None:
    second = replace(item_published, item_version=2, definition={**DEFINITION, "departmentId": "housing"})
    given(item_published, second, party_registered).when(submit_application).then(
        replace(application_submitted, item_version=2, lead="housing"), materials_received
    )


@pytest.mark.parametrize(
    ("how", "source"),
    [
        (How.UPLOAD, "applicant"),
        (How.FORM_PREFILL, "applicant"),
        (How.COMMITMENT, "applicant"),
        (How.ONLINE_AUTHORISATION, "applicant"),
        (How.E_LICENCE, None),
        (How.DATA_SHARING, None),
    ],
)
def test_every_material_leaves_evidence_of_how_it_was_met(how: How, source: str | None) -> None:
    command = replace(submit_application, materials=(MaterialOffered("form", how, "sha256:0f"),))
    event, _ = given(by_way(how), party_registered).when(command).decided()
    assert isinstance(event, ApplicationSubmitted)
    assert event.evidence == (Evidence("form", how.value, source, None, "sha256:0f"),)


def test_two_filings_are_two_cases() -> None:
    """Filing is never a repeat of itself: what keeps one request from being filed twice is its idempotency key."""
    given(item_published, party_registered).when(submit_application).then(*FILED)
    assert application_submitted.number == CASE_NUMBER


def test_an_item_must_be_published() -> None:
    given(party_registered).when(submit_application).then_refuses(ItemNotPublished, item=submit_application.item)


def test_the_applicant_must_be_registered() -> None:
    given(item_published).when(submit_application).then_refuses(ApplicantNotRegistered, applicant=PERSON_ID)


def test_a_person_cannot_file_for_an_item_of_companies() -> None:
    given(COMPANIES_ONLY, party_registered).when(submit_application).then_refuses(ApplicantNotServed)


def test_a_company_cannot_file_for_an_item_of_persons() -> None:
    given(PERSONS_ONLY, organisation_registered).when(BY_COMPANY).then_refuses(ApplicantNotServed)


def test_only_materials_of_the_guide_are_taken() -> None:
    more = (*submit_application.materials, MaterialOffered("blood-test", How.UPLOAD))
    given(item_published, party_registered).when(replace(submit_application, materials=more)).then_refuses(
        UnknownMaterial, materials=["blood-test"]
    )


def test_a_material_is_given_once() -> None:
    twice = (*submit_application.materials, MaterialOffered("form", How.COMMITMENT))
    given(item_published, party_registered).when(replace(submit_application, materials=twice)).then_refuses(
        MaterialRepeated, materials=["form"]
    )


def test_a_material_is_met_as_its_guide_offers_it_or_on_paper() -> None:
    shared = (MaterialOffered("sale-contract", How.DATA_SHARING),)
    given(item_published, party_registered).when(replace(submit_application, materials=shared)).then_refuses(
        HowNotAllowed, material="sale-contract", how=How.DATA_SHARING, allowed="NONE"
    )


def test_what_was_looked_up_stands_in_the_place_of_the_applicants_word() -> None:
    looked_up = Evidence("id-card", "E_LICENCE", "psb", "7", "psb:id-card:7")
    event, _ = given(item_published, party_registered).when(submit_application, evidence=(looked_up,)).decided()
    assert isinstance(event, ApplicationSubmitted)
    assert [found for found in event.evidence if found.material == "id-card"] == [looked_up]


def test_the_case_carries_its_items_rules_along() -> None:
    event, _ = given(item_published, party_registered).when(submit_application).decided()
    assert event.terms["legal"] == {"value": 20, "unit": "WORKING_DAY", "basis": "行政许可法 art. 42"}
    assert event.needed == ("form", "id-card", "sale-contract")


def test_the_result_is_delivered_in_a_way_that_the_guide_names() -> None:
    online = replace(item_published, definition={**DEFINITION, "delivery": ["ONLINE"]})
    given(online, party_registered).when(replace(submit_application, delivery=Means.COURIER)).then_refuses(
        DeliveryNotOffered, delivery=Means.COURIER, offered=["ONLINE"]
    )
    event, *_ = (
        given(item_published, party_registered).when(replace(submit_application, delivery=Means.COURIER)).decided()
    )
    assert event.delivery is Means.COURIER


def test_the_case_belongs_to_the_district_it_is_filed_in() -> None:
    world = given(item_published, party_registered)
    event, _ = world.when(submit_application, by=CLERK, district="310104").decided()
    assert event.district == "310104"


def test_who_may_not_file_for_this_item_is_known_from_the_filing_on() -> None:
    event, _ = given(item_published, party_registered, applicant_barred).when(submit_application).decided()
    assert event.barred_until == applicant_barred.until
    after = office(applicant_barred.until + timedelta(days=1))
    event, _ = given(item_published, party_registered, applicant_barred).when(submit_application, now=after).decided()
    assert event.barred_until is None
