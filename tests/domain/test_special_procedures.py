"""特别程序: only what the law names stops the clock, told in writing, and never twice at once in one branch."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.calendars import CALENDAR
from tests.examples import (
    ACCEPTED,
    BRANCHES,
    CASE_ID,
    DECIDER,
    FILED,
    GRANTED,
    INSPECTORS,
    accept_application,
    application_accepted,
    application_withdrawn,
    deny_approval,
    end_special_procedure,
    filed,
    grant_approval,
    inspection_done,
    opinion_recorded,
    received,
    record_opinion,
    reviewer,
    special_procedure_ended,
    special_procedure_started,
    start_special_procedure,
)
from tests.given import START, Given, given, office
from tongban.domain.case.commands import EndSpecialProcedure
from tongban.domain.case.events import CaseClosed, Procedure, Result
from tongban.domain.case.refusals import (
    AlreadyDecided,
    BranchDone,
    CaseClosedAlready,
    NoProcedureRunning,
    NotABranch,
    NotAccepted,
    NotASpecialProcedure,
    NoticeRequired,
    ProcedureRunning,
    ProceduresOverlap,
    TwoInspectors,
)
from tongban.domain.case.state import holders
from tongban.domain.clock import Clock
from tongban.domain.errors import EffectiveTimeBeforeCause
from tongban.domain.rules import ART_45

BY = reviewer("tax")
FILED_IN_APRIL = given(office("2026-04-20", 9), FILED[0], received(date(2026, 4, 20), CALENDAR))
RUNNING = (*ACCEPTED, special_procedure_started)
WHOLE = replace(special_procedure_started, branch=None)


def clock(world: Given, name: str = "LEGAL") -> Clock:
    found: Clock = world.states()["case"].clocks[name]
    return found


def on(world: Given, day: str, command: Any, **more: Any) -> Given:
    """The world after a command of a day."""
    moment = office(day)
    decided = world.when(command, by=DECIDER, now=moment, calendar=CALENDAR, **more).decided()
    return given(*world.events, moment, *(event for each in decided for event in (moment, each)))


def test_a_procedure_stops_both_clocks_for_the_time_that_was_told() -> None:
    given(*ACCEPTED).when(start_special_procedure, by=BY).then(special_procedure_started)
    stopped = clock(given(*RUNNING))
    assert stopped.due == date(2026, 4, 3)  # 30 March, and four of the five days: the day of acceptance never counts
    assert stopped.provisional


def test_when_it_ends_the_clock_runs_again_on_that_day() -> None:
    given(*RUNNING).when(end_special_procedure, by=BY, now=office("2026-03-05")).then(special_procedure_ended)
    resumed = clock(given(*RUNNING, office("2026-03-05"), special_procedure_ended))
    assert resumed.due == date(2026, 4, 1)  # 30 March, and 3 and 4 March


def test_the_example_of_the_counting_rules() -> None:
    """Accepted on Monday 20 April 2026, promised in 10 working days, stopped from 24 April until 12 May."""
    world = on(FILED_IN_APRIL, "2026-04-20", accept_application)
    assert clock(world, "PROMISED").due == date(2026, 5, 7)
    world = on(world, "2026-04-24", replace(start_special_procedure, working_days=20))
    world = on(world, "2026-05-12", end_special_procedure)
    assert clock(world, "PROMISED").due == date(2026, 5, 20)


@pytest.mark.parametrize("kind", sorted(ART_45))
def test_every_kind_of_the_law_stops_the_clock(kind: str) -> None:
    command = replace(
        start_special_procedure,
        kind=Procedure(kind),
        inspectors=INSPECTORS,
        chair="officer-chair",
        held_on=date(2026, 3, 20),
    )
    [begun] = given(*ACCEPTED).when(command, by=BY).decided()
    assert begun.kind == kind
    assert (begun.chair, begun.held_on) == (("officer-chair", date(2026, 3, 20)) if kind == "HEARING" else (None, None))


def test_an_announcement_stops_it_where_the_items_own_law_says_so() -> None:
    announcement = replace(start_special_procedure, kind=Procedure.PUBLIC_ANNOUNCEMENT)
    given(*ACCEPTED).when(announcement, by=BY).then_refuses(NotASpecialProcedure, kind="PUBLIC_ANNOUNCEMENT")
    real_estate = (*filed(terms={"procedures": ["PUBLIC_ANNOUNCEMENT"]}), application_accepted)
    assert given(*real_estate).when(announcement, by=BY).decided()


def test_an_on_site_check_stops_nothing() -> None:
    assert given(*ACCEPTED, inspection_done).states()["case"].clocks == given(*ACCEPTED).states()["case"].clocks
    assert "INSPECTION" not in {kind.value for kind in Procedure}


@pytest.mark.parametrize(("notice", "days"), [("", 5), (" \n", 5), ("words", 0), ("words", -1), ("words", 251)])
def test_without_the_time_told_in_writing_time_counts(notice: str, days: int) -> None:
    command = replace(start_special_procedure, notice=notice, working_days=days)
    given(*ACCEPTED).when(command, by=BY).then_refuses(NoticeRequired)


def test_a_test_by_the_office_takes_two() -> None:
    alone = replace(start_special_procedure, kind=Procedure.INSPECTION_TEST, inspectors=("officer-a", "officer-a"))
    given(*ACCEPTED).when(alone, by=BY).then_refuses(TwoInspectors)
    for nobody in ("", " ", "officer-a ", "\u200b"):
        with_nobody = replace(alone, inspectors=("officer-a", nobody))
        given(*ACCEPTED).when(with_nobody, by=BY).then_refuses(TwoInspectors, inspectors=("officer-a",))


def test_it_is_of_a_branch_that_still_has_to_speak_or_of_the_whole_case() -> None:
    given(*ACCEPTED).when(replace(start_special_procedure, branch="fire"), by=BY).then_refuses(NotABranch)
    given(*ACCEPTED, opinion_recorded("tax")).when(start_special_procedure, by=BY).then_refuses(BranchDone)
    [begun] = given(*ACCEPTED).when(replace(start_special_procedure, branch=None), by=DECIDER).decided()
    assert begun == WHOLE


@pytest.mark.parametrize("running", [special_procedure_started, WHOLE])
@pytest.mark.parametrize("branch", ["tax", None])
def test_procedures_of_one_branch_do_not_overlap(running: object, branch: str | None) -> None:
    again = replace(start_special_procedure, branch=branch)
    given(*ACCEPTED, running).when(again, by=BY).then_refuses(ProcedureRunning)


def test_a_late_entry_does_not_make_them_overlap_either() -> None:
    over = given(*RUNNING, office("2026-03-05"), special_procedure_ended)
    between = over.when(start_special_procedure, by=BY, at=office("2026-03-04"), now=office("2026-03-09"))
    between.then_refuses(ProceduresOverlap, until=date(2026, 3, 5))
    after = over.when(start_special_procedure, by=BY, at=office("2026-03-05"), now=office("2026-03-09"))
    assert after.decided()


def test_branches_are_stopped_side_by_side_and_every_day_is_left_out_once() -> None:
    world = FILED_IN_APRIL
    world = on(world, "2026-04-20", accept_application)
    world = on(world, "2026-04-22", replace(start_special_procedure, branch="tax", working_days=3))
    world = on(world, "2026-04-23", replace(start_special_procedure, branch="housing", working_days=10))
    world = on(world, "2026-04-27", EndSpecialProcedure(CASE_ID, "tax"))
    assert clock(world, "PROMISED").provisional
    world = on(world, "2026-04-29", EndSpecialProcedure(CASE_ID, "housing"))
    [pause] = clock(world, "PROMISED").pauses
    assert (pause.start, pause.end) == (date(2026, 4, 22), date(2026, 4, 29))
    # 21 April is the first day that counts; 29 and 30 April, 6 to 9 (a worked Saturday), 11 to 13 May follow.
    assert clock(world, "PROMISED").due == date(2026, 5, 13)


def test_one_that_begins_and_ends_on_a_day_leaves_nothing_out() -> None:
    same_day = given(*RUNNING).when(end_special_procedure, by=BY).decided()
    assert clock(given(*RUNNING, *same_day)).due == date(2026, 3, 30)


def test_only_what_runs_ends() -> None:
    given(*ACCEPTED).when(end_special_procedure, by=BY).then_refuses(NoProcedureRunning, branch="tax")
    given(*ACCEPTED, WHOLE).when(end_special_procedure, by=BY).then_refuses(NoProcedureRunning)
    ended = (*RUNNING, special_procedure_ended)
    given(*ended).when(end_special_procedure, by=BY).then_refuses(NoProcedureRunning)


def test_it_does_not_end_before_it_began() -> None:
    begun = (*ACCEPTED, office("2026-03-04"), replace(special_procedure_started, on=date(2026, 3, 4)))
    given(*begun).when(end_special_procedure, by=BY, at=office("2026-03-03"), now=office("2026-03-09")).then_refuses(
        EffectiveTimeBeforeCause, not_before=date(2026, 3, 4)
    )


@pytest.mark.parametrize("command", [start_special_procedure, end_special_procedure])
def test_nothing_stops_or_runs_again_after_the_end(command: object) -> None:
    over = (*RUNNING, application_withdrawn, CaseClosed(Result.WITHDRAWN))
    given(*over).when(command, by=BY).then_refuses(CaseClosedAlready)


def test_a_procedure_is_started_in_review_only() -> None:
    given(*FILED).when(start_special_procedure, by=BY).then_refuses(NotAccepted)
    given(*GRANTED).when(start_special_procedure, by=BY).then_refuses(AlreadyDecided)
    given(*ACCEPTED).when(start_special_procedure, by=BY, at=START).then_refuses(EffectiveTimeBeforeCause)


def test_a_branch_that_is_stopped_does_not_speak_and_the_others_do() -> None:
    given(*RUNNING).when(record_opinion, by=BY).then_refuses(ProcedureRunning, branch="tax")
    housing = replace(record_opinion, branch="housing")
    assert given(*RUNNING).when(housing, by=reviewer("housing")).decided()
    given(*ACCEPTED, WHOLE).when(housing, by=reviewer("housing")).then_refuses(ProcedureRunning)


@pytest.mark.parametrize("command", [grant_approval, deny_approval])
def test_nothing_is_decided_meanwhile(command: object) -> None:
    spoken = (opinion_recorded("housing"), opinion_recorded("nr"))
    given(*RUNNING, *spoken).when(command, by=DECIDER).then_refuses(ProcedureRunning, branch="tax")


def test_who_holds_a_stopped_branch() -> None:
    tax = holders(given(*RUNNING).states()["case"])
    assert tax == {"housing": "dept:housing", "tax": "suspended:EXPERT_REVIEW", "nr": "dept:nr"}
    whole = holders(given(*ACCEPTED, WHOLE).states()["case"])
    assert whole == dict.fromkeys(BRANCHES, "suspended:EXPERT_REVIEW")
