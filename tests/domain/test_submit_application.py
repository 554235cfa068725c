from dataclasses import replace

import pytest

from tests.examples import (
    APPLICANT,
    CASE_NUMBER,
    DEFINITION,
    FILED,
    ORGANISATION_ID,
    PERSON_ID,
    application_submitted,
    item_published,
    materials_received,
    organisation_registered,
    party_registered,
    submit_application,
)
from tests.given import given
from tongban.domain.case.commands import How, MaterialOffered
from tongban.domain.case.events import ApplicationSubmitted
from tongban.domain.case.refusals import (
    ApplicantNotRegistered,
    ApplicantNotServed,
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
