from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.examples import (
    DECIDER,
    DENIED,
    FILED,
    GRANTED,
    ISSUED,
    REVIEWED,
    WITHOUT_LICENCE,
    application_submitted,
    case_closed,
    issue_licence,
    licence_delivered,
    licence_issued,
)
from tests.given import NOW, START, given
from tongban.domain.case.refusals import (
    InvalidValidity,
    LicenceAlreadyIssued,
    NoLicenceResults,
    NotGranted,
    UnknownCase,
)
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.office_time import office_day

NO_LICENCE = replace(application_submitted, licence_type=None)
TODAY = office_day(NOW)


def test_a_granted_case_gets_its_licence_and_is_closed() -> None:
    given(*GRANTED).when(issue_licence, by=DECIDER, validity_years=None).then(
        replace(licence_issued, valid_from=TODAY, valid_to=None), licence_delivered, case_closed
    )


@pytest.mark.parametrize(
    ("first", "years", "last"),
    [
        (date(2026, 3, 2), 5, date(2031, 3, 1)),
        (date(2026, 1, 1), 1, date(2026, 12, 31)),
        (date(2024, 2, 29), 1, date(2025, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 28)),
        (date(2024, 2, 28), 1, date(2025, 2, 27)),
        (date(2023, 3, 1), 1, date(2024, 2, 29)),
    ],
)
def test_a_licence_ends_the_day_before_the_same_date_years_on(first: date, years: int, last: date) -> None:
    given(*GRANTED).when(replace(issue_licence, valid_from=first), by=DECIDER, validity_years=years).then(
        replace(licence_issued, valid_from=first, valid_to=last), licence_delivered, case_closed
    )


def test_the_first_day_is_the_day_in_the_offices_not_in_greenwich() -> None:
    evening = datetime(2026, 3, 20, 17, 0, tzinfo=UTC)  # 01:00 of the 21st in the offices
    issued, *_ = given(*GRANTED).when(issue_licence, by=DECIDER, now=evening).decided()
    assert issued == replace(licence_issued, valid_from=date(2026, 3, 21), valid_to=None)


def test_an_officer_may_set_both_days() -> None:
    one_day = replace(issue_licence, valid_from=date(2026, 4, 1), valid_to=date(2026, 4, 1))
    given(*GRANTED).when(one_day, by=DECIDER, validity_years=5).then(
        replace(licence_issued, valid_from=date(2026, 4, 1), valid_to=date(2026, 4, 1)), licence_delivered, case_closed
    )


def test_a_licence_does_not_end_before_it_begins() -> None:
    wrong = replace(issue_licence, valid_from=date(2026, 4, 2), valid_to=date(2026, 4, 1))
    given(*GRANTED).when(wrong, by=DECIDER).then_refuses(InvalidValidity, valid_from=date(2026, 4, 2))


def test_a_licence_does_not_end_past_the_last_day_of_the_calendar() -> None:
    wrong = replace(issue_licence, valid_from=date.max)
    given(*GRANTED).when(wrong, by=DECIDER, validity_years=5).then_refuses(InvalidValidity, years=5)


def test_there_is_one_licence_for_one_grant() -> None:
    given(*ISSUED).when(issue_licence, by=DECIDER).then_refuses(LicenceAlreadyIssued)
    given(*ISSUED[:-1]).when(issue_licence, by=DECIDER).then_refuses(LicenceAlreadyIssued)


@pytest.mark.parametrize("events", [FILED, REVIEWED, DENIED])
def test_there_is_no_licence_without_a_grant(events: tuple[object, ...]) -> None:
    given(*events).when(issue_licence, by=DECIDER).then_refuses(NotGranted)


def test_an_item_without_a_licence_gives_none() -> None:
    given(NO_LICENCE, *WITHOUT_LICENCE[1:]).when(issue_licence, by=DECIDER).then_refuses(NoLicenceResults)


def test_a_case_that_was_never_filed_gives_no_licence() -> None:
    given().when(issue_licence, by=DECIDER).then_refuses(UnknownCase)


def test_a_licence_cannot_be_issued_before_the_grant() -> None:
    given(*GRANTED).when(issue_licence, by=DECIDER, at=START).then_refuses(
        EffectiveTimeBeforeCause, not_before=START + timedelta(hours=len(GRANTED) - 2)
    )
