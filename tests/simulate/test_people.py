"""Simulated parties: valid to the check digit, and nobody's."""

from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from tongban.domain.party.events import IdentifierKind, PartyKind
from tongban.infra.identifiers import normalise, problem_with
from tongban.infra.reference import load_reference
from tongban.simulate.identity_numbers import citizen_id, credit_code, passport, residence_permit
from tongban.simulate.people import applicant, first_of_all

SEEDS = st.integers(-(2**31), 2**31)
INDICES = st.integers(0, 2**31)
KINDS = st.sampled_from(PartyKind)


@given(SEEDS, INDICES, KINDS)
def test_every_identifier_is_valid_of_its_kind_and_in_its_one_spelling(seed: int, index: int, kind: PartyKind) -> None:
    someone = applicant(seed, kind, index)
    assert problem_with(someone.identifier_kind, someone.identifier) is None
    assert normalise(someone.identifier) == someone.identifier
    assert (someone.identifier_kind is IdentifierKind.USCC) == (kind is PartyKind.ORGANISATION)


@given(SEEDS, INDICES)
def test_nobody_alive_has_a_simulated_citizen_id_or_residence_permit(seed: int, index: int) -> None:
    for number in (citizen_id(seed, index), residence_permit(seed, index)):
        assert 1850 <= ric.get_birth_date(number).year <= 1899


@given(SEEDS, INDICES)
def test_no_department_of_the_sample_catalogue_is_simulated(seed: int, index: int) -> None:
    number = credit_code(seed, index)
    assert number[8:10] == "XX"
    assert number not in {department.uscc for department in load_reference().departments.values()}


@given(SEEDS, INDICES)
def test_a_passport_is_of_a_state_that_does_not_exist(seed: int, index: int) -> None:
    assert passport(seed, index).startswith("UTO")


@given(SEEDS)
def test_two_parties_of_one_seed_never_share_an_identifier(seed: int) -> None:
    numbers = [applicant(seed, kind, index).identifier for kind in PartyKind for index in range(300)]
    numbers.append(first_of_all(seed).identifier)
    assert len(set(numbers)) == len(numbers)


@given(SEEDS, INDICES, KINDS)
def test_a_party_is_the_same_each_time_it_is_asked_for(seed: int, index: int, kind: PartyKind) -> None:
    assert applicant(seed, kind, index) == applicant(seed, kind, index)
