"""A case that is made again from its row is the case that decisions see."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from psycopg import sql

from tests.calendars import CALENDAR as SAMPLE
from tests.lives import MONDAY, Life, Town, entry, staff
from tests.projections.conftest import ReadTables
from tongban.commands import advice
from tongban.commands.advice import allowed_commands
from tongban.commands.handlers import HANDLERS
from tongban.domain.actor import Actor, Role
from tongban.domain.calendar.state import CALENDAR
from tongban.domain.case import commands as c
from tongban.domain.case import events as e
from tongban.domain.case.state import Case, holders
from tongban.domain.clock import Light
from tongban.domain.errors import DomainError
from tongban.domain.ids import calendar_stream
from tongban.domain.lights import Thresholds, first_green_days
from tongban.domain.office_time import office_day
from tongban.domain.rating.commands import RateCase
from tongban.projections.cases import CASES, CaseRow, case_by_id, fold
from tongban.projections.queue import Lights, Order, Wanted, queue_of
from tongban.projections.registry import PROJECTIONS
from tongban.projections.standing import standing_of
from tongban.projections.timeline import applications_of

# What only the order of late entries needs, or how often a right was used that is not asked for again.
_LEFT_OUT = {"received_at", "latest", "corrections_in_review", "scheduled", "calendar", "noted"}
_BRANCHES = ("samr", "fire", "greening")
_PROCEDURES = (e.Procedure.EXPERT_REVIEW, e.Procedure.APPRAISAL, e.Procedure.HEARING)


# How often these are passed over, so that lives come to their ends, and to different ones.
_SELDOM: Mapping[type, float] = {
    c.WithdrawApplication: 0.97,
    c.RefuseAcceptance: 0.95,
    c.DenyApproval: 0.7,
    c.ExtendDeadline: 0.8,
    c.StartSpecialProcedure: 0.8,
    c.OfferHearing: 0.9,
    c.RequestConsult: 0.8,
    c.RequestCorrection: 0.9,
    c.ReturnPreCheck: 0.8,
    c.CorrectOnSpot: 0.8,
    c.ClaimCase: 0.7,
    c.ReassignCase: 0.9,
    c.WithdrawCommitment: 0.9,
}


def town(**changes: Any) -> Town:
    """A town with one item that has everything a case can meet."""
    made = Town()
    made.import_calendars()
    branches = {"departments": list(_BRANCHES)}
    fee = {"charged": True, "amount": "80.00", "currency": "CNY", "basis": "样例"}
    materials = [
        {**material, "necessity": "TOLERABLE"} if material["materialId"] == "equipment" else material
        for material in entry("food-licence")["materials"]
    ]
    made.publish(entry("food-licence", reviewBranches=branches, fee=fee, materials=materials, **changes))
    return made


def _people(life: Life) -> list[Actor]:
    officers = [staff(department, role) for department in _BRANCHES for role in (Role.REVIEWER, Role.HEAD)]
    lead = [staff(life.lead, role) for role in (Role.CLERK, Role.ACCEPTOR, Role.DECIDER, Role.INSPECTOR)]
    consulted = [staff("tax", Role.REVIEWER), staff("housing", Role.REVIEWER)]
    return [*officers, *lead, *consulted, life.applicant]


def _variants(chance: random.Random, life: Life, actor: Actor, command: Any) -> Any:
    """The command as another officer might have given it."""
    match command:
        case c.StartSpecialProcedure():
            days = chance.randint(1, 9)
            return c.StartSpecialProcedure(
                life.id, command.branch, chance.choice(_PROCEDURES), days, "告知", chair="other-chair",
                held_on=office_day(life.at) + timedelta(days=20),
            )  # fmt: skip
        case c.RecordOpinion() if chance.random() < 0.2:
            return c.RecordOpinion(life.id, command.branch, e.Opinion.FAIL)
        case c.RecordInspection():
            result = e.Opinion.FAIL if chance.random() < 0.3 else e.Opinion.PASS
            return c.RecordInspection(life.id, command.branches, ("a", "b"), result)
        case c.ScheduleInspection():
            return c.ScheduleInspection(life.id, command.branches, ("a", "b"), command.day)
        case c.RequestConsult():
            return c.RequestConsult(life.id, chance.choice(("tax", "housing")), "?")
        case _:
            return command


def walk(seed: int, made: Town | None = None, steps: int = 120) -> Iterator[Life]:
    """A case at random, by commands that are allowed; given out after each step."""
    chance = random.Random(seed)
    made = made or town()
    channel = chance.choice((e.Channel.WEB, e.Channel.COUNTER, e.Channel.POST))
    without = [m for m in ("premises", "equipment", "health-cert") if chance.random() < 0.3]
    shop = made.register("店")
    delivery = chance.choice((e.Means.ONLINE, e.Means.COURIER))
    life = made.file("food-licence", shop, channel=channel, without=without, delivery=delivery, district="310101")
    life.at = MONDAY + timedelta(minutes=5)
    yield life
    for _ in range(steps):
        actor = chance.choice(_people(life))
        samples = advice._SAMPLES
        at = advice.At(life.case, life.id, actor, office_day(life.at))
        commands = [
            command
            for body, make in samples.items()
            if body is not RateCase and actor.role in HANDLERS[body.__name__].roles
            if chance.random() > _SELDOM.get(body, 0.0)
            for command in make(at)
        ]
        if not commands:
            continue
        command = _variants(chance, life, actor, chance.choice(commands))
        evidence = advice._as_obtained(command) if chance.random() < 0.8 else ()
        try:
            made.give(command, life.id, actor, life.at, evidence=evidence)
        except DomainError:
            continue
        life.at += timedelta(hours=chance.choice((0, 0, 1, 5, 24)))
        yield life


def _row(life: Life) -> CaseRow:
    """The row of a case, as it would be read back from the table."""
    row: CaseRow | None = None
    for recorded in life.events:
        row = fold(row, recorded)
    assert row is not None
    values = row._asdict()
    for name in ("branches", "holders", "materials", "claims", "suspensions", "clocks", "work"):
        values[name] = orjson.loads(orjson.dumps(values[name]))
    return CaseRow(**values)


def _filing(life: Life) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(orjson.dumps(life.events[0].event, default=lambda _: None))
    return data


def _compared(case: Case) -> dict[str, Any]:
    return {name: value for name, value in case._asdict().items() if name not in _LEFT_OUT}


@pytest.mark.parametrize("seed", range(25))
def test_case_made_again_from_its_row_is_the_case_itself(seed: int) -> None:
    """At every step of a random life: state, holders, and what everybody may do next."""
    seen: set[str] = set()
    for life in walk(seed):
        row, filing = _row(life), _filing(life)
        again = standing_of(row, filing)
        live = life.case
        if live.status not in ("CLOSED", "ARCHIVED"):
            assert _compared(again) == _compared(live), seed
            assert dict(holders(again)) == dict(holders(live))
        assert {branch: entry["holder"] for branch, entry in row.holders.items()} == dict(holders(live))
        calendar = life.town.other(calendar_stream(), CALENDAR)
        for actor in _people(life):
            told = [allowed_commands(each, life.id, actor, life.at, calendar) for each in (again, live)]
            assert told[0] == told[1]
            seen.update(told[0])
    assert {"ClaimCase"} < seen


def test_random_lives_meet_every_kind_of_event_that_people_cause() -> None:
    met = {recorded.event.__class__ for seed in range(80) for life in _ends(seed) for recorded in life.events}
    by_policies = {e.DefectsNoted, e.GateOpened, e.CaseDeemedAccepted, e.ApprovalDeemedGranted, e.DeadlinesRecomputed}
    by_policies |= {e.CaseLapsed, e.ConditionFailed, e.ExemptionFailed}
    assert set(CASES.events) - met - by_policies == set()


def _ends(seed: int) -> Iterator[Life]:
    *_, life = walk(seed, steps=250)
    yield life


def test_row_and_filing_are_read_back_from_the_tables(tables: ReadTables) -> None:
    for seed in (1, 2, 3):
        made = town()
        *_, life = walk(seed, made)
        tables.conn.execute("TRUNCATE " + ", ".join(f"read.{p.name}" for p in PROJECTIONS))
        tables.apply(made.story.events)
        with tables.selecting() as cursor:
            row = case_by_id(cursor, life.id)
            filing = applications_of(cursor, [life.id])[life.id].data
        assert row is not None
        assert _as_lists(row) == _as_lists(_row(life))
        assert _compared(standing_of(row, filing)) == _compared(standing_of(_row(life), _filing(life)))


def test_lives_give_the_same_rows_whatever_the_batch_borders(tables: ReadTables) -> None:
    made = town()
    for seed in range(12):
        *_, _last = walk(seed, made)
    events = made.story.events
    tables.apply(events)
    whole = tables.texts()
    assert whole["department_queue"]
    for size in (1, 7, 40):
        tables.conn.execute("TRUNCATE " + ", ".join(f"read.{p.name}" for p in PROJECTIONS))
        tables.apply_in(events[start : start + size] for start in range(0, len(events), size))
        assert tables.texts() == whole


def test_queue_by_deadline_is_read_from_its_index(tables: ReadTables) -> None:
    tables.conn.execute(
        "INSERT INTO read.department_queue SELECT 'samr', gen_random_uuid(), now() - i * interval '1 minute', '{main}',"
        " 1, i, 'REVIEWING', 'PROMISED', DATE '2026-03-02' + i % 400, 10 FROM generate_series(1, 20000) i"
    )
    tables.conn.execute("ANALYZE read.department_queue")
    today = date(2026, 6, 1)
    lights = Lights(today, first_green_days(today, SAMPLE), Thresholds())
    for light, most in ((None, 60), (Light.RED, 60), (Light.YELLOW, 500), (Light.GREEN, 500)):
        wanted = Wanted(light=light)
        with tables.selecting() as cursor:
            page = queue_of(cursor, "samr", first=50, order=Order.DUE, wanted=wanted, lights=lights)
            assert len(page.rows) == 50
            explaining = _Explaining(cursor)
            queue_of(explaining, "samr", first=50, order=Order.DUE, wanted=wanted, lights=lights)  # type: ignore[arg-type]
        (scan,) = explaining.plan["Plan"]["Plans"]
        assert scan["Index Name"] == "department_queue_due", light
        assert scan.get("Rows Removed by Filter", 0) < most, light


class _Explaining:
    """A cursor that keeps the plan of what is asked, and finds nothing."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.plan: Any = None

    def execute(self, query: sql.Composed, parameters: Any) -> None:
        self.cursor.execute(sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) ") + query, parameters)
        ((self.plan,),) = self.cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return []


def _as_lists(row: CaseRow) -> list[Any]:
    return [list(value) if isinstance(value, tuple) else value for value in row]
