import random
from collections import Counter

import pytest
from stdnum.cn import ric, uscc

from tongban.domain.party.events import IdentifierKind
from tongban.infra.identifiers import identifier_digest, normalise, problem_with

PEPPER = bytes(range(32))
CITIZEN, USCC, PERMIT, PASSPORT = (
    IdentifierKind.CITIZEN_ID,
    IdentifierKind.USCC,
    IdentifierKind.RESIDENCE_PERMIT,
    IdentifierKind.PASSPORT,
)
USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def with_check_digit(body: str) -> str:
    return body + str(ric.calc_check_digit(body + "0"))


def random_citizen_id(rng: random.Random) -> str:
    region = rng.choice(["110101", "310101", "440305", "650102", "999999", "000000"])
    day = f"{rng.randint(1900, 2030)}{rng.randint(0, 13):02d}{rng.randint(0, 32):02d}"
    number = with_check_digit(f"{region}{day}{rng.randint(0, 999):03d}")
    return number if rng.random() < 0.7 else number[:-1] + rng.choice("0123456789X")


def random_uscc(rng: random.Random) -> str:
    body = rng.choice(["91", "51", "12", "00"]) + "310000" + "".join(rng.choices(USCC_CHARACTERS, k=9))
    check = uscc.calc_check_digit(body + "0")
    return body + (check if rng.random() < 0.7 else rng.choice(USCC_CHARACTERS))


def test_citizen_ids_are_judged_as_python_stdnum_judges_them() -> None:
    rng = random.Random(11643)
    judged: Counter[bool] = Counter()
    for _ in range(3_000):
        number = random_citizen_id(rng)
        valid = problem_with(CITIZEN, number) is None
        assert valid == ric.is_valid(number), number
        judged[valid] += 1
    assert min(judged[True], judged[False]) > 300


def test_credit_codes_are_judged_as_python_stdnum_judges_them() -> None:
    rng = random.Random(32100)
    judged: Counter[bool] = Counter()
    for _ in range(3_000):
        number = random_uscc(rng)
        valid = problem_with(USCC, number) is None
        assert valid == uscc.is_valid(number), number
        judged[valid] += 1
    assert min(judged[True], judged[False]) > 300


@pytest.mark.parametrize("region", ["810000", "820000", "830000"])
def test_residents_of_other_regions_are_known_under_either_kind(region: str) -> None:
    number = with_check_digit(f"{region}19900101001")
    assert not ric.is_valid(number), "python-stdnum knows these numbers now: drop the wrapper"
    assert problem_with(PERMIT, number) is None
    assert problem_with(CITIZEN, number) is None


def test_a_residence_permit_with_an_error_says_which() -> None:
    number = with_check_digit("83000019900101001")
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert problem_with(PERMIT, wrong) == "the check digit is wrong"
    assert problem_with(PERMIT, with_check_digit("83000019900231001")) == "the birth date does not exist"
    assert "81/82/83" in str(problem_with(PERMIT, "11010119900307109X"))
    assert problem_with(PERMIT, "84000019900101001X") is not None


@pytest.mark.parametrize("number", ["E12345678", "AB123", "A" * 20])
def test_passports_are_5_to_20_letters_and_digits(number: str) -> None:
    assert problem_with(PASSPORT, number) is None


@pytest.mark.parametrize("number", ["", "A123", "A" * 21, "E1234567é", "E12\n34567"])
def test_other_passport_numbers_are_refused(number: str) -> None:
    assert problem_with(PASSPORT, number) is not None


@pytest.mark.parametrize("kind", list(IdentifierKind))
@pytest.mark.parametrize("number", ["", "0", "x" * 1000, "11010119900307109Y", "\x00", "一二三", "8" * 18])
def test_nonsense_is_refused_without_being_repeated(kind: IdentifierKind, number: str) -> None:
    problem = problem_with(kind, number)
    assert problem is not None or (kind is PASSPORT and number.isascii())
    if problem and len(number) > 4:
        assert number not in problem


def test_one_identifier_has_one_spelling() -> None:
    spellings = [
        "11010119900307109X",
        "11010119900307109x",
        " 110101 1990-0307 109X\t",
        "１１０１０１１９９００３０７１０９Ｘ",
    ]
    assert {normalise(spelling) for spelling in spellings} == {"11010119900307109X"}


def test_one_person_has_one_digest_across_the_kinds_of_one_number_space() -> None:
    number = with_check_digit("83000019900101001")
    assert identifier_digest(PEPPER, PERMIT, number) == identifier_digest(PEPPER, CITIZEN, number)
    assert identifier_digest(PEPPER, PASSPORT, number) != identifier_digest(PEPPER, CITIZEN, number)


def test_a_digest_is_32_bytes_that_depend_on_the_pepper_and_hold_nothing_of_the_number() -> None:
    digest = identifier_digest(PEPPER, CITIZEN, "11010119900307109X")
    assert len(digest) == 32
    assert digest != identifier_digest(PEPPER[::-1], CITIZEN, "11010119900307109X")
    assert digest != identifier_digest(PEPPER, CITIZEN, "110101199003071090")
