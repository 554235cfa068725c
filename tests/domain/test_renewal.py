"""延续: filed in time, silence renews (行政许可法 art. 50)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.examples import (
    ACCEPTED,
    ALL_PASSED,
    CLERK,
    DECIDER,
    DENIED,
    FILED,
    GRANTED,
    LICENCE_ID,
    ORGANISATION_ID,
    REVIEWED,
    SYSTEM,
    application_accepted,
    approval_deemed_granted,
    approval_granted,
    deem_renewed,
    filed,
    issue_licence,
    item_published,
    licence_collected,
    licence_revoked,
    party_registered,
    special_procedure_started,
    submit_application,
)
from tests.given import given, office
from tongban.domain.case.events import ApplicationSubmitted
from tongban.domain.case.refusals import NotRenewable

LAST_DAY = date(2026, 4, 13)  # 30 working days after 2 March, Mondays to Fridays
UNTIL = replace(licence_collected, valid_to=LAST_DAY)
renew = replace(submit_application, renews=LICENCE_ID)
RENEWAL = (*filed(renews=LICENCE_ID, renews_until=LAST_DAY), application_accepted)
EXPIRED = office("2026-04-14", 0)


def filing(licence: Any, **changes: Any) -> ApplicationSubmitted:
    found, *_ = given(item_published, party_registered, licence).when(replace(renew, **changes)).decided()
    assert isinstance(found, ApplicationSubmitted)
    return found


def test_a_renewal_in_time_is_one_of_thirty_working_days_before_the_expiry() -> None:
    assert (filing(UNTIL).renews, filing(UNTIL).renews_until) == (LICENCE_ID, LAST_DAY)
    assert filing(replace(UNTIL, valid_to=LAST_DAY - timedelta(days=3))).renews_until is None


def test_a_renewal_that_is_entered_after_the_expiry_is_not_renewed_by_silence() -> None:
    """Nobody could have decided on it in time, whatever day it is entered for."""
    world = given(item_published, party_registered, UNTIL)
    in_time, *_ = world.when(renew, by=CLERK, at=office("2026-03-02"), now=office(LAST_DAY)).decided()
    assert in_time.renews_until == LAST_DAY
    late, *_ = world.when(renew, by=CLERK, at=office("2026-03-02"), now=EXPIRED).decided()
    assert late.renews_until is None


def test_a_licence_without_end_is_not_renewed_by_silence() -> None:
    assert filing(licence_collected).renews_until is None


@pytest.mark.parametrize(
    "licence",
    [
        replace(UNTIL, holder=ORGANISATION_ID),
        replace(UNTIL, licence_type="lt-food"),
        replace(UNTIL, valid_to=date(2026, 3, 1)),
    ],
)
def test_only_a_valid_licence_of_this_applicant_and_this_item_is_renewed(licence: object) -> None:
    given(item_published, party_registered, licence).when(renew).then_refuses(NotRenewable, renews=LICENCE_ID)


def test_a_licence_that_is_revoked_or_unknown_is_not_renewed() -> None:
    given(item_published, party_registered, UNTIL, licence_revoked).when(renew).then_refuses(NotRenewable)
    given(item_published, party_registered).when(renew).then_refuses(NotRenewable)


def test_silence_renews_once_the_licence_has_expired() -> None:
    [renewed] = given(*RENEWAL).when(deem_renewed, by=SYSTEM, now=EXPIRED).decided()
    assert replace(renewed, clocks=()) == replace(approval_deemed_granted, clocks=())
    assert {clock.name: (clock.start, clock.stopped) for clock in renewed.clocks} == {
        "LEGAL": (date(2026, 3, 2), date(2026, 4, 14)),
        "PROMISED": (date(2026, 3, 2), date(2026, 4, 14)),
        "DELIVERY": (date(2026, 4, 14), None),
    }
    given(*RENEWAL).when(deem_renewed, by=SYSTEM, now=EXPIRED - timedelta(seconds=1)).then_nothing()


def test_neither_open_opinions_nor_a_procedure_keep_the_law_from_renewing() -> None:
    assert given(*RENEWAL, special_procedure_started).when(deem_renewed, by=SYSTEM, now=EXPIRED).decided()
    assert given(*RENEWAL, *ALL_PASSED).when(deem_renewed, by=SYSTEM, now=EXPIRED).decided()


@pytest.mark.parametrize("events", [ACCEPTED, REVIEWED, GRANTED, DENIED, FILED])
def test_what_is_no_renewal_or_is_decided_is_not_renewed_by_silence(events: tuple[object, ...]) -> None:
    given(*events).when(deem_renewed, by=SYSTEM, now=EXPIRED).then_nothing()


@pytest.mark.parametrize("decided", [approval_granted, approval_deemed_granted, DENIED[-2]])
def test_what_was_decided_in_time_is_not_renewed_by_silence(decided: object) -> None:
    given(*RENEWAL, *ALL_PASSED, decided).when(deem_renewed, by=SYSTEM, now=EXPIRED).then_nothing()


def test_where_no_licence_results_the_silence_closes_the_case() -> None:
    without = (*filed(renews=LICENCE_ID, renews_until=LAST_DAY, licence_type=None), application_accepted)
    renewed, closed = given(*without).when(deem_renewed, by=SYSTEM, now=EXPIRED).decided()
    assert [clock.name for clock in renewed.clocks] == ["LEGAL", "PROMISED"]
    assert closed.result == "GRANTED"


def test_the_new_licence_begins_where_the_old_one_ends() -> None:
    granted = (*RENEWAL, *ALL_PASSED, approval_granted)
    issued, *_ = given(*granted).when(issue_licence, by=DECIDER, validity_years=5).decided()
    assert (issued.valid_from, issued.valid_to) == (date(2026, 4, 14), date(2031, 4, 13))
    silent = (*RENEWAL, approval_deemed_granted)
    issued, *_ = given(*silent).when(issue_licence, by=DECIDER, now=office("2026-04-20"), validity_years=5).decided()
    assert issued.valid_from == date(2026, 4, 20)
