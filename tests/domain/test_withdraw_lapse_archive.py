"""撤回, 视为撤回 and 归档: the other ways a case ends, and the last thing that happens to it."""

from datetime import date

import pytest

from tests.examples import (
    ACCEPTED,
    ALL_PASSED,
    APPLICANT,
    CLERK,
    DENIED,
    FILED,
    GRANTED,
    HEAD,
    ISSUED,
    REVIEWED,
    SYSTEM,
    acceptance_refused,
    application_accepted,
    application_submitted,
    application_withdrawn,
    approval_granted,
    archive_case,
    case_archived,
    case_lapsed,
    correction_requested,
    correction_submitted,
    filed,
    lapse_case,
    licence_issued,
    special_procedure_started,
    withdraw_application,
)
from tests.given import START, given, office
from tongban.domain.case.events import CaseClosed, Means, Result
from tongban.domain.case.refusals import AlreadyDecided, CaseClosedAlready, NotClosed
from tongban.domain.case.state import MAIN, NOBODY, holders
from tongban.domain.errors import EffectiveTimeBeforeCause

WITHDRAWN = CaseClosed(Result.WITHDRAWN)
UNTIL_ISSUE = {"withdraw_until": "ISSUE"}


# ── 撤回 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "events",
    [
        (application_submitted,),
        FILED,
        (*FILED, correction_requested),
        ACCEPTED,
        (*ACCEPTED, special_procedure_started),
        REVIEWED,
    ],
)
def test_an_application_is_withdrawn_at_any_time_before_the_decision(events: tuple[object, ...]) -> None:
    given(*events).when(withdraw_application, by=APPLICANT).then(application_withdrawn, WITHDRAWN)


def test_once() -> None:
    given(*FILED, application_withdrawn, WITHDRAWN).when(withdraw_application, by=APPLICANT).then_nothing()


@pytest.mark.parametrize("events", [GRANTED, ISSUED, DENIED])
def test_not_after_the_decision(events: tuple[object, ...]) -> None:
    given(*events).when(withdraw_application, by=APPLICANT).then_refuses(AlreadyDecided)


def test_where_the_items_law_says_so_until_the_result_is_made() -> None:
    """Real estate: until it is written in the register."""
    granted = (*filed(terms=UNTIL_ISSUE, delivery=Means.COUNTER), application_accepted, *ALL_PASSED, approval_granted)
    given(*granted).when(withdraw_application, by=APPLICANT).then(application_withdrawn, WITHDRAWN)
    given(*granted, licence_issued).when(withdraw_application, by=APPLICANT).then_refuses(AlreadyDecided)


def test_not_after_another_end() -> None:
    refused = (*FILED, acceptance_refused, CaseClosed(Result.NOT_ACCEPTED))
    given(*refused).when(withdraw_application, by=APPLICANT).then_refuses(CaseClosedAlready)


def test_not_before_what_was_done_last() -> None:
    given(*ACCEPTED).when(withdraw_application, by=CLERK, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_nobody_holds_what_was_withdrawn() -> None:
    assert holders(given(*ACCEPTED, application_withdrawn, WITHDRAWN).states()["case"]) == {MAIN: NOBODY}


# ── 视为撤回 ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_does_not_correct_in_time_has_withdrawn() -> None:
    world = given(*FILED, correction_requested)
    assert world.states()["case"].clocks["APPLICANT_CORRECTION"].due == date(2026, 3, 23)
    world.when(lapse_case, by=SYSTEM, now=office("2026-03-23", 23)).then_nothing()
    world.when(lapse_case, by=SYSTEM, now=office("2026-03-24", 0)).then(case_lapsed, CaseClosed(Result.LAPSED))
    # The bundle took the correction in time, and hands it on.
    world.when(lapse_case, by=SYSTEM, now=office("2026-03-24", 0), told_in_bundle=True).then_nothing()


@pytest.mark.parametrize(
    "events", [FILED, ACCEPTED, ISSUED, (*FILED, correction_requested, correction_submitted), (application_submitted,)]
)
def test_nothing_lapses_where_nothing_is_to_be_brought(events: tuple[object, ...]) -> None:
    given(*events).when(lapse_case, by=SYSTEM, now=office("2026-12-31")).then_nothing()


def test_it_lapses_once() -> None:
    lapsed = (*FILED, correction_requested, case_lapsed, CaseClosed(Result.LAPSED))
    given(*lapsed).when(lapse_case, by=SYSTEM, now=office("2026-12-31")).then_nothing()


# ── 归档 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("events", [ISSUED, DENIED, (*FILED, application_withdrawn, WITHDRAWN)])
def test_the_file_of_a_closed_case_is_archived_once(events: tuple[object, ...]) -> None:
    given(*events).when(archive_case, by=HEAD).then(case_archived)
    given(*events, case_archived).when(archive_case, by=HEAD).then_nothing()


def test_it_is_not_archived_before_it_is_closed() -> None:
    given(*ISSUED).when(archive_case, by=HEAD, at=START).then_refuses(EffectiveTimeBeforeCause)


@pytest.mark.parametrize("events", [FILED, ACCEPTED, REVIEWED, GRANTED, (*FILED, application_withdrawn)])
def test_an_open_case_is_not_archived(events: tuple[object, ...]) -> None:
    given(*events).when(archive_case, by=HEAD).then_refuses(NotClosed)
