"""延长审批: once, by the head, with a reason, before the deadline."""

from dataclasses import replace
from datetime import date

import pytest

from tests.examples import (
    ACCEPTED,
    FILED,
    GRANTED,
    HEAD,
    application_accepted,
    deadline_extended,
    extend_deadline,
    filed,
    legal_clock,
    promised_clock,
)
from tests.given import START, given, office
from tongban.domain.case.refusals import (
    AlreadyDecided,
    AlreadyExtended,
    ExtensionNotAllowed,
    NotAccepted,
    ReasonAndRemedyRequired,
    TooLateToExtend,
)
from tongban.domain.errors import EffectiveTimeBeforeCause


def test_the_head_extends_both_limits_with_a_reason() -> None:
    given(*ACCEPTED).when(extend_deadline, by=HEAD).then(deadline_extended)
    assert {clock.name: clock.due for clock in deadline_extended.clocks} == {
        "LEGAL": date(2026, 4, 13),
        "PROMISED": date(2026, 3, 30),
    }


def test_once() -> None:
    given(*ACCEPTED, deadline_extended).when(extend_deadline, by=HEAD).then_refuses(AlreadyExtended)


@pytest.mark.parametrize("days", [-1, 0, 11])
def test_no_longer_than_the_law_allows(days: int) -> None:
    given(*ACCEPTED).when(replace(extend_deadline, working_days=days), by=HEAD).then_refuses(
        ExtensionNotAllowed, working_days=days, most=10
    )


@pytest.mark.parametrize(
    ("extension", "most"), [(None, 0), ({"value": 30, "unit": "CALENDAR_DAY", "basis": "law"}, 30)]
)
def test_only_where_the_law_of_the_item_allows_one_in_working_days(extension: object, most: int) -> None:
    accepted = (*filed(terms={"extension": extension}), application_accepted)
    given(*accepted).when(extend_deadline, by=HEAD).then_refuses(ExtensionNotAllowed, most=most)


def test_the_reason_is_told() -> None:
    given(*ACCEPTED).when(replace(extend_deadline, reason=" "), by=HEAD).then_refuses(ReasonAndRemedyRequired)


def test_only_before_the_deadline() -> None:
    assert legal_clock.due == date(2026, 3, 30)
    assert given(*ACCEPTED).when(extend_deadline, by=HEAD, now=office("2026-03-30", 23)).decided()
    given(*ACCEPTED).when(extend_deadline, by=HEAD, now=office("2026-03-31", 0)).then_refuses(
        TooLateToExtend, due=date(2026, 3, 30)
    )


def test_a_promise_that_is_broken_already_stays_broken() -> None:
    assert promised_clock.due == date(2026, 3, 16)
    [extended] = given(*ACCEPTED).when(extend_deadline, by=HEAD, now=office("2026-03-17")).decided()
    assert [clock.name for clock in extended.clocks] == ["LEGAL"]


def test_an_item_without_limits_has_nothing_to_extend() -> None:
    unlimited = (*filed(), replace(application_accepted, clocks=()))
    given(*unlimited).when(extend_deadline, by=HEAD).then_refuses(TooLateToExtend, due=None)


def test_in_review_only() -> None:
    given(*FILED).when(extend_deadline, by=HEAD).then_refuses(NotAccepted)
    given(*GRANTED).when(extend_deadline, by=HEAD).then_refuses(AlreadyDecided)
    given(*ACCEPTED).when(extend_deadline, by=HEAD, at=START).then_refuses(EffectiveTimeBeforeCause)
