"""Deadlines: when something is due, how near that is, and step by step why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import Enum

import strawberry

from tongban.domain import clock as clocks
from tongban.domain import explanation as steps
from tongban.domain.calendar.state import Calendar
from tongban.domain.clock import Clock
from tongban.domain.lights import Standing, standing
from tongban.graphql.context import Info, Lang, enum_value
from tongban.graphql.terms import Language, TimeLimit, TimeUnit
from tongban.projections.bundles import BundleRow
from tongban.projections.cases import CaseRow
from tongban.projections.ledgers import clock_from_json

_NAMES = {
    "CORRECTION": ("补正告知期限", "notice of corrections"),
    "APPLICANT_CORRECTION": ("申请人补正期限", "corrections by the applicant"),
    "TOLERATED": ("容缺后补期限", "materials to follow"),
    "LEGAL": ("法定办结时限", "statutory limit"),
    "PROMISED": ("承诺办结时限", "promised limit"),
    "DELIVERY": ("颁发、送达期限", "issue and delivery"),
    "HEARING_REQUEST": ("申请听证期限", "request for a hearing"),
    "HEARING": ("组织听证期限", "hearing to be held"),
    "RENEWAL": ("延续期限", "renewal"),
    "COMMITMENT_CHECK": ("承诺核查期限", "check of the commitment"),
    "JOINT": ("联合办理期限", "joint handling"),
    "TASK": ("联合环节期限", "shared task"),
    "NOTICE": ("合并补正告知期限", "the one notice of corrections"),
}
_UNITS = {
    clocks.Unit.WORKING_DAY: ("个工作日", "working days"),
    clocks.Unit.CALENDAR_DAY: ("日", "days"),
    clocks.Unit.MONTH: ("个月", "months"),
}
_KINDS = {
    "HEARING": ("听证", "hearing"),
    "TENDER": ("招标", "tender"),
    "AUCTION": ("拍卖", "auction"),
    "INSPECTION_TEST": ("检验、检测", "inspection and testing"),
    "QUARANTINE": ("检疫", "quarantine"),
    "APPRAISAL": ("鉴定", "appraisal"),
    "EXPERT_REVIEW": ("专家评审", "expert review"),
    "PUBLIC_ANNOUNCEMENT": ("公告", "public announcement"),
}


@strawberry.enum(description="The light of a deadline (监察): how near it is.")
class Light(Enum):
    """The lights of the domain."""

    GREEN = enum_value("GREEN", "绿灯: in time.")
    YELLOW = enum_value("YELLOW", "黄灯: a small share of the limit is left, or a day.")
    RED = enum_value("RED", "红灯: over, or it was met too late.")


@strawberry.enum(description="What a line of an explanation says.")
class StepKind(Enum):
    """The kinds of the domain."""

    START = enum_value("START", "The day from which is counted; it does not count itself.")
    LIMIT = enum_value("LIMIT", "The limit: so many days are to be counted after `first`.")
    EXTENSION = enum_value("EXTENSION", "延期: so many days more.")
    COUNTED = enum_value("COUNTED", "Days that count.")
    PAUSED = enum_value("PAUSED", "Days that do not count.")
    MOVED = enum_value("MOVED", "The last day was no working day and gave way to the next one.")


@strawberry.type(description="One line of how a deadline comes about. The last line's `last` is the deadline.")
class DeadlineStep:
    """A step."""

    step: strawberry.Private[steps.Step]
    kind: StepKind = strawberry.field(description="What the line says.")
    basis: str = strawberry.field(description="The ground: an article of law, or the kind of special procedure.")
    first: date = strawberry.field(description="The first day it speaks of.")
    last: date = strawberry.field(description="The last day it speaks of.")
    days: int = strawberry.field(description="How many of `unit` it gives, counts or leaves out.")
    unit: TimeUnit = strawberry.field(description="What `days` counts; months are told as their days.")
    off: list[date] = strawberry.field(description="Weekdays off in this stretch (holidays).")
    worked: list[date] = strawberry.field(description="Weekend days worked in this stretch (调休).")
    provisional: bool = strawberry.field(description="Whether it rests on a calendar or an end that is not known yet.")

    @strawberry.field(description="The line in words.")
    def text(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return _in_english(self.step) if lang is Lang.EN else _in_chinese(self.step)


@strawberry.type(description="A time that a deadline leaves out (不计入期限的时间).")
class DeadlinePause:
    """A pause."""

    kind: str = strawberry.field(description="Why: the kind of special procedure.")
    start: date = strawberry.field(description="The first day that does not count.")
    end: date | None = strawberry.field(description="The day of resumption, which counts; null: it lasts.")
    declared: int = strawberry.field(description="The working days that were announced for it.")


@strawberry.type(description="A deadline with all it was reckoned from (期限).")
class Deadline:
    """A clock as it stands today."""

    ledger: strawberry.Private[Clock]
    clock: str = strawberry.field(
        description="Which: CORRECTION, APPLICANT_CORRECTION, TOLERATED, LEGAL, PROMISED, DELIVERY, HEARING_REQUEST, "
        "HEARING."
    )
    basis: str = strawberry.field(description="The ground of its limit; empty: a choice of this service.")
    start: date = strawberry.field(description="The day from which is counted; it does not count itself.")
    due: date = strawberry.field(description="The last day in time.")
    provisional: bool = strawberry.field(
        description="Whether it rests on a working-day calendar that is not published yet, or on the announced end of "
        "a special procedure that lasts."
    )
    stopped_on: date | None = strawberry.field(description="When it was met or given up; null: it runs.")

    @strawberry.field(description="The name of the deadline.")
    def name(self, lang: Language = Lang.ZH) -> str:
        """By the language asked for."""
        return _name(_NAMES, self.clock.partition(":")[0], lang)

    @strawberry.field(description="The limit without its extensions.")
    def limit(self) -> TimeLimit:
        """As its law or promise says."""
        return _limit(self.ledger.limit, self.ledger.basis)

    @strawberry.field(description="Time that was added (延期).")
    def extensions(self) -> list[TimeLimit]:
        """In order."""
        return [_limit(extension.limit, extension.basis) for extension in self.ledger.extensions]

    @strawberry.field(description="Times that are left out.")
    def pauses(self) -> list[DeadlinePause]:
        """In order."""
        return [DeadlinePause(kind=p.kind, start=p.start, end=p.end, declared=p.declared) for p in self.ledger.pauses]

    @strawberry.field(
        description="剩余: working days after today up to the deadline, negative when it is over; for one that was "
        "stopped, as it was on that day."
    )
    def remaining_working_days(self, info: Info) -> int:
        """By the calendar the deadline was reckoned by."""
        return _standing(info, self.ledger).remaining

    @strawberry.field(description="How near it is; for one that was stopped, GREEN in time and RED late.")
    def light(self, info: Info) -> Light:
        """By the thresholds that are set."""
        return Light[_standing(info, self.ledger).light.name]

    @strawberry.field(
        description="How the day comes about, so that anyone can count it again. Empty while the version of the "
        "calendar it was reckoned by cannot be read yet."
    )
    def explanation(self, info: Info) -> list[DeadlineStep]:
        """Stretch by stretch."""
        calendar = info.context.calendars.get(version_of(self.ledger))
        return [] if calendar is None else [_step(step) for step in steps.explain(self.ledger, calendar)]


def version_of(clock: Clock) -> int:
    """The version of the calendar a clock was reckoned by."""
    return int(clock.calendar) if clock.calendar and clock.calendar.isdecimal() else 0


def calendar_of_clock(info: Info, clock: Clock) -> Calendar:
    """The calendar a clock was reckoned by, or the newest one while that cannot be read yet."""
    return info.context.calendars.get(version_of(clock)) or info.context.calendar


def _standing(info: Info, clock: Clock) -> Standing:
    context = info.context
    return standing(clock, context.today, calendar_of_clock(info, clock), context.measures.lights)


def deadline(clock: Clock) -> Deadline:
    """The GraphQL object of a clock."""
    return Deadline(
        ledger=clock,
        clock=clock.name,
        basis=clock.basis,
        start=clock.start,
        due=clock.due,
        provisional=clock.provisional,
        stopped_on=clock.stopped,
    )


def deadline_of(row: CaseRow | BundleRow, name: str) -> Deadline | None:
    """One deadline of a case or a bundle."""
    written = row.clocks.get(name)
    return None if written is None else deadline(clock_from_json(written))


def deadlines_of(row: CaseRow) -> list[Deadline]:
    """Every deadline of a case, the running ones first, each in order of their days."""
    ledgers = (clock_from_json(written) for written in row.clocks.values())
    return [deadline(found) for found in sorted(ledgers, key=lambda c: (c.stopped is not None, c.due, c.name))]


def announce_calendars(info: Info, rows: Iterable[CaseRow]) -> None:
    """The calendars of a page's deadlines are then read at once."""
    labels = {written.get("calendar") for row in rows for written in row.clocks.values()}
    if labels:
        known = (int(label) for label in labels if label and label.isdecimal())
        info.context.calendars.want((*known, None))


def _limit(limit: clocks.Limit, basis: str) -> TimeLimit:
    return TimeLimit(value=limit.value, unit=TimeUnit[limit.unit.name], basis=basis)


def _step(step: steps.Step) -> DeadlineStep:
    return DeadlineStep(
        step=step,
        kind=StepKind[step.kind.name],
        basis=step.basis,
        first=step.first,
        last=step.last,
        days=step.days,
        unit=TimeUnit[step.unit.name],
        off=list(step.off),
        worked=list(step.worked),
        provisional=step.provisional,
    )


def _name(names: dict[str, tuple[str, str]], code: str, lang: Lang) -> str:
    chinese, english = names.get(code, (code, code))
    return english if lang is Lang.EN else chinese


def _in_chinese(step: steps.Step) -> str:
    days, why = f"{step.days}{_UNITS[step.unit][0]}", f"({step.basis})" if step.basis else ""
    match step.kind:
        case steps.StepKind.START:
            return f"{step.first}起算, 当日不计入{why}"
        case steps.StepKind.LIMIT:
            return f"期限{days}{why}"
        case steps.StepKind.EXTENSION:
            return f"延长{days}{why}"
        case steps.StepKind.COUNTED:
            return f"{step.first}至{step.last}计入{days}"
        case steps.StepKind.PAUSED:
            return f"{step.first}至{step.last}因{_name(_KINDS, step.basis, Lang.ZH)}不计入"
        case steps.StepKind.MOVED:
            return f"{step.first}非工作日或不计入, 顺延至{step.last}"


def _in_english(step: steps.Step) -> str:
    days, why = f"{step.days} {_UNITS[step.unit][1]}", f" ({step.basis})" if step.basis else ""
    match step.kind:
        case steps.StepKind.START:
            return f"counted from {step.first}, which does not count itself{why}"
        case steps.StepKind.LIMIT:
            return f"limit of {days}{why}"
        case steps.StepKind.EXTENSION:
            return f"extended by {days}{why}"
        case steps.StepKind.COUNTED:
            return f"{step.first} to {step.last}: {days}"
        case steps.StepKind.PAUSED:
            return f"{step.first} to {step.last} does not count: {_name(_KINDS, step.basis, Lang.EN)}"
        case steps.StepKind.MOVED:
            return f"{step.first} does not count or is no working day and gives way to {step.last}"


def kind_name(kind: str, lang: Lang) -> str:
    """The name of a special procedure."""
    return _name(_KINDS, kind, lang)
