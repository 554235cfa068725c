"""送达: by the means the applicant chose; the delivery clock is another than the decision's."""

from dataclasses import replace
from datetime import date

import pytest

from tests.examples import (
    ALL_PASSED,
    CLERK,
    DECIDER,
    DENIED,
    FILED,
    GRANTED,
    ISSUED,
    application_accepted,
    approval_granted,
    case_closed,
    confirm_delivery,
    delivery_clock,
    filed,
    issue_licence,
    licence_delivered,
    licence_issued,
)
from tests.given import START, given, office
from tongban.domain.case.events import Means
from tongban.domain.case.refusals import DeliveryOtherMeans, NotGranted
from tongban.domain.errors import EffectiveTimeBeforeCause

BY_HAND = (*filed(delivery=Means.COUNTER), application_accepted, *ALL_PASSED, approval_granted)
MADE = (*BY_HAND, licence_issued)
DELIVERED = replace(licence_delivered, means=Means.COUNTER)


def test_what_goes_online_is_delivered_with_the_licence() -> None:
    *_, delivered, closed = given(*GRANTED).when(issue_licence, by=DECIDER).decided()
    assert (delivered, closed) == (licence_delivered, case_closed)


def test_what_is_handed_over_is_not_closed_before_the_proof() -> None:
    assert len(given(*BY_HAND).when(issue_licence, by=DECIDER).decided()) == 1
    given(*MADE).when(confirm_delivery, by=CLERK).then(DELIVERED, case_closed)
    given(*MADE, DELIVERED, case_closed).when(confirm_delivery, by=CLERK).then_nothing()


def test_delivery_has_ten_working_days_of_its_own() -> None:
    assert (delivery_clock.start, delivery_clock.due) == (date(2026, 3, 2), date(2026, 3, 16))
    [delivered, _] = given(*MADE).when(confirm_delivery, by=CLERK, now=office("2026-03-18")).decided()
    [met] = delivered.clocks
    assert (met.name, met.stopped, met.due) == ("DELIVERY", date(2026, 3, 18), date(2026, 3, 16))


@pytest.mark.parametrize("means", [Means.ONLINE, Means.COURIER])
def test_it_is_delivered_as_the_applicant_chose(means: Means) -> None:
    given(*MADE).when(replace(confirm_delivery, means=means), by=CLERK).then_refuses(
        DeliveryOtherMeans, chosen=Means.COUNTER, means=means
    )


@pytest.mark.parametrize("events", [FILED, BY_HAND, DENIED])
def test_nothing_is_delivered_that_is_not_made(events: tuple[object, ...]) -> None:
    given(*events).when(confirm_delivery, by=CLERK).then_refuses(NotGranted)


def test_what_was_delivered_online_is_not_delivered_again() -> None:
    given(*ISSUED).when(confirm_delivery, by=CLERK).then_nothing()


def test_nothing_is_delivered_before_it_is_made() -> None:
    given(*MADE).when(confirm_delivery, by=CLERK, at=START).then_refuses(EffectiveTimeBeforeCause)
