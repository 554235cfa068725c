"""收件 and 预审."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.examples import (
    ACCEPTED,
    ACCEPTOR,
    CLERK,
    DECIDER,
    FILED,
    TODAY,
    accept_application,
    application_submitted,
    application_withdrawn,
    calendar_imported,
    correction_requested,
    grant_approval,
    item_published,
    materials_received,
    obtain_material,
    party_registered,
    pass_pre_check,
    pre_check_passed,
    pre_check_returned,
    receive_materials,
    refuse_acceptance,
    request_correction,
    return_pre_check,
    submit_application,
)
from tests.given import START, given, office
from tongban.domain.case.events import CaseClosed, Channel, MaterialsReceived, Result
from tongban.domain.case.refusals import (
    AlreadyAccepted,
    CaseClosedAlready,
    CorrectionOutstanding,
    NotAccepted,
    NotReceived,
)
from tongban.domain.errors import EffectiveTimeBeforeCause

BY_POST = replace(application_submitted, channel=Channel.POST)
WITHDRAWN = (*FILED, application_withdrawn, CaseClosed(Result.WITHDRAWN))


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel is not Channel.POST])
def test_the_receipt_is_given_with_the_filing(channel: Channel) -> None:
    command = replace(submit_application, channel=channel)
    given(item_published, party_registered).when(command).then(
        replace(application_submitted, channel=channel), materials_received
    )


def test_what_comes_by_post_is_received_when_it_arrives() -> None:
    command = replace(submit_application, channel=Channel.POST)
    given(item_published, party_registered).when(command).then(BY_POST)
    given(BY_POST).when(receive_materials, by=CLERK).then(materials_received)


def test_the_five_days_begin_with_the_receipt_not_with_the_filing() -> None:
    [received] = given(BY_POST).when(receive_materials, by=CLERK, now=office("2026-03-12")).decided()
    assert isinstance(received, MaterialsReceived)
    assert received.received_on == date(2026, 3, 12)
    assert received.clocks[0].due == date(2026, 3, 19)


def test_what_is_received_is_not_received_again() -> None:
    given(*FILED).when(receive_materials, by=CLERK).then_nothing()
    given(*ACCEPTED).when(receive_materials, by=CLERK).then_nothing()


def test_materials_do_not_arrive_before_they_are_sent() -> None:
    given(BY_POST).when(receive_materials, by=CLERK, at=START - timedelta(seconds=1)).then_refuses(
        EffectiveTimeBeforeCause, not_before=START
    )


@pytest.mark.parametrize(
    "command",
    [accept_application, refuse_acceptance, request_correction, pass_pre_check, return_pre_check],
    ids=lambda command: command.__class__.__name__,
)
def test_nothing_is_done_with_materials_that_are_still_on_their_way(command: object) -> None:
    given(BY_POST).when(command, by=ACCEPTOR).then_refuses(NotReceived)


def test_nothing_is_obtained_for_what_is_still_on_its_way() -> None:
    given(BY_POST).when(obtain_material, by=ACCEPTOR).then_refuses(NotAccepted)


@pytest.mark.parametrize(("hour", "minute", "received_on"), [(16, 59, TODAY), (17, 0, date(2026, 3, 3))])
def test_what_comes_after_closing_time_counts_for_the_next_working_day(
    hour: int, minute: int, received_on: date
) -> None:
    asked = given(item_published, party_registered).when(
        submit_application, now=office(TODAY, hour, minute), cut_off=17
    )
    _, received = asked.decided()
    assert received.received_on == received_on
    assert received.clocks[0].start == received_on


def test_the_next_working_day_is_one_of_the_calendar() -> None:
    """1 January 2026 is a day off, 2 and 3 too; 4 January, a Sunday, is worked."""
    published = replace(item_published, effective_from=date(2025, 12, 1))
    asked = given(calendar_imported, office("2025-12-31", 8), published, party_registered).when(
        submit_application, now=office("2025-12-31", 20), cut_off=17
    )
    _, received = asked.decided()
    assert received.received_on == date(2026, 1, 4)
    assert received.clocks[0].calendar == "1"


# ── 预审 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_application_is_pre_checked() -> None:
    given(*FILED).when(pass_pre_check, by=ACCEPTOR).then(pre_check_passed)
    given(*FILED, pre_check_passed).when(pass_pre_check, by=ACCEPTOR).then_nothing()


def test_what_to_mend_is_advice_that_may_be_given_again() -> None:
    given(*FILED).when(return_pre_check, by=ACCEPTOR).then(pre_check_returned)
    given(*FILED, pre_check_returned).when(return_pre_check, by=ACCEPTOR).then(pre_check_returned)


@pytest.mark.parametrize("command", [pass_pre_check, return_pre_check])
def test_there_is_no_pre_check_of_what_is_past_it(command: object) -> None:
    given(*FILED, correction_requested).when(command, by=ACCEPTOR).then_refuses(CorrectionOutstanding)
    given(*ACCEPTED).when(command, by=ACCEPTOR).then_refuses(AlreadyAccepted)
    given(*WITHDRAWN).when(command, by=ACCEPTOR).then_refuses(CaseClosedAlready)


@pytest.mark.parametrize("command", [pass_pre_check, return_pre_check])
def test_there_is_no_pre_check_before_the_receipt(command: object) -> None:
    early = START - timedelta(seconds=1)
    given(*FILED).when(command, by=ACCEPTOR, at=early).then_refuses(EffectiveTimeBeforeCause)


def test_a_pre_check_is_no_acceptance_and_stops_no_clock() -> None:
    world = given(*FILED, pre_check_passed)
    world.when(grant_approval, by=DECIDER).then_refuses(NotAccepted)
    assert world.states()["case"].clocks["CORRECTION"] == materials_received.clocks[0]
