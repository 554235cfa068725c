from dataclasses import replace
from uuid import uuid4

import pytest

from tests.examples import (
    APPLICANT,
    CLERK,
    NEW_ID,
    ORGANISATION_ID,
    PERSON_ID,
    STRANGER,
    STRANGER_ID,
    organisation_registered,
    party_registered,
    register_party,
)
from tests.given import given
from tongban.domain.errors import NotYours
from tongban.domain.ids import rating_stream
from tongban.domain.party.commands import RegisterParty
from tongban.domain.party.decide import (
    EmptyName,
    IdentifierKindMismatch,
    InvalidIdentifier,
    PartyIdNotRandom,
    PartyIdTaken,
)
from tongban.domain.party.events import IdentifierKind, PartyKind

REGISTER_COMPANY = RegisterParty(
    PartyKind.ORGANISATION, IdentifierKind.USCC, "91110000600037341L", "测试餐饮有限公司", ORGANISATION_ID
)


def test_a_clerk_registers_a_person() -> None:
    given().when(register_party, by=CLERK).then(party_registered)


def test_a_person_registers_as_who_they_are() -> None:
    given().when(register_party, by=APPLICANT).then(party_registered)


def test_an_organisation_is_registered_by_its_credit_code() -> None:
    given().when(REGISTER_COMPANY, by=CLERK).then(organisation_registered)


def test_who_gives_no_id_gets_a_new_one() -> None:
    given().when(replace(register_party, id=None), by=CLERK).then(replace(party_registered, party_id=NEW_ID))


def test_a_name_is_kept_without_the_blanks_around_it() -> None:
    given().when(replace(register_party, name=" 欧阳测试　"), by=CLERK).then(party_registered)


def test_a_registered_identifier_changes_nothing() -> None:
    given(party_registered).when(register_party, by=CLERK).then_nothing()
    given(party_registered).when(replace(register_party, id=None), by=CLERK).then_nothing()
    given(party_registered).when(replace(register_party, name="另名"), by=APPLICANT).then_nothing()


@pytest.mark.parametrize(
    ("kind", "identifier_kind"),
    [
        (PartyKind.PERSON, IdentifierKind.USCC),
        (PartyKind.ORGANISATION, IdentifierKind.CITIZEN_ID),
        (PartyKind.ORGANISATION, IdentifierKind.PASSPORT),
        (PartyKind.ORGANISATION, IdentifierKind.RESIDENCE_PERMIT),
    ],
)
def test_an_identifier_is_of_the_kind_its_party_has(kind: PartyKind, identifier_kind: IdentifierKind) -> None:
    command = replace(register_party, kind=kind, identifier_kind=identifier_kind)
    given().when(command, by=CLERK).then_refuses(IdentifierKindMismatch, kind=kind, identifier_kind=identifier_kind)


def test_a_wrong_identifier_is_refused_without_being_repeated() -> None:
    given().when(register_party, by=CLERK, problem="the check digit is wrong").then_refuses(
        InvalidIdentifier, problem="the check digit is wrong", identifier=None
    )


@pytest.mark.parametrize("name", ["", "  ", "\u3000", "\n\t"])
def test_a_party_has_a_name(name: str) -> None:
    given().when(replace(register_party, name=name), by=CLERK).then_refuses(EmptyName)


def test_nobody_registers_somebody_else() -> None:
    given().when(register_party, by=STRANGER).then_refuses(NotYours)


def test_nobody_learns_whose_an_identifier_is_by_registering_it() -> None:
    command = replace(register_party, id=STRANGER_ID)
    given(party_registered).when(command, by=STRANGER).then_refuses(NotYours)


def test_a_known_identifier_does_not_get_a_second_id() -> None:
    given(party_registered).when(replace(register_party, id=STRANGER_ID), by=CLERK).then_refuses(
        PartyIdTaken, id=STRANGER_ID
    )


def test_an_id_does_not_get_a_second_identifier() -> None:
    other = replace(register_party, identifier="310101198808080017")
    given(party_registered).when(other, by=CLERK).then_refuses(PartyIdTaken, id=PERSON_ID)


def test_an_id_that_others_can_compute_is_not_taken() -> None:
    derived = rating_stream(uuid4())
    given().when(replace(register_party, id=derived), by=CLERK).then_refuses(PartyIdNotRandom, id=derived)
