"""Every event of a case, one by one: which columns of its row change, and to what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests import examples as x
from tests.calendars import CALENDAR
from tongban.domain.actor import Actor, Role
from tongban.domain.case import events as e
from tongban.domain.case.branch_due import branch_clock
from tongban.domain.case.state import Suspension
from tongban.domain.clock import Clock, Extension, Limit, Unit, extend_clock, pause_clock, start_clock, stop_clock
from tongban.domain.explanation import explain
from tongban.domain.lights import working_days_given
from tongban.domain.recorded import Recorded
from tongban.domain.registry import EVENT_NAMES
from tongban.graphql.titles import TITLES
from tongban.projections.cases import CASES, CaseRow, clock_worked_against, fold
from tongban.projections.ledgers import clock_as_json, clock_from_json, days_given
from tongban.projections.queue import queue_rows
from tongban.projections.timeline import TIMELINE

AT = x.EFFECTIVE_AT
STEP, CAME = {"applicant_steps": 2}, {"visits": ["2026-03-02"]}
CONTRACT = {"materials": {"sale-contract": "sha256:2f"}}

# What changes in the row of an accepted case; clocks are told by name, materials by their reference, of `work` what is
# different. `None`: the event begins a case.
CHANGES: Mapping[str, dict[str, Any] | None] = {
    "ApplicationSubmitted": None,
    "MaterialsReceived": {"status": "RECEIVED", "clocks": {"CORRECTION"}},
    "PreCheckPassed": {"work": {"pre_checked": True}},
    "PreCheckReturned": {},
    "ErrorCorrectedOnSpot": CONTRACT | STEP | CAME,
    "DefectsNoted": {"work": {"noted": ("sale-contract",)}},
    "CorrectionRequested": {
        "status": "CORRECTING",
        "asked": ("sale-contract",),
        "clocks": {"APPLICANT_CORRECTION"},
        "work": {"asked_before": ["sale-contract"], "corrections": 1},
    },
    "CorrectionSubmitted": CONTRACT | STEP | CAME | {"clocks": {"APPLICANT_CORRECTION", "CORRECTION"}},
    "MaterialExempted": {"materials": {"id-card": "psb:id-card:7"}},
    "ExemptionFailed": {"work": {"failed_sources": ["id-card"]}},
    "MaterialSupplemented": CONTRACT | STEP | CAME | {"clocks": {"TOLERATED"}},
    "ApplicationAccepted": {},
    "CaseDeemedAccepted": {"clocks": {"CORRECTION"}},
    "AcceptanceRefused": {"status": "ENDING", "result": "NOT_ACCEPTED"},
    "CaseClaimed": {"claims": {"tax": "officer-tax"}},
    "CaseReleased": {},
    "CaseReassigned": {"claims": {"tax": "officer-tax-2"}},
    "OpinionRecorded": {"status": "REVIEWING", "branches": {"tax": "FAIL"}, "work": {"reviewers": ["officer-tax"]}},
    "ConsultRequested": {"status": "REVIEWING", "work": {"consults": {"fire": False}}},
    "ConsultAnswered": {"work": {"consults": {"fire": True}}},
    "InspectionScheduled": {"status": "REVIEWING"},
    "InspectionDone": {"status": "REVIEWING", "work": {"inspections": {"housing": "PASS", "nr": "PASS"}}},
    "SpecialProcedureStarted": {
        "status": "REVIEWING",
        "suspensions": [
            {
                "branch": "tax",
                "kind": "EXPERT_REVIEW",
                "start": "2026-03-02",
                "end": None,
                "declared": 5,
                "held_on": None,
            },
        ],
        "clocks": {"LEGAL", "PROMISED"},
    },
    "SpecialProcedureEnded": {"clocks": {"LEGAL", "PROMISED"}},
    "HearingOffered": {"clocks": {"HEARING_REQUEST"}},
    "HearingRequested": STEP | CAME | {"clocks": {"HEARING_REQUEST", "HEARING"}},
    "DeadlineExtended": {"clocks": {"LEGAL", "PROMISED"}},
    "DeadlinesRecomputed": {},
    "FeeRequested": {"fee": "ASKED", "fee_amount": "80.00", "fee_currency": "CNY"},
    "FeePaid": STEP | {"fee": "PAID"},
    "FeeRefunded": {"fee": "REFUNDED"},
    "CommitmentOffered": {},
    "CommitmentSigned": STEP | CAME | {"committed": True},
    "CommitmentWithdrawn": {},
    "GateOpened": {},
    "ApprovalGranted": {"status": "GRANTED", "decided_at": AT, "clocks": {"LEGAL", "PROMISED", "DELIVERY"}},
    "ApprovalDeemedGranted": {"status": "GRANTED", "decided_at": AT, "clocks": {"LEGAL", "PROMISED", "DELIVERY"}},
    "ApprovalDenied": {"status": "DENIED", "decided_at": AT, "clocks": {"LEGAL", "PROMISED"}},
    "LicenceIssued": {"status": "ISSUING", "licence_id": x.LICENCE_ID},
    "LicenceDelivered": {"clocks": {"DELIVERY"}},
    "ApplicationWithdrawn": {"status": "ENDING", "result": "WITHDRAWN"},
    "CaseLapsed": {"status": "ENDING", "result": "LAPSED"},
    "ConditionFailed": {"status": "ENDING", "result": "NOT_STARTED"},
    "CaseClosed": {"status": "CLOSED", "closed_at": AT, "result": "GRANTED"},
    "CaseArchived": {"status": "ARCHIVED"},
}


def _recorded(event: Any, **envelope: Any) -> Recorded:
    return Recorded(1, x.envelope(event, **envelope), event, ())


def _row(*events: Any) -> CaseRow:
    row: CaseRow | None = None
    for event in events:
        row = fold(row, _recorded(event))
    assert row is not None
    return row


ACCEPTED = (x.application_submitted, x.materials_received, x.application_accepted)


def _changed(before: CaseRow, after: CaseRow) -> dict[str, Any]:
    found = {
        name: value
        for name, value in after._asdict().items()
        if value != getattr(before, name) and name not in {"version", "position", "holders"}
    }
    if "clocks" in found:
        found["clocks"] = {name for name, clock in found["clocks"].items() if before.clocks.get(name) != clock}
    if "materials" in found:
        materials = found["materials"].items()
        found["materials"] = {name: met["ref"] for name, met in materials if before.materials.get(name) != met}
    if "work" in found:
        found["work"] = {name: value for name, value in found["work"].items() if before.work[name] != value}
    if "branches" in found:
        found["branches"] = {b["department"]: b["opinion"] for b in found["branches"] if b["opinion"]}
    return found


def test_every_event_of_a_case_has_its_line() -> None:
    assert CHANGES.keys() == {event.__name__ for event in CASES.events}


@pytest.mark.parametrize("name", [name for name, changes in CHANGES.items() if changes is not None])
def test_event_changes_these_columns_and_no_others(name: str) -> None:
    before = _row(*ACCEPTED)
    event = x.EVENTS[f"case.{name}"]
    assert _changed(before, fold(before, _recorded(event))) == CHANGES[name]


def test_filing_begins_the_row() -> None:
    gates = (e.Gate("food", e.Step.DECIDE), e.Gate("sign", e.Step.ISSUE))
    filed = replace(x.application_submitted, gates=gates, bundle=x.BUNDLE_ID, renews_until=date(2026, 5, 1))
    row = _row(filed)
    assert (row.status, row.bundle, row.renews_until, row.clocks) == ("SUBMITTED", x.BUNDLE_ID, date(2026, 5, 1), {})
    assert row.work["gates"] == [{"name": "food", "holds": "DECIDE"}, {"name": "sign", "holds": "ISSUE"}]
    assert fold(row, _recorded(e.GateOpened("food"))).work["gates"] == [{"name": "sign", "holds": "ISSUE"}]


def test_only_who_comes_to_a_counter_has_come() -> None:
    citizen = Actor(str(x.PERSON_ID), Role.CITIZEN)
    for channel, days in (("WEB", ()), ("POST", ()), ("COUNTER", ["2026-03-02"]), ("KIOSK", ["2026-03-02"])):
        row = fold(None, _recorded(replace(x.application_submitted, channel=e.Channel(channel)), actor=citizen))
        assert (row.visits, row.applicant_steps) == (days, 1)
        # A second act on the same day is no second visit; one made online is none.
        assert fold(row, _recorded(x.EVENTS["case.CorrectionSubmitted"])).visits == ["2026-03-02"]
        online = fold(row, _recorded(x.EVENTS["case.CorrectionSubmitted"], actor=citizen))
        assert (online.visits, online.applicant_steps) == (days, 2)
    for means, days in (("COUNTER", ["2026-03-02"]), ("COURIER", ()), ("ONLINE", ())):
        row = fold(None, _recorded(replace(x.application_submitted, channel=e.Channel.WEB), actor=citizen))
        assert fold(row, _recorded(e.LicenceDelivered(e.Means(means)))).visits == days


def test_row_of_an_older_release_is_folded_on() -> None:
    row = _row(*ACCEPTED)._replace(work={})
    assert fold(row, _recorded(x.EVENTS["case.PreCheckPassed"])).work["pre_checked"] is True


def test_queue_is_worked_against_the_clock_that_runs() -> None:
    received = _row(*ACCEPTED[:2])
    assert (clock_worked_against(received) or {})["name"] == "CORRECTION"
    accepted = _row(*ACCEPTED)
    assert (clock_worked_against(accepted) or {})["name"] == "PROMISED"
    granted = fold(accepted, _recorded(x.approval_granted, holders={"main": "dept:nr"}))
    (place,) = queue_rows(granted)
    assert (place.state, place.clock, place.days) == ("GRANTED", "DELIVERY", 10)
    claimed = fold(granted, _recorded(e.CaseClaimed("main", "officer-7"), holders={"main": "dept:nr"}))
    assert [place.claimed_by for place in queue_rows(claimed)] == ["officer-7"]
    closed = fold(granted, _recorded(e.LicenceDelivered(e.Means.ONLINE, x.stopped(x.delivery_clock))))
    assert clock_worked_against(closed) is None


def _clocks() -> list[Clock]:
    plain = start_clock("PROMISED", "法 art. 1", date(2026, 4, 20), Limit(10, Unit.WORKING_DAY), CALENDAR)
    paused = pause_clock(plain, "HEARING", date(2026, 4, 24), 5, CALENDAR)
    longer = extend_clock(paused, Extension(Limit(1, Unit.MONTH), "b"), CALENDAR)
    return [plain, paused, longer, stop_clock(longer, date(2026, 5, 1)), replace(plain, calendar=None)]


@pytest.mark.parametrize("clock", _clocks())
def test_clock_is_read_as_it_was_written(clock: Clock) -> None:
    assert clock_from_json(clock_as_json(clock)) == clock
    assert days_given(clock_as_json(clock)) == working_days_given(clock)
    assert explain(clock, CALENDAR)[-1].last == clock.due


def test_branch_is_stretched_by_its_own_and_by_whole_case_pauses_only() -> None:
    clock = start_clock("PROMISED", "", date(2026, 4, 20), Limit(10, Unit.WORKING_DAY), CALENDAR)
    fire = Suspension("fire", e.Procedure.APPRAISAL, date(2026, 4, 24), date(2026, 5, 12), 10)
    whole = Suspension(None, e.Procedure.HEARING, date(2026, 4, 22), date(2026, 4, 23), 1)
    due = {
        (branch, suspensions): branch_clock(clock, branch, suspensions, CALENDAR).due
        for branch in ("samr", "fire")
        for suspensions in ((), (fire,), (fire, whole))
    }
    assert {due[each, ()] for each in ("samr", "fire")} == {date(2026, 5, 7)}
    assert due["samr", (fire,)] == date(2026, 5, 7)
    assert due["fire", (fire,)] == date(2026, 5, 20)
    assert due["samr", (fire, whole)] == date(2026, 5, 8)
    assert due["fire", (fire, whole)] == date(2026, 5, 21)
    assert branch_clock(stop_clock(clock, date(2026, 5, 1)), "fire", (fire,), CALENDAR).stopped == date(2026, 5, 1)


def test_every_event_of_a_timeline_has_a_title_in_both_languages() -> None:
    assert TITLES.keys() == {EVENT_NAMES[event] for event in TIMELINE.events}
    assert len({chinese for chinese, _ in TITLES.values()}) == len(TITLES)
    assert all(chinese and english.isascii() for chinese, english in TITLES.values())
