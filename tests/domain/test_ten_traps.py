"""Ten things about this law that are easily taken for something else, one test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.calendars import CALENDAR
from tests.examples import (
    ACCEPTOR,
    ALL_PASSED,
    APPLICANT,
    CASE_ID,
    DECIDER,
    DEFINITION,
    HEAD,
    ISSUED,
    ITEM,
    LICENCE_ID,
    SYSTEM,
    accept_application,
    application_accepted,
    application_submitted,
    case_rated,
    confirm_delivery,
    deem_accepted,
    deem_renewed,
    extend_deadline,
    filed,
    grant_approval,
    issue_licence,
    item_published,
    licence_collected,
    party_registered,
    rate_case,
    received,
    recompute_deadlines,
    record_inspection,
    request_correction,
    reviewer,
    source_failed,
    start_special_procedure,
    submit_application,
    submit_correction,
)
from tests.given import Given, given, office
from tongban.commands.handlers import HANDLERS
from tongban.commands.handling import Asked
from tongban.domain.actor import Actor
from tongban.domain.aggregate import Circumstances
from tongban.domain.calendar.state import Year, calendar_of
from tongban.domain.case.commands import Defect, GrantApproval, RequestCorrection
from tongban.domain.case.events import (
    ApprovalDeemedGranted,
    CaseDeemedAccepted,
    LicenceDelivered,
    LicenceIssued,
    Means,
    Procedure,
)
from tongban.domain.case.refusals import AskedForExempt, AskedOutsideGuide, NotASpecialProcedure
from tongban.domain.case.state import CASE
from tongban.domain.catalogue.commands import PublishItem
from tongban.domain.catalogue.refusals import PromiseOverLegal
from tongban.domain.clock import Clock, Light, Limit, Unit, light, remaining_working_days
from tongban.domain.explanation import due_of, explain
from tongban.domain.rating.decide import GradeOutOfRange
from tongban.domain.recorded import ItemVersion
from tongban.infra.reference import sample_calendars

TWENTY_DAYS = {"value": 20, "unit": "CALENDAR_DAY", "basis": "law"}


def then(story: Given, day: str, command: Any, by: Actor, **facts: Any) -> Given:
    """The story with what a command of that day led to."""
    moment = office(day)
    known: dict[str, Any] = {"calendar": CALENDAR, **facts}
    decided = story.when(command, by=by, now=moment, **known).decided()
    return given(*story.events, *(each for event in decided for each in (moment, event)))


def clocks(story: Given) -> dict[str, Clock]:
    """The clocks of the case by name."""
    found: dict[str, Clock] = story.states()["case"].clocks
    return found


def filed_on(day: str, **terms: Any) -> Given:
    """A case whose filing and receipt are of this day."""
    application, _ = filed(terms=terms)
    return given(office(day), application, received(date.fromisoformat(day), CALENDAR))


def test_trap_1_the_clock_starts_at_acceptance_not_at_submission() -> None:
    """行政许可法 art. 42: days the applicant spends on corrections never count."""
    story = filed_on("2026-03-02")
    assert clocks(story).keys() == {"CORRECTION"}
    story = then(story, "2026-03-04", request_correction, ACCEPTOR)
    story = then(story, "2026-03-20", submit_correction, APPLICANT)
    assert not {"LEGAL", "PROMISED"} & clocks(story).keys()
    story = then(story, "2026-03-24", accept_application, ACCEPTOR)
    assert clocks(story)["PROMISED"].start == date(2026, 3, 24)
    assert clocks(story)["PROMISED"].due == date(2026, 4, 8)  # ten working days, 6 April is a day off


def test_trap_2_without_a_notice_in_five_days_the_case_is_accepted_since_the_receipt() -> None:
    """行政许可法 art. 32(4): recorded late, in effect from the day the materials were received."""
    story = filed_on("2026-03-02")
    case, now = story.states()["case"], office("2026-03-30")
    circumstances = Circumstances(SYSTEM, now, now, uuid4())
    asked = Asked(deem_accepted, CASE_ID, circumstances, case, lambda _, kind: kind.initial, None, None)  # type: ignore[arg-type]
    in_effect = HANDLERS["DeemAccepted"].effective
    assert in_effect is not None
    effective_at = in_effect(asked)
    assert effective_at == office("2026-03-02") < now
    [deemed] = story.when(deem_accepted, by=SYSTEM, now=now, calendar=CALENDAR).decided()
    assert isinstance(deemed, CaseDeemedAccepted)
    story = given(*story.events, effective_at, deemed)
    assert story.states()["case"].accepted_at == effective_at
    assert clocks(story)["LEGAL"].start == date(2026, 3, 2)
    assert clocks(story)["PROMISED"].due == date(2026, 3, 16)  # so the promise is broken already


def test_trap_3_an_on_site_check_does_not_stop_the_clock() -> None:
    """行政许可法 art. 45 names what does, and what does must be told in writing."""
    story = then(filed_on("2026-03-02"), "2026-03-03", accept_application, ACCEPTOR)
    before = clocks(story)
    story = then(story, "2026-03-09", record_inspection, HEAD)
    assert clocks(story) == before
    story.when(
        replace(start_special_procedure, kind=Procedure.PUBLIC_ANNOUNCEMENT),
        by=reviewer("tax"),
        now=office("2026-03-10"),
    ).then_refuses(NotASpecialProcedure)
    story = then(story, "2026-03-10", start_special_procedure, reviewer("tax"))
    assert clocks(story)["LEGAL"].due > before["LEGAL"].due


def test_trap_4_a_day_is_a_working_day_only_where_the_law_says_so() -> None:
    """行政许可法 art. 82; 建筑法 and 环境影响评价法 count every day. A limit is a value and a unit."""
    working = then(filed_on("2026-04-27"), "2026-04-28", accept_application, ACCEPTOR)
    every = then(filed_on("2026-04-27", legal=TWENTY_DAYS), "2026-04-28", accept_application, ACCEPTOR)
    assert clocks(working)["LEGAL"].limit == Limit(20, Unit.WORKING_DAY)
    assert clocks(working)["LEGAL"].due == date(2026, 5, 28)
    assert clocks(every)["LEGAL"].limit == Limit(20, Unit.CALENDAR_DAY)
    assert clocks(every)["LEGAL"].due == date(2026, 5, 18)
    longer = {**DEFINITION, "legalTimeLimit": {"value": 10, "unit": "CALENDAR_DAY", "basis": "建筑法 art. 8"}}
    given().when(PublishItem(longer)).then_refuses(PromiseOverLegal)  # 10 = 10, but of other days


def test_trap_5_two_limits_run_side_by_side_and_delivery_is_a_third() -> None:
    """Flag on both; the ten days of art. 44 begin with the decision."""
    story = then(filed_on("2026-03-02"), "2026-03-02", accept_application, ACCEPTOR)
    promised, legal = clocks(story)["PROMISED"], clocks(story)["LEGAL"]
    assert (promised.due, legal.due) == (date(2026, 3, 16), date(2026, 3, 30))
    on = date(2026, 3, 20)
    lights = [light(remaining_working_days(clock.due, on, CALENDAR), yellow=6) for clock in (promised, legal)]
    assert lights == [Light.RED, Light.YELLOW]
    story = given(*story.events, office("2026-03-20"), *ALL_PASSED)
    story = then(story, "2026-03-23", GrantApproval(CASE_ID), DECIDER)
    assert clocks(story)["PROMISED"].stopped == clocks(story)["LEGAL"].stopped == date(2026, 3, 23)
    assert (clocks(story)["DELIVERY"].start, clocks(story)["DELIVERY"].due) == (date(2026, 3, 23), date(2026, 4, 7))
    too_long = {**DEFINITION, "promisedTimeLimit": {"value": 21, "unit": "WORKING_DAY", "source": "sample"}}
    given().when(PublishItem(too_long)).then_refuses(PromiseOverLegal)


def test_trap_6_grade_1_is_the_best_and_5_the_worst() -> None:
    """GB/T 39046 A.8: the reverse of stars. Codes are stored as they are; nothing turns them round."""
    for grade in range(1, 6):
        given(*ISSUED).when(replace(rate_case, grade=grade), by=APPLICANT).then(replace(case_rated, grade=grade))
    for grade in (0, 6):
        given(*ISSUED).when(replace(rate_case, grade=grade), by=APPLICANT).then_refuses(GradeOutOfRange)
    assert "1 is best, 5 worst; 4 and 5 are bad" in (case_rated.__doc__ or "")
    assert "1 best … 5 worst" in (rate_case.__doc__ or "")


def test_trap_7_nothing_is_asked_for_outside_the_guide_nor_what_sharing_can_fetch() -> None:
    """上海市优化营商环境条例 art. 24; 国务院令716号 art. 7."""
    story = filed_on("2026-03-02")
    outside = RequestCorrection(CASE_ID, (Defect("blood-test", "missing"),))
    shared = RequestCorrection(CASE_ID, (Defect("id-card", "missing"),))
    story.when(outside, by=ACCEPTOR).then_refuses(AskedOutsideGuide, materials=["blood-test"])
    story.when(shared, by=ACCEPTOR).then_refuses(AskedForExempt, materials=["id-card"])
    assert given(*story.events, source_failed).when(shared, by=ACCEPTOR).decided()  # and only then


def test_trap_8_silence_on_a_renewal_in_time_renews() -> None:
    """行政许可法 art. 50: an event that nobody asks for."""
    last_day = date(2026, 4, 30)
    licence = replace(licence_collected, valid_to=last_day)
    renew = replace(submit_application, renews=LICENCE_ID)
    filing = given(item_published, party_registered, licence).when(renew, calendar=CALENDAR).decided()
    story = given(*filing, application_accepted)
    story.when(deem_renewed, by=SYSTEM, now=office(last_day, 23)).then_nothing()
    [renewed] = story.when(deem_renewed, by=SYSTEM, now=office(last_day + timedelta(days=1), 0)).decided()
    assert isinstance(renewed, ApprovalDeemedGranted)
    assert given(*story.events, renewed).states()["case"].granted


def test_trap_9_a_case_keeps_the_version_it_was_filed_under() -> None:
    """A new version must not change open cases."""
    second = replace(
        item_published,
        item_version=2,
        definition={**DEFINITION, "promisedTimeLimit": {"value": 3, "unit": "WORKING_DAY", "source": "sample"}},
    )
    filing = given(item_published, party_registered).when(submit_application).decided()
    story = given(item_published, party_registered, *filing, second)
    [accepted] = story.when(accept_application, by=ACCEPTOR).decided()
    assert {clock.name: clock.limit.value for clock in accepted.clocks}["PROMISED"] == 10
    after = given(*story.events, accepted).states()["case"]
    assert CASE.rules(after).item == ItemVersion(ITEM, 1)
    newer, *_ = story.when(submit_application).decided()
    assert newer.item_version == 2


def test_trap_10_a_deadline_across_the_year_end_is_provisional_until_the_new_calendar_is_there() -> None:
    """The calendar of a year appears in November of the year before; an event moves what it moves."""
    this_year = sample_calendars()[0]
    known = calendar_of(1, {2025: Year(frozenset(this_year.off), frozenset(this_year.worked))})
    story = given(office("2025-12-29"), application_submitted, received(date(2025, 12, 29), known))
    story = then(story, "2025-12-30", accept_application, ACCEPTOR, calendar=known)
    promised = clocks(story)["PROMISED"]
    assert (promised.due, promised.provisional, promised.calendar) == (date(2026, 1, 13), True, "1")
    story = then(story, "2025-12-31", recompute_deadlines, SYSTEM)
    moved = clocks(story)["PROMISED"]
    assert (moved.due, moved.provisional, moved.calendar) == (date(2026, 1, 14), False, "2")
    assert due_of(explain(promised, known)) == promised.due
    assert due_of(explain(moved, CALENDAR)) == moved.due


@pytest.mark.parametrize("means", [Means.COUNTER, Means.COURIER])
def test_all_of_it_from_the_first_day_to_the_last(means: Means) -> None:
    """One straight story over the spring festival and back, so that the traps above stand in one life of a case."""
    application, _ = filed(delivery=means)
    story = given(office("2026-02-09"), application, received(date(2026, 2, 9), CALENDAR))
    story = then(story, "2026-02-12", accept_application, ACCEPTOR)
    assert clocks(story)["PROMISED"].due == date(2026, 3, 4)
    story = then(story, "2026-02-28", extend_deadline, HEAD)
    assert clocks(story)["PROMISED"].due == date(2026, 3, 18)
    story = given(*story.events, office("2026-03-02"), *ALL_PASSED)
    story = then(story, "2026-03-03", grant_approval, DECIDER)
    issued = story.when(
        issue_licence, by=DECIDER, now=office("2026-03-04"), calendar=CALENDAR, validity_years=5
    ).decided()
    assert [type(event) for event in issued] == [LicenceIssued]
    story = given(*story.events, office("2026-03-04"), *issued)
    story = then(story, "2026-03-10", replace(confirm_delivery, means=means), DECIDER)
    delivered = next(event for event in story.events if isinstance(event, LicenceDelivered))
    assert delivered.clocks[0].stopped == date(2026, 3, 10)
