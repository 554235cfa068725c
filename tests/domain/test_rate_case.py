from dataclasses import replace

import pytest

from tests.examples import (
    APPLICANT,
    CASE_ID,
    CLERK,
    DENIED,
    GRANTED,
    ISSUED,
    STRANGER,
    case_rated,
    rate_case,
)
from tests.given import given
from tongban.domain.case.refusals import UnknownCase
from tongban.domain.errors import NotYours
from tongban.domain.rating.decide import AlreadyRated, CaseNotClosed, GradeOutOfRange


@pytest.mark.parametrize("closed", [ISSUED, DENIED])
def test_the_applicant_rates_a_closed_case_whatever_its_result(closed: tuple[object, ...]) -> None:
    given(*closed).when(rate_case, by=APPLICANT).then(case_rated)


def test_a_rating_needs_no_words() -> None:
    given(*ISSUED).when(replace(rate_case, text=None), by=APPLICANT).then(replace(case_rated, text=None))


def test_the_same_grade_given_again_changes_nothing() -> None:
    given(*ISSUED, case_rated).when(replace(rate_case, text="again"), by=APPLICANT).then_nothing()


def test_the_first_rating_stands() -> None:
    given(*ISSUED, case_rated).when(replace(rate_case, grade=5), by=APPLICANT).then_refuses(
        AlreadyRated, case_id=CASE_ID, grade=2
    )


@pytest.mark.parametrize("grade", [0, 6, -1, 10**30])
def test_a_grade_is_1_to_5(grade: int) -> None:
    given(*ISSUED).when(replace(rate_case, grade=grade), by=APPLICANT).then_refuses(GradeOutOfRange, grade=grade)


def test_an_open_case_is_not_rated() -> None:
    given(*GRANTED).when(rate_case, by=APPLICANT).then_refuses(CaseNotClosed)


@pytest.mark.parametrize("other", [STRANGER, CLERK])
def test_only_the_applicant_rates(other: object) -> None:
    given(*ISSUED).when(rate_case, by=other).then_refuses(NotYours)  # type: ignore[arg-type]


def test_a_case_that_was_never_filed_is_not_rated() -> None:
    given().when(rate_case, by=APPLICANT).then_refuses(UnknownCase, case_id=CASE_ID)
